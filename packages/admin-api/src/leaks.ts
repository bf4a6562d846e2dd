import { parseSecret, webhookSecretKey } from '@countersign/protocol';
import { z } from 'zod';
import { operation } from './contract.ts';
import { text } from './fields.ts';

const secret = z
  .string()
  .max(200)
  .refine(
    (value) => parseSecret(value) !== undefined || webhookSecretKey(value) !== undefined,
    'must be a secret that an authority of this kind makes (csk_…, cak_…, cit_…, whsec_…)',
  )
  .describe('What was found; it is not kept');

export const leakReport = z
  .strictObject({
    secret,
    where: text(500).describe('Where it was found; never the secret itself'),
    found_by: text(200).optional().describe('Who or what found it'),
  })
  .meta({ id: 'LeakReport' });

export const leakOperations = {
  'leaks.report': operation({
    method: 'POST',
    path: '/v1/leaks',
    summary:
      'Tell of a secret that was found where it should not be; it is stopped as the setting leak-action says',
    scopes: ['leaks:write'],
    body: leakReport,
    response: z.object({ received: z.literal(true) }).meta({ id: 'LeakReceived' }),
  }),
};
