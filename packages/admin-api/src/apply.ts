import { parseSecret } from '@countersign/protocol';
import { z } from 'zod';
import { accessMembers } from './access.ts';
import { AT_RESOURCE_SERVERS, approvalRuleMembers, fitsSubject } from './approval-rules.ts';
import { operation } from './contract.ts';
import {
  AT_SUBJECT,
  apiKeyMembers,
  clientKeyTerms,
  federatedMembers,
  hasOneSubject,
  httpsUri,
  pem,
  publicJwk,
  tlsClientMembers,
} from './credential-members.ts';
import { objectChange } from './difference.ts';
import {
  directoryName,
  identityRef,
  instant,
  name,
  newClientId,
  resourceIdentifier,
  span,
} from './fields.ts';
import { identityMembers } from './identities.ts';
import { personMembers } from './people.ts';
import { policyMembers, requireParameters } from './policies.ts';
import { policyExceptionMembers } from './policy-exceptions.ts';
import { policyWarnings } from './policy-warnings.ts';
import { resourceServerMembers } from './resource-servers.ts';
import { teamMembers } from './teams.ts';
import {
  AT_KEY_PLACE,
  AT_PEOPLE,
  hasOneKeyPlace,
  isPeopleOrMachines,
  issuerIdentifier,
  trustedIssuerMembers,
} from './trusted-issuers.ts';
import { AT_BUNDLE, hasItsBundle, trustDomainMembers } from './trust-domains.ts';
import { workloadMembers } from './workloads.ts';
import { webhookMembers, webhookSecret } from './webhooks.ts';

export const API_VERSION = 'countersign/v1';

const head = { apiVersion: z.literal(API_VERSION), metadata: z.strictObject({ name }) };

/** `expires_at`, or `expires_in` counted from the creation; an object that exists keeps its end under `expires_in`. */
const end = {
  expires_at: instant.optional(),
  expires_in: span.optional().describe('Used at creation only'),
};
type End = { readonly expires_at?: string | undefined; readonly expires_in?: string | undefined };
const hasOneEnd = (spec: End): boolean => (spec.expires_at === undefined) !== (spec.expires_in === undefined);
const hasTwoEnds = (spec: End): boolean => spec.expires_at !== undefined && spec.expires_in !== undefined;
const AT_END = { error: 'needs either expires_at or expires_in, not both', path: ['expires_at'] };

export const identityDocument = z.strictObject({
  ...head,
  kind: z.literal('Identity'),
  spec: z
    .strictObject({
      ...identityMembers,
      name: name.optional().describe('metadata.name when absent'),
      client_id: newClientId.optional().describe('metadata.name when absent, which must then be one'),
      state: z.enum(['draft', 'active', 'suspended']).default('active').describe('Used at creation only'),
      ...end,
    })
    .refine(hasOneEnd, AT_END),
});

export const resourceServerDocument = z.strictObject({
  ...head,
  kind: z.literal('ResourceServer'),
  spec: z.strictObject({
    ...resourceServerMembers,
    name: name.optional().describe('metadata.name when absent'),
    identifier: resourceIdentifier,
  }),
});

export const accessDocument = z.strictObject({
  ...head,
  kind: z.literal('Access'),
  spec: z.strictObject({ ...accessMembers, ...end }).refine(hasOneEnd, AT_END),
});

/** `secretFile` is resolved by who reads the file: its content arrives as `secret`, or nothing does. */
const secretOf = (kind: 'csk' | 'cak', what: string) => ({
  secret: z
    .string()
    .max(100)
    .refine((value) => parseSecret(value)?.kind === kind, `must be ${what} (${kind}_…)`)
    .optional()
    .describe('An existing secret; without it one is made and answered once'),
});

/** One type of credential in a document: its own members are those of its creation. */
const credentialSpec = <T extends string, M extends z.ZodRawShape>(type: T, members: M) =>
  z.strictObject({ identity: identityRef, type: z.literal(type), ...members, ...end });

export const credentialDocument = z.strictObject({
  ...head,
  kind: z.literal('Credential'),
  spec: z
    .discriminatedUnion('type', [
      credentialSpec('client_secret', secretOf('csk', 'a client secret')),
      credentialSpec('api_key', { ...secretOf('cak', 'an API key'), ...apiKeyMembers }),
      credentialSpec('private_key_jwt', {
        jwk: publicJwk.optional(),
        jwks_uri: httpsUri.optional(),
        ...clientKeyTerms,
      }),
      credentialSpec('tls_client_auth', tlsClientMembers).refine(hasOneSubject, AT_SUBJECT),
      credentialSpec('self_signed_tls_client_auth', { certificate: pem }),
      credentialSpec('federated', federatedMembers),
    ])
    .refine(
      (spec) => spec.type !== 'private_key_jwt' || (spec.jwk === undefined) !== (spec.jwks_uri === undefined),
      { error: 'needs either jwk or jwks_uri', path: ['jwk'] },
    )
    .refine((spec) => !hasTwoEnds(spec), AT_END),
});

