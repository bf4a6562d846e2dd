import type { ResourceIndicator, ScopeToken } from '@countersign/protocol';
import type { AccessRecord } from '../storage/access.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord, IdentityState } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import { refusedNow } from './decommissioning.ts';
import type { AccessFacts, IdentityFacts } from './facts.ts';

/** What a client asks for. No resource: the only one it has access to. No scopes: all it holds there. */
export interface AccessAsked {
  readonly resource: ResourceIndicator | undefined;
  readonly scopes: readonly ScopeToken[] | undefined;
}

/** What one credential opens at most, where it opens less than its identity has. Undefined: no limit of that kind. */
export interface CredentialLimit {
  readonly resourceServerId?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
}

/** Only an API key has limits of its own, and not every one. */
export function limitOf({ material }: CredentialRecord): CredentialLimit | undefined {
  if (material.type !== 'api_key') return undefined;
  return material.resourceServerId === undefined && material.scopes === undefined ? undefined : material;
}

/** What it may have now, under exactly one access. */
export interface EffectiveAccess {
  readonly access: AccessRecord;
  readonly resourceServer: ResourceServerRecord;
  /** In the order asked, or in the access's order; never empty, never more than asked, held and defined. */
  readonly scopes: readonly string[];
}

/** Why an identity or its credential may not act at all now. */
export type StandingFault =
  | 'identity_not_active'
  | 'identity_suspended'
  | 'identity_decommissioned'
  | 'identity_brown_out'
  | 'identity_expired'
  | 'credential_not_yet_valid'
  | 'credential_expired'
  | 'credential_suspended'
  | 'credential_revoked';

/** Why it may not have what it asks for. */
export type AccessFault =
  | 'resource_missing'
  | 'resource_unknown'
  | 'access_missing'
  | 'access_expired'
  | 'scope_not_held';

export type EffectiveAccessResult =
  | ({ readonly ok: true } & EffectiveAccess)
  | { readonly ok: false; readonly fault: AccessFault };

const STATE_FAULT: {
  readonly [state in Exclude<IdentityState, 'decommissioning'>]: StandingFault | undefined;
} = {
  draft: 'identity_not_active',
  requested: 'identity_not_active',
  approved: 'identity_not_active',
  active: undefined,
  suspended: 'identity_suspended',
  decommissioned: 'identity_decommissioned',
  rejected: 'identity_not_active',
  lapsed: 'identity_not_active',
};

/** May this identity act with this credential at `now` (epoch ms)? Undefined when it may, else why not. */
export function standing(
  identity: IdentityRecord,
  credential: CredentialRecord,
  now: number,
): StandingFault | undefined {
  return identityFault(identity, now) ?? credentialFault(credential, now);
}

/** Why this identity may not act at `now` (epoch ms), by whatever credential. */
export function identityFault(identity: IdentityRecord, now: number): StandingFault | undefined {
  const state =
    identity.state === 'decommissioning' ? endingFault(identity, now) : STATE_FAULT[identity.state];
  if (state !== undefined) return state;
  return identity.expiresAt <= now ? 'identity_expired' : undefined;
}

/** What is being decommissioned works until its brown-outs and its stop, by the clock alone. */
function endingFault(identity: IdentityRecord, now: number): StandingFault | undefined {
  const refused = refusedNow(identity, now);
  if (refused === undefined) return undefined;
  return refused === 'stopped' ? 'identity_decommissioned' : 'identity_brown_out';
}

/** Why this credential authenticates nobody at `now` (epoch ms), whosever it is. */
export function credentialFault(credential: CredentialRecord, now: number): StandingFault | undefined {
  if (credential.state === 'revoked') return 'credential_revoked';
  if (credential.state === 'suspended') return 'credential_suspended';
  if (credential.state === 'expired') return 'credential_expired';
  if (credential.notBeforeAt > now) return 'credential_not_yet_valid';
  if (credential.expiresAt <= now) return 'credential_expired';
  return undefined;
}

/**
 * The one answer to "what may it have, and why not": identity → access → resource server → scopes at `now` (epoch ms).
 * Scopes not held are dropped; none left is a refusal. The identity's own standing is `standing`'s business.
 */
export function effectiveAccess(
  facts: IdentityFacts,
  asked: AccessAsked,
  now: number,
  limit?: CredentialLimit,
): EffectiveAccessResult {
  const chosen =
    asked.resource === undefined ? onlyAccess(facts, now, limit) : accessTo(facts, asked.resource, limit);
  if (typeof chosen === 'string') return { ok: false, fault: chosen };
  const { access, resourceServer } = chosen;
  if (access.state !== 'active') return { ok: false, fault: 'access_missing' };
  if (access.expiresAt <= now) return { ok: false, fault: 'access_expired' };
  const scopes = heldScopes(access, resourceServer, asked.scopes, limit);
  if (scopes.length === 0) return { ok: false, fault: 'scope_not_held' };
  return { ok: true, access, resourceServer, scopes };
}

/** RFC 8707 §2: without `resource` the authority may take a default; ours is the only live access, if there is one. */
function onlyAccess(
  facts: IdentityFacts,
  now: number,
  limit: CredentialLimit | undefined,
): AccessFacts | AccessFault {
  let only: AccessFacts | undefined;
  for (const candidate of facts.access) {
    if (candidate.access.expiresAt <= now || candidate.resourceServer.state !== 'active') continue;
    if (!opens(limit, candidate)) continue;
    if (only !== undefined) return 'resource_missing';
    only = candidate;
  }
  return only ?? 'resource_missing';
}

function accessTo(
  facts: IdentityFacts,
  resource: ResourceIndicator,
  limit: CredentialLimit | undefined,
): AccessFacts | AccessFault {
  for (const candidate of facts.access) {
    if (candidate.resourceServer.identifier === resource && candidate.resourceServer.state === 'active') {
      return opens(limit, candidate) ? candidate : 'resource_unknown';
    }
  }
  return 'resource_unknown';
}

function opens(limit: CredentialLimit | undefined, { resourceServer }: AccessFacts): boolean {
  return limit?.resourceServerId === undefined || limit.resourceServerId === resourceServer.id;
}

function heldScopes(
  access: AccessRecord,
  resourceServer: ResourceServerRecord,
  asked: readonly ScopeToken[] | undefined,
  limit: CredentialLimit | undefined,
): readonly string[] {
  const wanted: readonly string[] = asked ?? access.scopes;
  return wanted.filter(
    (scope) =>
      access.scopes.includes(scope) &&
      (limit?.scopes === undefined || limit.scopes.includes(scope)) &&
      resourceServer.scopes.some((defined) => defined.name === scope),
  );
}
