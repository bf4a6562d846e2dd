import { z } from 'zod';
import { resourceServerRef, scopeNames, text, trustedIssuerRef } from './fields.ts';

/** What credentials of each type are made of, in requests and in declared documents. */

/** A public key (RFC 7517); anything of the private part is refused. */
export const publicJwk = z
  .looseObject({ kty: z.enum(['EC', 'RSA', 'OKP']), kid: text(200).optional(), alg: text(20).optional() })
  .refine(
    (jwk) =>
      !['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'].some((member) => Object.hasOwn(jwk, member)),
    'must not hold a private key',
  );

/** What a client's key may do beyond what every one may. */
export const clientKeyTerms = {
  allow_token_endpoint_audience: z
    .boolean()
    .default(false)
    .describe(
      'Assertions may name the token endpoint as audience, as older clients do (RFC 10070 forbids it)',
    ),
  allow_rs256: z.boolean().default(false).describe('The RSA key may be for RS256'),
};

export const pem = z
  .string()
  .min(1)
  .max(32_768)
  .regex(/^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\r\n -]+$/, 'must be PEM certificates');

export const crlPem = z
  .string()
  .min(1)
  .max(131_072)
  .regex(/^-----BEGIN X509 CRL-----[A-Za-z0-9+/=\r\n -]+$/, 'must be PEM (X509 CRL)');

export const httpsUri = z
  .string()
  .max(2048)
  .regex(/^https:\/\/[\x21-\x7e]+$/, 'must be an https URL');

const claimName = text(200).refine((name) => name !== '__proto__', 'is reserved');

/** In place of authorities: those of this deployment. */
export const BUILT_IN_CA = 'built-in';

const TLS_FIELDS = ['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email'] as const;
type TlsField = (typeof TLS_FIELDS)[number];

/** RFC 8705 §2.1.2, and what its certificates are checked against. */
export const tlsClientMembers = {
  subject_dn: text(1000).optional().describe('RFC 4514: CN=payments,O=Example'),
  san_dns: text(253).optional(),
  san_uri: text(2048).optional(),
  san_ip: text(45).optional(),
  san_email: text(320).optional(),
  ca: pem
    .or(z.literal(BUILT_IN_CA))
    .describe(
      `The authorities that may have signed the certificate; ${BUILT_IN_CA}: those of this deployment`,
    ),
  crl: crlPem
    .optional()
    .describe('Their current revocation lists; then every certificate of a path needs one'),
};
export const hasOneSubject = (value: { readonly [field in TlsField]?: string | undefined }): boolean =>
  TLS_FIELDS.filter((field) => value[field] !== undefined).length === 1;
export const AT_SUBJECT = { error: `needs exactly one of ${TLS_FIELDS.join(', ')}`, path: ['subject_dn'] };

/** The one field that says whom a certificate has to name. */
export function subjectOf(value: { readonly [field in TlsField]?: string | undefined }): {
  readonly field: TlsField;
  readonly value: string;
} {
  const field = TLS_FIELDS.find((each) => value[each] !== undefined) ?? 'subject_dn';
  return { field, value: value[field] ?? '' };
}

/** The rule of a federated credential. */
export const federatedMembers = {
  trusted_issuer: trustedIssuerRef.describe('Id or issuer of a trusted issuer'),
  conditions: z
    .record(claimName, z.string().min(1).max(1000))
    .refine((value) => Object.keys(value).length > 0, 'needs at least one condition')
    .describe(
      'Claim → the exact text that it must have; no patterns. A claim inside another is a JSON Pointer: /kubernetes.io/namespace',
    ),
};

/** What an API key opens at most. */
export const apiKeyMembers = {
  resource_server: resourceServerRef
    .optional()
    .describe('The only API it opens; left out: every one that its identity has access to'),
  scopes: scopeNames
    .optional()
    .describe('All that it opens at most, of what its identity has; left out: no limit'),
};