export const trustedIssuerDocument = z.strictObject({
  ...head,
  kind: z.literal('TrustedIssuer'),
  spec: z
    .strictObject({
      ...trustedIssuerMembers,
      name: name.optional().describe('metadata.name when absent'),
      issuer: issuerIdentifier,
    })
    .refine(hasOneKeyPlace, AT_KEY_PLACE)
    .refine(isPeopleOrMachines, AT_PEOPLE),
});

export const personDocument = z.strictObject({
  ...head,
  kind: z.literal('Person'),
  spec: z.strictObject({
    ...personMembers,
    handle: directoryName.optional().describe('metadata.name when absent'),
    name: name.optional().describe('The handle when absent'),
  }),
});

export const teamDocument = z.strictObject({
  ...head,
  kind: z.literal('Team'),
  spec: z.strictObject({
    ...teamMembers,
    name: directoryName.optional().describe('metadata.name when absent'),
  }),
});

export const approvalRuleDocument = z.strictObject({
  ...head,
  kind: z.literal('ApprovalRule'),
  spec: z.strictObject(approvalRuleMembers).refine(fitsSubject, AT_RESOURCE_SERVERS),
});

export const policyDocument = z.strictObject({
  ...head,
  kind: z.literal('Policy'),
  spec: z.strictObject(policyMembers).check(({ value, issues }) => requireParameters(value, { issues })),
});

export const policyExceptionDocument = z.strictObject({
  ...head,
  kind: z.literal('PolicyException'),
  spec: z.strictObject({ ...policyExceptionMembers, ...end }).refine(hasOneEnd, AT_END),
});

export const webhookDocument = z.strictObject({
  ...head,
  kind: z.literal('Webhook'),
  spec: z.strictObject({
    ...webhookMembers,
    state: z.enum(['enabled', 'disabled']).default('enabled'),
    secret: webhookSecret.optional().describe('An existing secret; without it one is made and answered once'),
  }),
});

export const trustDomainDocument = z.strictObject({
  ...head,
  kind: z.literal('TrustDomain'),
  spec: z.strictObject(trustDomainMembers).refine(hasItsBundle, AT_BUNDLE),
});

export const workloadDocument = z.strictObject({
  ...head,
  kind: z.literal('Workload'),
  spec: z.strictObject({ ...workloadMembers, ...end }).refine(hasOneEnd, AT_END),
});

export const document = z
  .discriminatedUnion('kind', [
    personDocument,
    teamDocument,
    identityDocument,
    resourceServerDocument,
    trustedIssuerDocument,
    accessDocument,
    credentialDocument,
    approvalRuleDocument,
    policyDocument,
    policyExceptionDocument,
    webhookDocument,
    trustDomainDocument,
    workloadDocument,
  ])
  .meta({ id: 'Document' });
export type Document = z.output<typeof document>;
/** As written, before defaults are filled in. */
export type DocumentInput = z.input<typeof document>;

/** At once: what an authority of some thousand machines exports. */
const MOST_DOCUMENTS = 20_000;

export const applyRequest = z
  .strictObject({
    documents: z.array(document).max(MOST_DOCUMENTS),
    prune: z
      .boolean()
      .default(false)
      .describe('Also end what exists and is not in the documents; what is built in stays'),
  })
  .meta({ id: 'ApplyRequest' });

export const applyResult = z
  .object({
    changes: z.array(objectChange),
    secrets: z.array(
      z.object({
        name: z.string(),
        identity: z.string().describe('Empty for the secret of a webhook'),
        secret: z.string(),
      }),
    ),
    warnings: policyWarnings,
  })
  .meta({ id: 'ApplyResult' });
export type ApplyResult = z.output<typeof applyResult>;

/** Documents of kind TrustedIssuer also take `trusted-issuers:write`, those of kind ApprovalRule `approval-rules:write`, those of kind
 * Policy `policies:write`, those of kind Webhook `webhooks:write`, TrustDomain `trust-domains:write`, Workload `workloads:write`, and those of kind Person and Team `people:write`. */
const NOUNS = ['identities', 'credentials', 'resource-servers', 'access'] as const;

export const applyOperations = {
  'apply.run': operation({
    method: 'POST',
    path: '/v1/apply',
    summary: 'Bring declared objects about; `dry_run=true` is the plan',
    scopes: NOUNS.map((noun) => `${noun}:write` as const),
    body: applyRequest,
    response: applyResult,
    destructive: true,
    bodyLimit: 16_777_216,
    bodyValues: 25 * MOST_DOCUMENTS,
    bodyList: { member: 'documents', most: MOST_DOCUMENTS },
  }),
  'export.get': operation({
    method: 'GET',
    path: '/v1/export',
    summary: 'All objects as documents that apply without a change',
    scopes: [
      ...NOUNS.map((noun) => `${noun}:read` as const),
      'trusted-issuers:read',
      'approval-rules:read',
      'policies:read',
      'people:read',
      'webhooks:read',
      'trust-domains:read',
      'workloads:read',
    ],
    response: z.object({ documents: z.array(document) }),
  }),
};
