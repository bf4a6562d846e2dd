import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, recordId } from './fields.ts';

const jwks = z.object({ keys: z.array(z.record(z.string(), z.string())) });
const der = z.string().describe('A certificate, DER in base64');

/** What verifies the SVIDs of one trust domain. */
const trustBundle = z
  .object({
    jwt: jwks.describe('Keys of JWT-SVIDs'),
    x509: z.array(der).describe('Certificates of the authorities of X.509-SVIDs'),
  })
  .meta({ id: 'TrustBundle' });

export const servedWorkloads = z
  .object({
    trust_domain: z.string(),
    workloads: z.array(
      z.object({
        id: z.string(),
        spiffe_id: z.string(),
        selectors: z.array(z.string()),
        hint: z.string(),
      }),
    ),
    bundles: z.record(z.string(), trustBundle).describe('By name of the trust domain'),
    issuers: z
      .array(der)
      .describe('Authorities whose certificates count: what another one signed is to be made anew'),
    crl: z.array(z.string().describe('A revocation list, DER in base64')),
    crl_content: z
      .string()
      .describe(
        'Of what the lists say: where it is the same, those of the last answer are as good, for half a day',
      ),
  })
  .meta({ id: 'ServedWorkloads' });
export type ServedWorkloads = z.output<typeof servedWorkloads>;

/** As many as an agent takes from a workload. */
const audience = z
  .array(z.string().min(1).max(1024))
  .min(1)
  .max(10)
  .refine((list) => new Set(list).size === list.length, 'must not repeat one');

export const jwtSvid = z
  .object({ svid: z.string(), spiffe_id: z.string(), expires_at: instant })
  .meta({ id: 'JwtSvid' });

export const x509Svid = z
  .object({
    chain: z.array(der).describe('The certificate, then those between it and the bundle'),
    spiffe_id: z.string(),
    expires_at: instant,
  })
  .meta({ id: 'X509Svid' });

export const svidOperations = {
  'svids.served': operation({
    method: 'GET',
    path: '/v1/svids',
    summary: 'What the calling agent serves now, and what it is checked with',
    scopes: ['svids:issue'],
    response: servedWorkloads,
  }),
  'svids.jwt': operation({
    method: 'POST',
    path: '/v1/svids/jwt',
    summary: 'Make a JWT-SVID for a workload that is registered with the calling agent',
    scopes: ['svids:issue'],
    body: z.strictObject({ workload: recordId, audience }).meta({ id: 'JwtSvidAsked' }),
    response: jwtSvid,
  }),
  'svids.x509': operation({
    method: 'POST',
    path: '/v1/svids/x509',
    summary: 'Make an X.509-SVID for a workload that is registered with the calling agent',
    scopes: ['svids:issue'],
    body: z
      .strictObject({
        workload: recordId,
        csr: z.string().min(1).max(32_768).describe('PKCS #10, PEM: of it only the key counts'),
      })
      .meta({ id: 'X509SvidAsked' }),
    response: x509Svid,
  }),
};
