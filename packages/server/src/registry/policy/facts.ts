import type { AccessHeld, HeldElsewhere, PolicyFacts } from '../../policy/declared/policy-rule.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { AccessFacts, IdentityFacts } from '../facts.ts';
import { type IdentityUse, usualPause } from '../inactivity.ts';
import { NOTED_EVERY_MS } from '../use/credential-uses.ts';

/** What is known beside the records of the identity itself. */
export interface Around {
  readonly elsewhere?: readonly HeldElsewhere[] | undefined;
  readonly use?: IdentityUse | undefined;
  /** What is over at this instant (epoch ms) is left out; undefined: nothing is. */
  readonly now?: number | undefined;
}

/** What policies may know of an identity. */
export function policyFactsOf(facts: IdentityFacts, around: Around = {}): PolicyFacts {
  const { identity } = facts;
  const lasts = ({ expiresAt }: { readonly expiresAt: number }): boolean =>
    around.now === undefined || expiresAt > around.now;
  return {
    identity: {
      id: identity.id,
      clientId: identity.clientId,
      kind: identity.kind,
      environment: identity.environment,
      sensitivity: identity.sensitivity,
      person: identity.owner.person,
      backup: identity.owner.backup,
      team: identity.owner.team,
      pauseMs: usualPause(identity.cadence),
    },
    credentials: facts.credentials
      .filter((each) => each.state === 'active' && lasts(each))
      .map(({ id, material, createdAt, expiresAt }) => ({ id, type: material.type, createdAt, expiresAt })),
    access: facts.access.filter(({ access }) => lasts(access)).map(heldOf),
    elsewhere: around.elsewhere,
    quietSince: around.use === undefined ? undefined : quietSince(identity, around.use),
  };
}

function heldOf({ access, resourceServer }: AccessFacts): AccessHeld {
  const { conditions } = access;
  return {
    id: access.id,
    resourceServer: resourceServer.identifier,
    scopes: scopesOf(access, resourceServer),
    tokenLifetime: access.tokenLifetime,
    networks: conditions?.networks,
    binding: conditions?.binding ?? askedByApi(resourceServer),
    decidedAt: access.approvedAt ?? access.createdAt,
    expiresAt: access.expiresAt,
  };
}

/** What the API does not define any more is not held. */
function scopesOf({ scopes }: AccessRecord, resourceServer: ResourceServerRecord): AccessHeld['scopes'] {
  return resourceServer.scopes
    .filter(({ name }) => scopes.includes(name))
    .map(({ name, sensitivity }) => ({ name, sensitivity }));
}

function askedByApi({ senderConstraint }: ResourceServerRecord): 'dpop' | 'mtls' | undefined {
  return senderConstraint === 'none' ? undefined : senderConstraint;
}

/** As inactivity.ts judges: unused is only what was watched all the time. */
function quietSince(identity: IdentityRecord, use: IdentityUse): number | undefined {
  if (use.watchedSince === undefined || identity.state !== 'active') return undefined;
  const lastUsed = use.lastUsedAt === undefined ? 0 : use.lastUsedAt + NOTED_EVERY_MS;
  return Math.max(lastUsed, identity.createdAt, identity.stateSince, use.watchedSince);
}
