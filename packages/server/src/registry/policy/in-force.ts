import type { DeclaredPolicy, Exempt } from '../../policy/declared/judge.ts';
import type { HeldElsewhere } from '../../policy/declared/policy-rule.ts';
import { type StandingVerdict, standingVerdict } from '../../policy/declared/standing-verdict.ts';
import type { SeparationOfDuties } from '../../policy/declared/separation-of-duties.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { PolicyExceptionRecord } from '../../storage/policy-exceptions.ts';
import type { Stores } from '../../storage/storage.ts';
import type { IdentityFacts } from '../facts.ts';
import { policyFactsOf } from './facts.ts';

/** Until when each policy does not count for an identity. */
export function exemptOf(exceptions: readonly PolicyExceptionRecord[]): Exempt {
  return new Map(exceptions.map(({ policyId, expiresAt }) => [policyId, expiresAt]));
}

/**
 * What enforced policies say of the tokens of an identity, for its facts to be kept with. Undefined: nothing. What is part
 * of the authority itself is reported and never refused: somebody must be able to take a policy back.
 */
export async function verdictFor(
  stores: Pick<Stores, 'policyExceptions'>,
  policies: readonly DeclaredPolicy[],
  facts: IdentityFacts,
): Promise<StandingVerdict | undefined> {
  if (policies.length === 0 || facts.identity.builtIn) return undefined;
  const known = policyFactsOf(facts);
  if (standingVerdict(policies, known, NOBODY) === undefined) return undefined;
  const exceptions = await stores.policyExceptions.ofIdentity(facts.identity.id);
  return standingVerdict(policies, known, exemptOf(exceptions));
}

const NOBODY: Exempt = new Map();

/** Scopes that somebody else of the same owner may not hold beside; empty: nobody looks. */
export function dutiesElsewhere(policies: readonly DeclaredPolicy[]): ReadonlySet<string> {
  const scopes = new Set<string>();
  for (const { rule, mode, parameters } of policies) {
    if (rule !== 'separation_of_duties' || mode === 'off' || parameters['across'] !== 'owner') continue;
    for (const { one, other } of (parameters as unknown as SeparationOfDuties).pairs) {
      scopes.add(one.scope).add(other.scope);
    }
  }
  return scopes;
}

interface HeldBySome extends HeldElsewhere {
  readonly identityId: string;
}

/** Which of these scopes the identities of one owner hold, each by itself. */
export async function heldByOwner(
  stores: Pick<Stores, 'identities' | 'access' | 'resourceServers'>,
  person: string,
  duties: ReadonlySet<string>,
): Promise<readonly HeldBySome[]> {
  const held: HeldBySome[] = [];
  let after: Position | undefined;
  do {
    const page = await stores.identities.list({ ownerPerson: person }, { limit: 200, after });
    for (const { id, clientId } of page.items) {
      for (const { resourceServerId, scopes } of await stores.access.activeOfIdentity(id)) {
        const concerned = scopes.filter((scope) => duties.has(scope));
        if (concerned.length === 0) continue;
        const server = await stores.resourceServers.byId(resourceServerId);
        if (server?.state !== 'active') continue;
        held.push({ identityId: id, clientId, resourceServer: server.identifier, scopes: concerned });
      }
    }
    after = page.next;
  } while (after !== undefined);
  return held;
}

/** What others of the owner of this one hold. */
export function withoutOwn(
  held: Awaited<ReturnType<typeof heldByOwner>>,
  { id }: Pick<IdentityRecord, 'id'>,
): readonly HeldElsewhere[] {
  return held.filter(({ identityId }) => identityId !== id);
}
