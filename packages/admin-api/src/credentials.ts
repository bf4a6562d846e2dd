import { z } from 'zod';
import { operation } from './contract.ts';
import {
  apiKeyMembers,
  AT_SUBJECT,
  clientKeyTerms,
  crlPem,
  federatedMembers,
  hasOneSubject,
  httpsUri,
  pem,
  publicJwk,
  tlsClientMembers,
} from './credential-members.ts';
import { identityRef, instant, label, page, pageQuery, recordId, span } from './fields.ts';
import { credentialRotate, rotation } from './rotation.ts';
import { credentialUsage } from './usage.ts';

export const CREDENTIAL_TYPES = [
  'client_secret',
  'api_key',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'federated',
  'spiffe',
] as const;
export type CredentialType = (typeof CREDENTIAL_TYPES)[number];
export const CREDENTIAL_STATES = ['active', 'suspended', 'revoked', 'expired'] as const;
export type CredentialState = (typeof CREDENTIAL_STATES)[number];

const common = {
  label: label.optional().describe('To tell credentials apart'),
  expires_at: instant
    .optional()
    .describe("At most the earlier of the identity's end and the method's maximum age, which is the default"),
};

export const credentialCreate = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('client_secret'), ...common }),
    z.strictObject({
      type: z.literal('api_key'),
      ...common,
      ...apiKeyMembers,
    }),
    z
      .strictObject({
        type: z.literal('private_key_jwt'),
        ...common,
        jwk: publicJwk.optional(),
        jwks_uri: httpsUri.optional(),
        ...clientKeyTerms,
      })
      .refine((value) => (value.jwk === undefined) !== (value.jwks_uri === undefined), {
        error: 'needs either jwk or jwks_uri',
        path: ['jwk'],
      }),
    z
      .strictObject({ type: z.literal('tls_client_auth'), ...common, ...tlsClientMembers })
      .refine(hasOneSubject, AT_SUBJECT),
    z.strictObject({ type: z.literal('self_signed_tls_client_auth'), ...common, certificate: pem }),
    z.strictObject({
      type: z.literal('federated'),
      ...common,
      ...federatedMembers,
    }),
    z.strictObject({
      type: z.literal('spiffe'),
      ...common,
      spiffe_id: z
        .string()
        .max(2048)
        .regex(/^spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/, 'must be a SPIFFE ID'),
    }),
  ])
  .meta({ id: 'CredentialCreate' });

export const credentialPatch = z
  .strictObject({
    label: label.optional(),
    expires_at: instant.optional(),
    state: z.enum(['active', 'suspended']).optional(),
    ca: pem.optional().describe('Other authorities, of tls_client_auth'),
    crl: crlPem.nullable().optional().describe('Newer revocation lists, of tls_client_auth; null: none'),
  })
  .meta({ id: 'CredentialPatch' });

const members = {
  id: z.string(),
  identity: z.string().describe('Id of the identity'),
  client_id: z.string(),
  type: z.enum(CREDENTIAL_TYPES),
  label: z.string(),
  state: z.enum(CREDENTIAL_STATES),
  public_id: z
    .string()
    .nullable()
    .describe(
      'The part of a secret that may be shown; of a key its thumbprint (RFC 7638), of a certificate x5t#S256 (RFC 8705)',
    ),
  resource_server: z
    .string()
    .optional()
    .describe('Id of the only API that an API key opens, where it has one'),
  scopes: z.array(z.string()).optional().describe('All that an API key opens at most, where it is limited'),
  trusted_issuer: z.string().optional().describe('Id of the issuer of its tokens, of a federated credential'),
  conditions: z.record(z.string(), z.string()).optional().describe('What those tokens must say'),
  jwk: z.record(z.string(), z.unknown()).optional().describe('The public key of private_key_jwt'),
  jwks_uri: z.string().optional().describe('Where its client publishes the keys of private_key_jwt'),
  allow_token_endpoint_audience: z.literal(true).optional(),
  allow_rs256: z.literal(true).optional(),
  subject_dn: z.string().optional().describe('Of tls_client_auth, which has exactly one of the five'),
  san_dns: z.string().optional(),
  san_uri: z.string().optional(),
  san_ip: z.string().optional(),
  san_email: z.string().optional(),
  ca: z.string().optional().describe('built-in: the authorities of this deployment'),
  ca_thumbprints: z.array(z.string()).optional().describe('SHA-256 of its authorities, base64url'),
  crl_thumbprints: z.array(z.string()).optional().describe('SHA-256 of its revocation lists, base64url'),
  certificate: z.string().optional().describe('PEM of the certificate of self_signed_tls_client_auth'),
  predecessor: z.string().optional().describe('Id of the credential whose place it takes'),
  rotated_by: z
    .enum(['itself', 'administration'])
    .optional()
    .describe('itself: whoever held the predecessor made it, as clients do that rotate their own key'),
  successor: z.string().optional().describe('Id of the credential that takes its place'),
  rotated_at: instant.optional().describe('Since when both are there'),
  not_before: instant,
  expires_at: instant,
  created_at: instant,
  updated_at: instant,
  version: z.int(),
};

