import { setImmediate as turn } from 'node:timers/promises';
import type { BodyOf, ResponseOf } from '@countersign/admin-api';
import { type DeclaredPolicy, type Exempt, judge } from '../../policy/declared/judge.ts';
import { type Breach, holdsAt } from '../../policy/declared/policy-rule.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { readFactsOf } from '../../registry/facts-cache.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import { policyFactsOf } from '../../registry/policy/facts.ts';
import { dutiesElsewhere, heldByOwner, withoutOwn } from '../../registry/policy/in-force.ts';
import { NOTED_EVERY_MS } from '../../registry/use/credential-uses.ts';
import { watchedSince } from '../../registry/use/watch.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { Storage } from '../../storage/storage.ts';
import type { UsageRecord } from '../../storage/usage.ts';
import { readPosition, writePosition } from './cursor.ts';
import { required } from './find-record.ts';
import { findPolicy } from './policy-exceptions.ts';
import { spanOf } from './span.ts';

export interface WhatIfDeps extends Pick<RuleDeps, 'clock'> {
  readonly storage: Pick<
    Storage,
    | 'identities'
    | 'credentials'
    | 'access'
    | 'resourceServers'
    | 'policies'
    | 'policyExceptions'
    | 'usage'
    | 'credentialUse'
    | 'settings'
  >;
}

type Asked = Pick<BodyOf<'policies.what-if'>, 'within' | 'limit' | 'cursor' | 'exceptions_of'>;
type Answer = ResponseOf<'policies.what-if'>;
type Item = Answer['items'][number];
type Summary = NonNullable<Answer['summary']>;

const PAGE = 200;
const ACTING: ReadonlySet<IdentityRecord['state']> = new Set(['active', 'suspended']);

/** What is the same for every identity that is looked at. */
interface Look {
  readonly policy: DeclaredPolicy;
  /** Of the policy whose exceptions count; undefined: none do. */
  readonly exceptionsOf: string | undefined;
  readonly now: number;
  readonly since: number;
  readonly watched: number | undefined;
  readonly elsewhere: (
    identity: IdentityRecord,
  ) => ReturnType<typeof withoutOwn> | undefined | Promise<ReturnType<typeof withoutOwn> | undefined>;
}

/**
 * Whom a policy would refuse if it were enforced, by what is registered, and what of it was used. The first page counts the
 * whole estate; the next ones go on from where the page before ended. Reads only, identity by identity: tokens are
 * issued meanwhile.
 */
export async function whatIf(
  deps: WhatIfDeps,
  proposed: Pick<DeclaredPolicy, 'rule' | 'parameters' | 'match'>,
  asked: Asked,
): Promise<Answer> {
  const look = await lookWith(deps, proposed, asked);
  const first = asked.cursor === undefined;
  const counts = { identities: 0, refused: 0, inUse: 0, excepted: 0, calls: 0, refusedCalls: 0 };
  const items: Item[] = [];
  let last: Position | undefined;
  let more = false;
  let after = readPosition(asked.cursor);
  do {
    const page = await deps.storage.identities.list({}, { limit: PAGE, after });
    const acting = page.items.filter(({ state, expiresAt }) => ACTING.has(state) && expiresAt > look.now);
    const lastUses = await deps.storage.credentialUse.ofIdentities(acting.map(({ id }) => id));
    for (const identity of acting) {
      const seen = await lookAt(deps, look, identity, lastUses.get(identity.id));
      counts.identities++;
      counts.calls += seen.calls;
      if (seen.excepted) counts.excepted++;
      if (seen.breaches.length > 0) {
        counts.refused++;
        counts.refusedCalls += seen.refusedCalls;
        if (seen.item.in_use === 'yes') counts.inUse++;
        if (items.length < asked.limit) {
          items.push(seen.item);
          last = { createdAt: identity.createdAt, id: identity.id };
        } else more = true;
      }
      await turn();
      if (more && !first) break;
    }
    after = more && !first ? undefined : page.next;
  } while (after !== undefined);
  return {
    summary: first ? summaryOf(look, counts) : null,
    items,
    next_cursor: more ? writePosition(last) : null,
  };
}

interface Counts {
  readonly identities: number;
  readonly refused: number;
  readonly inUse: number;
  readonly excepted: number;
  readonly calls: number;
  readonly refusedCalls: number;
}

function summaryOf({ since, watched }: Look, counts: Counts): Summary {
  const { identities, refused, inUse, excepted, calls, refusedCalls } = counts;
  return {
    text: `would refuse ${refused} of ${identities} identities, ${inUse} of them in use`,
    identities,
    refused,
    refused_in_use: inUse,
    excepted,
    calls,
    refused_calls: refusedCalls,
    since: rfc3339(since),
    watched_since: watched === undefined ? null : rfc3339(watched),
  };
}

