import { z } from 'zod';
import { operation } from './contract.ts';
import { instant } from './fields.ts';

export const certificateAuthority = z
  .object({
    id: z.string(),
    role: z.enum(['root', 'issuing']),
    state: z
      .enum(['pending', 'active', 'retiring', 'retired', 'revoked'])
      .describe('pending: its certificate is awaited · retiring: signs its revocation list and nothing else'),
    alg: z.enum(['ES256', 'ES384']),
    certificate: z.string().nullable().describe('PEM'),
    chain: z.string().describe('PEM of those above it, the root last; empty for a root'),
    key_held: z.boolean().describe('Whether its key is here: a root may be kept elsewhere'),
    created_at: instant,
    expires_at: instant.nullable(),
    version: z.int(),
  })
  .meta({ id: 'CertificateAuthority' });
export type CertificateAuthority = z.output<typeof certificateAuthority>;

const authorityList = z.object({ items: z.array(certificateAuthority), next_cursor: z.null() });

export const certificateAuthorityOperations = {
  'certificate-authorities.list': operation({
    method: 'GET',
    path: '/v1/certificate-authorities',
    summary: 'List the authorities of certificates of this deployment, retired ones left out',
    scopes: ['certificates:read'],
    response: authorityList,
  }),
};
