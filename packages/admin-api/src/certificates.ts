import { z } from 'zod';
import { operation } from './contract.ts';
import { identityRef, instant, page, pageQuery, reason, recordId, span } from './fields.ts';

/** A certification request: a few kB, whatever is asked for in it. */
export const csrPem = z
  .string()
  .min(1)
  .max(32_768)
  .regex(
    /^\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s-]+$/,
    'must be a PEM (CERTIFICATE REQUEST)',
  );

export const REVOCATION_CODES = [
  'unspecified',
  'key_compromise',
  'affiliation_changed',
  'superseded',
  'cessation_of_operation',
] as const;

const members = {
  id: z.string(),
  serial_number: z.string().describe('Hexadecimal; also what an instance is called that shows it'),
  identity: z.string().describe('Id of the identity'),
  client_id: z.string(),
  credential: z.string().describe('Id of the tls_client_auth credential that it serves'),
  authority: z.string().describe('Id of the authority that issued it'),
  state: z
    .enum(['valid', 'expired', 'revoked'])
    .describe('Of itself: what stops its identity or its credential stops it too'),
  spiffe_id: z.string().nullable(),
  dns_names: z.array(z.string()),
  thumbprint: z.string().describe('x5t#S256 (RFC 8705), by which tokens are bound to it'),
  certificate: z.string().describe('PEM'),
  issued_by: z
    .enum(['administration', 'itself', 'claim', 'agent'])
    .describe('itself: the machine renewed it · claim: a device came with its claim code'),
  renewed_from: z
    .string()
    .nullable()
    .describe('Id of the certificate that its machine showed for it; null where it showed none'),
  not_before: instant,
  expires_at: instant,
  renew_after: instant.describe('Half of its life: when its holder should ask for the next'),
  revoked_at: instant.nullable(),
  revocation_reason: z.enum(REVOCATION_CODES).nullable(),
  created_at: instant,
  version: z.int(),
};

export const certificate = z.object(members).meta({ id: 'Certificate' });
export type Certificate = z.output<typeof certificate>;

export const issuedCertificate = z
  .object({
    ...members,
    chain: z.string().describe('PEM: the certificate, and those between it and the root, as TLS shows them'),
    root: z.string().describe('PEM: what whoever checks it trusts'),
  })
  .meta({ id: 'IssuedCertificate' });
export type IssuedCertificate = z.output<typeof issuedCertificate>;

const filters = { ...pageQuery, expires_before: instant.optional() };

export const certificateOperations = {
  'certificates.issue': operation({
    method: 'POST',
    path: '/v1/identities/{id}/certificates',
    summary: 'Issue a certificate: whose it is the identity says, of the request only the key counts',
    scopes: ['certificates:write'],
    params: z.strictObject({ id: identityRef }),
    body: z
      .strictObject({
        csr: csrPem.describe('PKCS #10, PEM; names and extensions in it are ignored'),
        lifetime: span
          .optional()
          .describe(
            'At most certificate-lifetime, of devices device-certificate-lifetime; which is the default',
          ),
      })
      .meta({ id: 'CertificateIssue' }),
    response: issuedCertificate,
    status: 201,
  }),
  'certificates.of_identity': operation({
    method: 'GET',
    path: '/v1/identities/{id}/certificates',
    summary: 'List the certificates of an identity, oldest first',
    scopes: ['certificates:read'],
    params: z.strictObject({ id: identityRef }),
    query: z.strictObject(filters),
    response: page(certificate),
  }),
  'certificates.list': operation({
    method: 'GET',
    path: '/v1/certificates',
    summary: 'List certificates, oldest first; those that have ended are kept for a time',
    scopes: ['certificates:read'],
    query: z.strictObject({
      ...filters,
      identity: identityRef.optional(),
      credential: recordId.optional(),
      serial_number: z
        .string()
        .regex(/^[0-9a-f]{1,40}$/, 'must be hexadecimal, in lower case, without colons')
        .optional(),
    }),
    response: page(certificate),
  }),
  'certificates.get': operation({
    method: 'GET',
    path: '/v1/certificates/{id}',
    summary: 'Show a certificate',
    scopes: ['certificates:read'],
    params: z.strictObject({ id: recordId }),
    response: certificate,
  }),
  'certificates.revoke': operation({
    method: 'POST',
    path: '/v1/certificates/{id}/revoke',
    summary:
      'Revoke a certificate for ever, with what was renewed from it, and cut off the tokens of their credentials',
    scopes: ['certificates:write'],
    params: z.strictObject({ id: recordId }),
    body: z
      .strictObject({
        reason,
        code: z.enum(REVOCATION_CODES).default('unspecified'),
        descendants: z
          .enum(['all', 'none'])
          .default('all')
          .describe(
            'What was renewed from it, and from that again: all: goes with it, since a thief could have renewed it; none: goes on',
          ),
      })
      .meta({ id: 'CertificateRevoke' }),
    response: certificate,
    ifMatch: 'optional',
    destructive: true,
  }),
};