async function lookWith(
  { clock, storage }: WhatIfDeps,
  { rule, parameters, match }: Pick<DeclaredPolicy, 'rule' | 'parameters' | 'match'>,
  { within, exceptions_of: from }: Asked,
): Promise<Look> {
  const now = clock.now();
  const policy: DeclaredPolicy = {
    id: 'proposed',
    name: 'proposed',
    rule,
    parameters,
    mode: 'enforce',
    match,
  };
  const excepting = from === undefined ? undefined : required(await findPolicy(storage, from), 'policy');
  const duties = dutiesElsewhere([policy]);
  const byOwner = new Map<string, Awaited<ReturnType<typeof heldByOwner>>>();
  return {
    policy,
    exceptionsOf: excepting?.id,
    now,
    since: now - spanOf(within, 'within'),
    watched: await watchedSince(storage.settings),
    async elsewhere(identity) {
      if (duties.size === 0) return undefined;
      const person = identity.owner.person.toLowerCase();
      const held = byOwner.get(person) ?? (await heldByOwner(storage, person, duties));
      byOwner.set(person, held);
      return withoutOwn(held, identity);
    },
  };
}

interface Seen {
  readonly breaches: readonly Breach[];
  /** It breaks the policy, and is excepted from it. */
  readonly excepted: boolean;
  readonly calls: number;
  readonly refusedCalls: number;
  readonly item: Item;
}

async function lookAt(
  { storage }: WhatIfDeps,
  look: Look,
  identity: IdentityRecord,
  lastUsedAt: number | undefined,
): Promise<Seen> {
  const { now, since, watched } = look;
  const facts = await readFactsOf(storage, identity);
  const use = { lastUsedAt, watchedSince: watched };
  const known = policyFactsOf(facts, { elsewhere: await look.elsewhere(identity), use, now });
  const found = (exempt: Exempt): readonly Breach[] =>
    judge([look.policy], known, exempt)
      .map(({ breach }) => breach)
      .filter((breach) => holdsAt(breach, now));
  // What is part of the authority itself is never refused by a policy, whatever its mode.
  const broken = identity.builtIn ? [] : found(new Map());
  const breaches = broken.length === 0 ? broken : found(await exemptFor(storage, look, identity));
  const rows = await recentRows(storage, facts, since);
  const concerned = rows.filter((row) => breaches.some((breach) => concerns(breach, row)));
  return {
    breaches,
    excepted: breaches.length === 0 && broken.length > 0,
    calls: callsOf(rows),
    refusedCalls: callsOf(concerned),
    item: {
      identity: identity.id,
      client_id: identity.clientId,
      environment: identity.environment,
      owner: identity.owner.person,
      breaches: breaches.map(({ subject, subjectId, why }) => ({
        subject: { kind: subject, id: subjectId },
        why,
      })),
      last_used: lastUsedAt === undefined ? null : rfc3339(lastUsedAt),
      in_use: inUse(look, lastUsedAt),
      calls: callsOf(concerned),
    },
  };
}

async function exemptFor(
  { policyExceptions }: WhatIfDeps['storage'],
  { policy, exceptionsOf }: Look,
  { id }: IdentityRecord,
): Promise<Exempt> {
  if (exceptionsOf === undefined) return new Map();
  const mine = (await policyExceptions.ofIdentity(id)).find(({ policyId }) => policyId === exceptionsOf);
  return mine === undefined ? new Map() : new Map([[policy.id, mine.expiresAt]]);
}

/** What resource servers told of its use in the time that is looked at. */
async function recentRows(
  { usage }: WhatIfDeps['storage'],
  { access }: IdentityFacts,
  since: number,
): Promise<readonly UsageRecord[]> {
  if (access.length === 0) return [];
  const rows = await usage.ofAccess(access.map((each) => each.access.id));
  return rows.filter(({ lastOkAt }) => lastOkAt !== undefined && lastOkAt >= since);
}

function callsOf(rows: readonly UsageRecord[]): number {
  return rows.reduce((sum, { ok }) => sum + ok, 0);
}

function concerns({ subject, subjectId, scopes }: Breach, row: UsageRecord): boolean {
  if (subject === 'credential' && subjectId !== row.credentialId) return false;
  if (subject === 'access' && subjectId !== row.accessId) return false;
  return scopes === undefined || scopes.includes(row.scope);
}

function inUse({ since, watched }: Look, lastUsedAt: number | undefined): Item['in_use'] {
  // What is noted may be an hour old.
  if (lastUsedAt !== undefined && lastUsedAt >= since - NOTED_EVERY_MS) return 'yes';
  return watched !== undefined && watched <= since ? 'no' : 'unknown';
}
