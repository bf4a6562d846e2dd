// What the deployment's policy says of a token that is about to be issued: RFC 6749 §3.3, §5.1 leave scope and lifetime to it.
import type { ConfirmationMember } from '@countersign/protocol';
import { type Decision, evaluate } from '../../policy/evaluate.ts';
import type { IssuanceFacts, Rule } from '../../policy/rule.ts';
import type { EffectiveAccess } from '../../registry/effective-access.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';

export interface PolicyDeps {
  readonly rules: readonly Rule[];
  /** Types of credentials that get no token, by environment. */
  readonly refusedMethods: ReadonlyMap<string, ReadonlySet<string>>;
  readonly lifetimes: { readonly default: number; readonly maximum: number };
  /** Undefined: the deployment has none. */
  readonly lifetimeLimits?: IssuanceFacts['lifetimeLimits'];
  /** Undefined: the age of a credential is not enforced. */
  readonly enforcedAge?: IssuanceFacts['maximumAge'];
}

/** What is known of how a token is asked for. */
export interface AskedHow {
  /** Address of the caller, as far as the server trusts it; undefined: somebody else asks in its place. */
  readonly source: string | undefined;
  readonly confirmation: ConfirmationMember | undefined;
  /** The token will be bound to a key that it brings along (RFC 9202 §3.3). */
  readonly pop?: boolean;
}

/**
 * For how many seconds a token may live that is issued to this client for this access at `now` (epoch ms).
 * @throws Refusal where policy wants none issued
 */
export function requirePolicy(
  deps: PolicyDeps,
  client: AuthenticatedClient,
  held: EffectiveAccess,
  how: AskedHow,
  now: number,
): number {
  const decision = judge(
    deps,
    {
      identity: client.facts.identity,
      credential: client.credential,
      method: client.method,
      declared: client.facts.declared,
    },
    held,
    how,
    now,
  );
  if (!decision.ok) throw new Refusal(decision.reason, undefined, decision.evidence);
  return decision.lifetime;
}

/** Of a client, what rules look at. */
export interface PolicyClient {
  readonly identity: AuthenticatedClient['facts']['identity'];
  readonly credential: AuthenticatedClient['credential'];
  readonly method: string;
  /** What enforced policies say of it. */
  readonly declared: IssuanceFacts['declared'];
}

/** What the rules say, whoever asks. */
export function judge(
  deps: PolicyDeps,
  client: PolicyClient,
  held: Pick<EffectiveAccess, 'access' | 'resourceServer' | 'scopes'>,
  how: AskedHow,
  now: number,
): Decision {
  return evaluate(deps.rules, {
    now,
    environment: client.identity.environment,
    method: client.method,
    credentialType: client.credential.material.type,
    credentialId: client.credential.id,
    accessId: held.access.id,
    refusedMethods: deps.refusedMethods,
    identityExpiresAt: client.identity.expiresAt,
    credentialExpiresAt: client.credential.expiresAt,
    credentialCreatedAt: client.credential.createdAt,
    accessExpiresAt: held.access.expiresAt,
    defaultLifetime: deps.lifetimes.default,
    maximumLifetime: deps.lifetimes.maximum,
    resourceServerLifetime: held.resourceServer.token.lifetime,
    accessLifetime: held.access.tokenLifetime,
    conditions: held.access.conditions,
    source: how.source,
    boundTo: boundTo(how),
    scopes: held.scopes,
    definedScopes: held.resourceServer.scopes,
    lifetimeLimits: deps.lifetimeLimits,
    maximumAge: deps.enforcedAge,
    declared: client.declared,
  });
}

/** The kind of proof that the token will be bound to. */
function boundTo({ confirmation, pop }: AskedHow): IssuanceFacts['boundTo'] {
  if (confirmation === undefined) return pop === true ? 'pop' : undefined;
  return 'jkt' in confirmation ? 'dpop' : 'mtls';
}
