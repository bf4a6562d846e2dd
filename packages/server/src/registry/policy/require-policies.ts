import { actsAt, type DeclaredPolicy, judge, type Judged, matches } from '../../policy/declared/judge.ts';
import { holdsAt, type PolicyFacts } from '../../policy/declared/policy-rule.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { AccessEnds } from '../access-ends.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { readFactsOf } from '../facts-cache.ts';
import type { IdentityFacts } from '../facts.ts';
import { RegistryRefusal } from '../refusal.ts';
import { policyFactsOf } from './facts.ts';
import { dutiesElsewhere, exemptOf, heldByOwner, withoutOwn } from './in-force.ts';

export type PolicyStores = Pick<
  Stores,
  'policies' | 'policyExceptions' | 'identities' | 'credentials' | 'access' | 'resourceServers'
>;

/** What a write makes of one record; `before` undefined: there was none, or it counted for nothing. */
export interface Written {
  readonly identity?: { readonly before: IdentityRecord | undefined };
  readonly credential?: {
    readonly before: CredentialRecord | undefined;
    readonly after: CredentialRecord;
  };
  readonly access?: {
    readonly before: AccessRecord | undefined;
    readonly after: AccessRecord;
    readonly resourceServer: AccessEnds['resourceServer'];
  };
}

/**
 * Holds what is about to be so against the policies, in the caller's transaction: throws `refused_by_policy` for what
 * would newly break one that is enforced, and tells of a warning for one that only warns. What was broken before may
 * stay as broken as it is: nobody has to put everything right at once. `identity` is as it is after the write.
 */
export async function requirePolicies(
  deps: Pick<RuleDeps, 'clock'>,
  stores: PolicyStores,
  tell: Tell,
  identity: IdentityRecord,
  written: Written,
): Promise<void> {
  const policies = await policiesAtWrite(stores);
  if (policies.length === 0) return;
  const now = deps.clock.now();
  const { before, after } = await factsAround(stores, policies, identity, written, now);
  const concerning = policies.filter(({ match }) => matches(match, after.identity));
  if (concerning.length === 0) return;
  const exempt = exemptOf(await stores.policyExceptions.ofIdentity(identity.id));
  const broken = before === undefined ? [] : judge(policies, before, exempt);
  const known = new Map(
    broken.filter(({ breach }) => holdsAt(breach, now)).map((each) => [keyOf(each), lastsTo(each)]),
  );
  const fresh = judge(concerning, after, exempt).filter(
    (judged) => holdsAt(judged.breach, now) && lastsTo(judged) > (known.get(keyOf(judged)) ?? -1),
  );
  const refusing = identity.builtIn ? undefined : fresh.find(({ policy }) => policy.mode === 'enforce');
  if (refusing !== undefined) throw refusedBy(refusing);
  for (const judged of fresh) tellOfWarning(tell, identity, judged);
}

/**
 * Nobody changes a policy from here to the end of the transaction. Where one is enforced, what is judged by it comes one
 * after the other: two writes that are each in order may not be so together.
 */
async function policiesAtWrite({ policies }: Pick<Stores, 'policies'>): Promise<readonly DeclaredPolicy[]> {
  const alone = (await policies.active()).some(refusesAtWrite);
  await policies.lock(alone ? 'alone' : 'shared');
  const current = await policies.active();
  if (!alone && current.some(refusesAtWrite)) await policies.lock('alone');
  return current.filter((each) => (each.mode === 'warn' || each.mode === 'enforce') && actsAt(each, 'write'));
}

function refusesAtWrite(policy: DeclaredPolicy): boolean {
  return policy.mode === 'enforce' && actsAt(policy, 'write');
}

interface Around {
  readonly before: PolicyFacts | undefined;
  readonly after: PolicyFacts;
}

/** The identity with the record in question as it was, and as it is to be, whatever state it waits in. */
async function factsAround(
  stores: PolicyStores,
  policies: readonly DeclaredPolicy[],
  identity: IdentityRecord,
  { identity: changed, credential, access }: Written,
  now: number,
): Promise<Around> {
  const found = await readFactsOf(stores, identity);
  const rest: IdentityFacts = {
    identity,
    credentials: found.credentials.filter(({ id }) => id !== credential?.after.id),
    access: found.access.filter((each) => each.access.id !== access?.after.id),
  };
  const duties = dutiesElsewhere(policies);
  const elsewhere =
    duties.size === 0
      ? undefined
      : withoutOwn(await heldByOwner(stores, identity.owner.person, duties), identity);
  const withRecords = (
    whose: IdentityRecord,
    proof: CredentialRecord | undefined,
    held: AccessRecord | undefined,
  ): PolicyFacts => {
    const server = access?.resourceServer;
    return policyFactsOf(
      {
        identity: whose,
        credentials: proof === undefined ? rest.credentials : [...rest.credentials, proof],
        access:
          held === undefined || server === undefined
            ? rest.access
            : [...rest.access, { access: held, resourceServer: server }],
      },
      { elsewhere, now },
    );
  };
  const isNew = changed !== undefined && changed.before === undefined;
  return {
    before: isNew ? undefined : withRecords(changed?.before ?? identity, credential?.before, access?.before),
    after: withRecords(identity, credential?.after, access?.after),
  };
}

function keyOf({ policy, breach }: Judged): string {
  return JSON.stringify([policy.id, breach.subjectId, breach.why]);
}

/** An end that is too late and is moved further is a worse breach. */
function lastsTo({ breach }: Judged): number {
  return breach.until ?? Infinity;
}

function refusedBy({ policy, breach }: Judged): RegistryRefusal {
  const detail = `the policy "${policy.name}" (${policy.rule}): the ${breach.subject} ${breach.why}`;
  return new RegistryRefusal('refused_by_policy', detail);
}

/** Of what the write was warned, as its answer shows it. */
export interface PolicyWarning {
  policy: string;
  rule: string;
  subject: { kind: string; id: string };
  why: string;
}

export const WARNED = 'policy_breach.warned';

function tellOfWarning(tell: Tell, identity: IdentityRecord, { policy, breach }: Judged): void {
  const warning: PolicyWarning = {
    policy: policy.name,
    rule: policy.rule,
    subject: { kind: breach.subject, id: breach.subjectId },
    why: breach.why,
  };
  tell({ type: WARNED, resource: breach.subjectId, after: { client_id: identity.clientId, ...warning } });
}