export const credential = z
  .object({ ...members, usage: credentialUsage.optional().describe('In answers to GET') })
  .meta({ id: 'Credential' });
export type Credential = z.output<typeof credential>;

/** The answer to a creation: the only time that the secret is shown. */
export const createdCredential = z
  .object({
    ...members,
    secret: z.string().optional(),
    hint: z.string().optional().describe('The better method, where there is one'),
  })
  .meta({ id: 'CreatedCredential' });
export type CreatedCredential = z.output<typeof createdCredential>;

const params = z.strictObject({ id: recordId });

const rotationOperations = {
  'credentials.rotate': operation({
    method: 'POST',
    path: '/v1/credentials/{id}/rotate',
    summary: 'Make the successor of a credential; the old one ends by itself once everybody has moved',
    scopes: ['credentials:write'],
    params,
    body: credentialRotate,
    response: createdCredential,
    status: 201,
    ifMatch: 'optional',
  }),
  'credentials.rotation': operation({
    method: 'GET',
    path: '/v1/credentials/{id}/rotation',
    summary: 'Show how far a rotation is: who has moved to the successor, and who has not',
    scopes: ['credentials:read'],
    params,
    response: rotation,
  }),
};

const filters = {
  ...pageQuery,
  type: z.enum(CREDENTIAL_TYPES).optional(),
  state: z.enum(CREDENTIAL_STATES).optional(),
  expires_before: instant.optional(),
};

export const credentialOperations = {
  'credentials.create': operation({
    method: 'POST',
    path: '/v1/identities/{id}/credentials',
    summary: 'Add a credential to an identity; a secret is shown only in this answer',
    scopes: ['credentials:write'],
    params: z.strictObject({ id: identityRef }),
    body: credentialCreate,
    response: createdCredential,
    status: 201,
  }),
  'credentials.of_identity': operation({
    method: 'GET',
    path: '/v1/identities/{id}/credentials',
    summary: 'List the credentials of an identity, oldest first',
    scopes: ['credentials:read'],
    params: z.strictObject({ id: identityRef }),
    query: z.strictObject(filters),
    response: page(credential),
  }),
  'credentials.list': operation({
    method: 'GET',
    path: '/v1/credentials',
    summary: 'List credentials, oldest first',
    scopes: ['credentials:read'],
    query: z.strictObject({ ...filters, identity: identityRef.optional() }),
    response: page(credential),
  }),
  'credentials.get': operation({
    method: 'GET',
    path: '/v1/credentials/{id}',
    summary: 'Show a credential',
    scopes: ['credentials:read'],
    params,
    query: z.strictObject({
      within: span
        .optional()
        .describe('What `usage` is about: this span until now; 30d by default, at most 400d'),
    }),
    response: credential,
  }),
  'credentials.patch': operation({
    method: 'PATCH',
    path: '/v1/credentials/{id}',
    summary: 'Change label, end or state of a credential, or whose certificates it takes',
    scopes: ['credentials:write'],
    params,
    body: credentialPatch,
    response: credential,
  }),
  ...rotationOperations,
  'credentials.revoke': operation({
    method: 'DELETE',
    path: '/v1/credentials/{id}',
    summary: 'Revoke a credential for ever',
    scopes: ['credentials:write'],
    params,
    response: credential,
  }),
};
