import { z } from 'zod';
import { operation } from './contract.ts';
import { instant } from './fields.ts';
import { SIGNING_ALGORITHMS } from './resource-servers.ts';

export const signingKey = z
  .object({
    kid: z.string(),
    alg: z.enum(SIGNING_ALGORITHMS),
    state: z.enum(['next', 'active', 'retiring', 'retired', 'compromised']),
    public_jwk: z.record(z.string(), z.string()),
    created_at: instant,
    active_at: instant.describe('From when on it signs, or signed'),
    retiring_at: instant.nullable().describe('When it stopped signing'),
    remove_at: instant.nullable().describe('When it leaves the JWKS'),
    version: z.int(),
  })
  .meta({ id: 'SigningKey' });
export type SigningKey = z.output<typeof signingKey>;

const keyList = z.object({ items: z.array(signingKey), next_cursor: z.null() });

export const keyOperations = {
  'keys.list': operation({
    method: 'GET',
    path: '/v1/keys',
    summary: 'List the signing keys, retired ones left out',
    scopes: ['keys:read'],
    response: keyList,
  }),
  'keys.rotate': operation({
    method: 'POST',
    path: '/v1/keys/rotate',
    summary:
      'Let the next key sign from now on; the old one stays published until its last token has expired',
    scopes: ['keys:write'],
    body: z.strictObject({ alg: z.enum(SIGNING_ALGORITHMS).default('ES256') }),
    response: keyList,
  }),
};
