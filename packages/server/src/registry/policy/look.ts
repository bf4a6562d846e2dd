import { actsAt, type DeclaredPolicy, judge, type Judged } from '../../policy/declared/judge.ts';
import { holdsAt } from '../../policy/declared/policy-rule.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { IdentityFacts } from '../facts.ts';
import { policyFactsOf } from './facts.ts';
import { dutiesElsewhere, exemptOf, heldByOwner, withoutOwn } from './in-force.ts';

type Reading = Pick<
  Stores,
  | 'policies'
  | 'policyExceptions'
  | 'identities'
  | 'credentials'
  | 'access'
  | 'resourceServers'
  | 'credentialUse'
>;

/** What one identity breaks now, as if it were excepted from nothing, and from what it is excepted until when. */
export interface PolicyLook {
  readonly broken: readonly Judged[];
  /** Epoch ms by id of the policy. */
  readonly excepted: ReadonlyMap<string, number>;
}

/** Policies as they were when a round began, and what was read for it once. */
export interface PolicyRound {
  readonly policies: readonly DeclaredPolicy[];
  readonly duties: ReadonlySet<string>;
  readonly byOwner: Map<string, Awaited<ReturnType<typeof heldByOwner>>>;
}

/** Owners whose identities are remembered in a round; the one read longest ago leaves first. */
const MOST_OWNERS = 1000;

/** Undefined: there is no policy to look by. */
export async function beginPolicyRound({
  policies,
}: Pick<Stores, 'policies'>): Promise<PolicyRound | undefined> {
  const found = (await policies.active()).filter((each) => each.mode !== 'off' && actsAt(each, 'round'));
  if (found.length === 0) return undefined;
  return { policies: found, duties: dutiesElsewhere(found), byOwner: new Map() };
}

export async function lookByPolicies(
  stores: Reading,
  round: PolicyRound,
  facts: IdentityFacts,
  { now, watchedSince }: { readonly now: number; readonly watchedSince: number | undefined },
): Promise<PolicyLook> {
  const { identity } = facts;
  const needsUse = round.policies.some(({ rule }) => rule === 'inactivity');
  const use = needsUse
    ? {
        lastUsedAt: (await stores.credentialUse.ofIdentities([identity.id])).get(identity.id),
        watchedSince,
      }
    : undefined;
  const known = policyFactsOf(facts, { elsewhere: await elsewhere(stores, round, identity), use, now });
  const broken = judge(round.policies, known).filter(({ breach }) => holdsAt(breach, now));
  const excepted =
    broken.length === 0 ? NOTHING : exemptOf(await stores.policyExceptions.ofIdentity(identity.id));
  return { broken, excepted };
}

const NOTHING: ReadonlyMap<string, number> = new Map();

async function elsewhere(
  stores: Reading,
  { duties, byOwner }: PolicyRound,
  identity: IdentityRecord,
): Promise<ReturnType<typeof withoutOwn> | undefined> {
  if (duties.size === 0) return undefined;
  const person = identity.owner.person.toLowerCase();
  let held = byOwner.get(person);
  if (held === undefined) {
    held = await heldByOwner(stores, person, duties);
    const [first] = byOwner.keys();
    if (byOwner.size >= MOST_OWNERS && first !== undefined) byOwner.delete(first);
    byOwner.set(person, held);
  }
  return withoutOwn(held, identity);
}
