import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, recordId } from './fields.ts';

export const AUTHORITY_ALGORITHMS = ['ES256', 'ES384'] as const;

export const certificateAuthority = z
  .object({
    id: z.string(),
    role: z.enum(['root', 'issuing']),
    state: z
      .enum(['pending', 'active', 'retiring', 'retired', 'revoked'])
      .describe(
        'pending: its certificate is awaited · retiring: signs its revocation list and nothing else; of a root: is trusted while one below it stands',
      ),
    alg: z.enum(AUTHORITY_ALGORITHMS),
    request: z
      .string()
      .nullable()
      .describe('PEM (PKCS #10): what somebody else signs; null where nobody had to'),
    certificate: z.string().nullable().describe('PEM'),
    chain: z.string().describe('PEM of those above it, the root last; empty for a root'),
    key_held: z.boolean().describe('Whether its key is here: a root may be kept elsewhere'),
    created_at: instant,
    expires_at: instant.nullable().describe('When it ends, or one above it does'),
    version: z.int(),
  })
  .meta({ id: 'CertificateAuthority' });
export type CertificateAuthority = z.output<typeof certificateAuthority>;

const authorityList = z.object({ items: z.array(certificateAuthority), next_cursor: z.null() });
const params = z.strictObject({ id: recordId });

const chainPem = z
  .string()
  .min(1)
  .max(131_072)
  .regex(/^\s*-----BEGIN CERTIFICATE-----/, 'must be PEM (CERTIFICATE)')
  .describe(
    'PEM: its certificate, then those above it, each issued by the next, up to the root; a root of this deployment may be left out',
  );

export const certificateAuthorityOperations = {
  'certificate-authorities.list': operation({
    method: 'GET',
    path: '/v1/certificate-authorities',
    summary: 'List the authorities of certificates of this deployment, retired ones left out',
    scopes: ['certificates:read'],
    response: authorityList,
  }),
  'certificate-authorities.get': operation({
    method: 'GET',
    path: '/v1/certificate-authorities/{id}',
    summary: 'Show an authority of certificates',
    scopes: ['certificates:read'],
    params,
    response: certificateAuthority,
  }),
  'certificate-authorities.request': operation({
    method: 'POST',
    path: '/v1/certificate-authorities',
    summary:
      'Make the key of an issuing authority, and the request with which the holder of a root gives it a certificate',
    scopes: ['keys:write'],
    body: z
      .strictObject({ alg: z.enum(AUTHORITY_ALGORITHMS).default('ES256') })
      .meta({ id: 'CertificateAuthorityRequest' }),
    response: certificateAuthority,
    status: 201,
  }),
  'certificate-authorities.certify': operation({
    method: 'POST',
    path: '/v1/certificate-authorities/{id}/certificate',
    summary:
      'Bring the certificate of an issuing authority, which issues from then on; the one before keeps its revocation list',
    scopes: ['keys:write'],
    params,
    body: z.strictObject({ certificate: chainPem }).meta({ id: 'CertificateAuthorityCertify' }),
    response: certificateAuthority,
    ifMatch: 'optional',
    destructive: true,
  }),
  'certificate-authorities.discard': operation({
    method: 'DELETE',
    path: '/v1/certificate-authorities/{id}',
    summary: 'Give up an authority whose certificate never came, and its key',
    scopes: ['keys:write'],
    params,
    response: certificateAuthority,
  }),
};
