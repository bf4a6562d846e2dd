import { z } from 'zod';
import { operation } from './contract.ts';
import { instant } from './fields.ts';
import { SIGNING_ALGORITHMS } from './resource-servers.ts';

/** HS256: the keys under which opaque tokens are sealed, which are never published. */
export const KEY_ALGORITHMS = [...SIGNING_ALGORITHMS, 'HS256'] as const;

/** What a key signs; no key signs both. */
export const KEY_PURPOSES = ['tokens', 'jwt_svids'] as const;

export const signingKey = z
  .object({
    kid: z.string(),
    purpose: z.enum(KEY_PURPOSES).describe('What it signs: tokens, or JWT-SVIDs and nothing else'),
    alg: z.enum(KEY_ALGORITHMS).describe('HS256: seals opaque tokens, is never published'),
    state: z.enum(['next', 'active', 'retiring', 'retired', 'compromised']),
    public_jwk: z.record(z.string(), z.string()).describe('Empty for a key that is never published'),
    created_at: instant,
    active_at: instant.describe('From when on it signs, or signed'),
    retiring_at: instant.nullable().describe('When it stopped signing'),
    remove_at: instant.nullable().describe('When it leaves the JWKS, or the trust bundle'),
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
    body: z.strictObject({
      alg: z.enum(KEY_ALGORITHMS).default('ES256'),
      purpose: z.enum(KEY_PURPOSES).default('tokens'),
    }),
    response: keyList,
  }),
};
