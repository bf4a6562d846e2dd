import { z } from 'zod';

/** Something that a policy does not allow, and lets through for now. */
export const policyWarning = z
  .object({
    policy: z.string(),
    rule: z.string(),
    subject: z.object({ kind: z.string(), id: z.string() }),
    why: z.string(),
  })
  .meta({ id: 'PolicyWarning' });
export type PolicyWarning = z.output<typeof policyWarning>;

/** A member of the answer to any write; absent when there is nothing to warn of. */
export const policyWarnings = z
  .array(policyWarning)
  .optional()
  .describe('What policies warn of that this write newly breaks; at most 50');

/** Beside whatever else a write answers. */
export const warned = z.object({ warnings: policyWarnings }).meta({ id: 'Warned' });
