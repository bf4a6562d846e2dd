import type { NewApprovalRule } from '../../registry/approval/approval-rule.ts';
import type { NewPolicy } from '../../registry/policy/policy.ts';
import type { NewTrustDomain } from '../../registry/spiffe/trust-domain.ts';
import type { NewTrustedIssuer } from '../../registry/trusted-issuer.ts';
import type { AccessConditions } from '../../storage/access.ts';
import type { Cadence, Environment, IdentityKind, Owner } from '../../storage/identities.ts';
import type { PersonStatus } from '../../storage/people.ts';
import type { ResourceServerRecord, ScopeDefinition, TokenSettings } from '../../storage/resource-servers.ts';
import type { NewWebhook } from '../../registry/webhook/webhook.ts';
import type { DeclaredProof } from './credential-types.ts';

/** Objects as documents declare them, read and checked. What identifies each is its key; its name is for people. */
export type Declared =
  | DeclaredResourceServer
  | DeclaredTrustedIssuer
  | DeclaredPerson
  | DeclaredTeam
  | DeclaredIdentity
  | DeclaredCredential
  | DeclaredAccess
  | DeclaredApprovalRule
  | DeclaredPolicy
  | DeclaredPolicyException
  | DeclaredWebhook
  | DeclaredTrustDomain
  | DeclaredWorkload;

/** A fixed end (epoch ms), or a span (ms) that counts from the creation and says nothing about what exists. */
export type DeclaredEnd = { readonly at: number } | { readonly within: number };

interface Common {
  readonly name: string;
  /** Place in the documents, for messages. */
  readonly index: number;
}

/** Key: identifier. */
export interface DeclaredResourceServer extends Common {
  readonly kind: 'ResourceServer';
  readonly identifier: string;
  readonly title: string;
  readonly scopes: readonly ScopeDefinition[];
  readonly token: TokenSettings;
  readonly senderConstraint: ResourceServerRecord['senderConstraint'];
}

/** Key: issuer. */
export interface DeclaredTrustedIssuer extends Common {
  readonly kind: 'TrustedIssuer';
  readonly issuer: string;
  readonly title: string;
  readonly settings: Omit<NewTrustedIssuer, 'issuer' | 'name'>;
}

/** Key: handle. */
export interface DeclaredPerson extends Common {
  readonly kind: 'Person';
  readonly handle: string;
  readonly title: string;
  readonly email: string | undefined;
  readonly externalId: string | undefined;
  readonly status: PersonStatus;
  readonly managerHandle: string | undefined;
}

/** Key: name of the team. */
export interface DeclaredTeam extends Common {
  readonly kind: 'Team';
  readonly team: string;
  readonly members: readonly string[];
  readonly lead: string | undefined;
  readonly channel: string | undefined;
}

/** Key: client_id. */
export interface DeclaredIdentity extends Common {
  readonly kind: 'Identity';
  readonly clientId: string;
  readonly title: string;
  readonly identityKind: IdentityKind;
  readonly environment: Environment;
  readonly purpose: string;
  readonly owner: Owner;
  readonly sensitivity: number;
  readonly cadence: Cadence;
  /** At creation only: afterwards states change by their own verbs. */
  readonly state: 'draft' | 'active' | 'suspended';
  readonly end: DeclaredEnd;
}

/** Key: identity and label; the label is the name. */
export interface DeclaredCredential extends Common {
  readonly kind: 'Credential';
  readonly identity: string;
  readonly proof: DeclaredProof;
  /** Undefined: as late as is allowed. */
  readonly end: DeclaredEnd | undefined;
}

/** Key: identity and resource server. */
export interface DeclaredAccess extends Common {
  readonly kind: 'Access';
  readonly identity: string;
  readonly resourceServer: string;
  readonly scopes: readonly string[];
  readonly justification: string;
  readonly tokenLifetime: number | undefined;
  readonly conditions: AccessConditions | undefined;
  readonly end: DeclaredEnd;
}

/** Key: name. */
export interface DeclaredApprovalRule extends Common {
  readonly kind: 'ApprovalRule';
  readonly rule: Omit<NewApprovalRule, 'name'>;
}

/** Key: name. */
export interface DeclaredPolicy extends Common {
  readonly kind: 'Policy';
  readonly policy: Omit<NewPolicy, 'name'>;
}

/** Key: policy and identity. */
export interface DeclaredPolicyException extends Common {
  readonly kind: 'PolicyException';
  /** Id or name. */
  readonly policy: string;
  readonly identity: string;
  readonly reason: string;
  readonly end: DeclaredEnd;
}

/** Key: name. */
export interface DeclaredWebhook extends Common {
  readonly kind: 'Webhook';
  readonly webhook: Omit<NewWebhook, 'name'>;
}

/** Key: the trust domain. */
export interface DeclaredTrustDomain extends Common {
  readonly kind: 'TrustDomain';
  readonly trustDomain: NewTrustDomain;
}

/** Key: agent, identity and selectors, in whatever order. */
export interface DeclaredWorkload extends Common {
  readonly kind: 'Workload';
  readonly agent: string;
  readonly identity: string;
  readonly selectors: readonly string[];
  readonly hint: string | undefined;
  readonly end: DeclaredEnd;
}

const ORDER: { readonly [kind in Declared['kind']]: number } = {
  ResourceServer: 0,
  TrustedIssuer: 1,
  TrustDomain: 1,
  Person: 2,
  Team: 3,
  Identity: 4,
  Credential: 5,
  Access: 6,
  Workload: 6,
  // Last: what is declared with them is not held up by them, and not by the next application either.
  ApprovalRule: 7,
  Policy: 8,
  PolicyException: 9,
  // It is told of what comes after it, not of what it was declared with.
  Webhook: 10,
};

/** What is pointed at comes before what points at it. */
export function inOrder(objects: readonly Declared[]): readonly Declared[] {
  return objects.toSorted((left, right) => ORDER[left.kind] - ORDER[right.kind]);
}

export function endAt(end: DeclaredEnd, now: number): number {
  return 'at' in end ? end.at : now + end.within;
}

/** The end that a document fixes for what exists already; undefined when it fixes none. */
export function fixedEnd(end: DeclaredEnd | undefined): number | undefined {
  return end !== undefined && 'at' in end ? end.at : undefined;
}
