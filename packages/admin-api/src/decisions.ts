// What people say of what waits for them, and how that is shown; shared by all that can wait.
import { z } from 'zod';
import { instant, prose } from './fields.ts';

const contentHash = z.string().regex(/^[0-9a-f]{64}$/, 'must be the content_hash: 64 hexadecimal digits');
const comment = prose(1000);

export const approvalApprove = z
  .strictObject({
    content_hash: contentHash.describe('Of what was read: an edit makes another'),
    comment: comment.optional().describe('Needed where sensitivity 3 is asked for'),
  })
  .meta({ id: 'ApprovalApprove' });

export const approvalReject = z
  .strictObject({ content_hash: contentHash, comment })
  .meta({ id: 'ApprovalReject' });

/** What one person said. */
export const approvalDecision = z
  .object({
    decision: z.enum(['approve', 'reject']),
    person: z.string().describe('Handle'),
    issuer: z.string(),
    subject: z.string(),
    comment: z.string().nullable(),
    content_hash: z.string(),
    at: instant,
  })
  .meta({ id: 'ApprovalDecision' });

/** What waits for people, beside what is so now. */
export const pendingApproval = z
  .object({
    approval: z.string().describe('Id of the approval request'),
    content_hash: z.string().describe('What approve and reject name'),
    content: z.record(z.string(), z.unknown()).describe('What is asked for, as it is hashed'),
    given: z.int().describe('Approvals so far'),
    needed: z.int(),
    expires_at: instant.describe('Undecided until then, it lapses'),
  })
  .meta({ id: 'PendingApproval' });
export type PendingApproval = z.output<typeof pendingApproval>;
