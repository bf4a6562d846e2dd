import { z } from 'zod';
import { cutoffOutlook } from './cutoffs.ts';
import { instant } from './fields.ts';
import { devicesImported } from './devices-import.ts';
import { peopleImported } from './people-import.ts';
import { reviewOutlook } from './reviews.ts';
import { recentCallers } from './decommissioning.ts';
import { policyWarnings } from './policy-warnings.ts';

/** The kinds of objects that a write can change. */
export const OBJECT_KINDS = [
  'Identity',
  'Credential',
  'ResourceServer',
  'TrustedIssuer',
  'Access',
  'ApprovalRule',
  'Policy',
  'PolicyException',
  'SigningKey',
  'Cutoff',
  'Finding',
  'Person',
  'Team',
  'OwnershipOffer',
  'Review',
  'ReviewItem',
  'Webhook',
  'Proposal',
  'Certificate',
  'CertificateAuthority',
  'ClaimCode',
  'Workload',
  'TrustDomain',
] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** One object before and after; without secrets. */
export const objectChange = z
  .object({
    op: z.enum(['create', 'update', 'delete']),
    kind: z.enum(OBJECT_KINDS),
    /** client_id, identifier, `client_id → identifier`, or id. */
    name: z.string(),
    before: z.record(z.string(), z.unknown()).nullable(),
    after: z.record(z.string(), z.unknown()).nullable(),
    /** Members that differ, sorted. */
    fields: z.array(z.string()),
  })
  .meta({ id: 'ObjectChange' });
export type ObjectChange = z.output<typeof objectChange>;

/** What would end for good beside the one that was named. */
export const endsAlso = z
  .object({
    kind: z.enum(['certificate', 'credential']),
    id: z.string(),
    renewed_from: z.string().nullable().describe('Of a certificate: the one that its machine showed for it'),
    created_at: instant,
    expires_at: instant,
  })
  .meta({ id: 'EndsAlso' });
export type EndsAlso = z.output<typeof endsAlso>;

/** What a write would do: the answer to `?dry_run=true`. Nothing was changed. */
export const difference = z
  .object({
    dry_run: z.literal(true),
    changes: z.array(objectChange),
    devices: devicesImported.optional().describe('Of an import of devices: how many rows do what'),
    import: peopleImported.optional().describe('Of an import of people: how many rows do what'),
    ends_also: z
      .array(endsAlso)
      .optional()
      .describe('Of a cut-off, and of a certificate that is revoked: what goes with it'),
    outlook: cutoffOutlook.optional().describe('Of a cut-off: whom it reaches, and the worst case'),
    review: reviewOutlook.optional().describe('Of a review: what it would ask, and whom'),
    warnings: policyWarnings,
    recent: recentCallers.optional().describe('Of a decommissioning: who used it lately'),
  })
  .meta({ id: 'Difference' });
export type Difference = z.output<typeof difference>;
