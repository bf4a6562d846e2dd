import type { AccessFacts, IdentityFacts } from '../facts.ts';
import { activityOf, type IdentityUse, inactivityWindow } from '../inactivity.ts';
import type { AccessUse } from '../use/read-use.ts';
import { daysIn } from '../use/day-map.ts';
import { ENOUGH } from '../use/answer.ts';
import { NOTED_EVERY_MS } from '../use/credential-uses.ts';
import type { CredentialUsageView } from '../use/credential-use.ts';
import { betterMethod } from '../better-method.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { BasisScope, ProposalBasis, ProposalKind, ProposedChange } from '../../storage/proposals.ts';

/** What one identity has, and what is known of its use over its window. */
export interface SizeFacts {
  readonly facts: IdentityFacts;
  /** By id of the access. */
  readonly uses: ReadonlyMap<string, AccessUse>;
  /** By id of the access: since when (epoch ms) it has held each scope without a break, where it was looked up. */
  readonly heldSince: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** By id of the credential, where it was looked up. */
  readonly credentialUses: ReadonlyMap<string, CredentialUsageView>;
  readonly identityUse: IdentityUse;
  /** Seconds that tokens live where nothing else is said. */
  readonly tokenLifetime: number;
}

/** What follows for one thing that the identity has. `needed` and `unknown` say why nothing is proposed. */
export interface Verdict {
  readonly subject: 'access' | 'credential' | 'identity';
  readonly subjectId: string;
  /** Identifier. */
  readonly resource: string | undefined;
  readonly answer: 'propose' | 'needed' | 'unknown';
  readonly kind: ProposalKind | undefined;
  readonly reason: string;
  readonly change: ProposedChange;
  readonly basis: ProposalBasis | undefined;
}

const DAY_MS = 86_400_000;

/** Pure. The built-in identity is there to do everything: nothing is said of it. */
export function verdictsOf(known: SizeFacts, now: number): readonly Verdict[] {
  const { identity, credentials, access } = known.facts;
  if (identity.builtIn) return [];
  const window = inactivityWindow(identity.cadence);
  if (window === undefined) {
    return access.map((each) =>
      unknown(each, `its cadence is ${identity.cadence}: it may be quiet for as long as it likes`),
    );
  }
  const from = now - window;
  const whole = identityVerdict(known, from, now);
  // What goes as a whole is not made smaller first.
  if (whole.answer === 'propose') return [whole];
  return [
    whole,
    ...access.map((each) => accessVerdict(known, each, from, now)),
    ...weakerOnes(credentials, now).map((each) => credentialVerdict(known, each, from, now)),
  ];
}

/** The identity as a whole: `retire` when it was not used, or was suspended for that and nobody has missed it. */
function identityVerdict({ facts, identityUse, uses }: SizeFacts, from: number, now: number): Verdict {
  const { identity } = facts;
  const { lastUsedAt, watchedSince } = identityUse;
  const seenBy = facts.access.map(({ access, resourceServer }) => ({
    resourceServer: resourceServer.identifier,
    coverage: rounded(uses.get(access.id)?.coverage ?? 0),
  }));
  const basis: ProposalBasis = {
    window: { from, to: now },
    cadence: identity.cadence,
    lastUsedAt,
    ok: sum([...uses.values()].flatMap(({ scopes }) => scopes.map(({ ok }) => ok))),
    denied: sum([...uses.values()].flatMap(({ scopes }) => scopes.map(({ denied }) => denied))),
    scopes: [],
    seenBy: [{ resourceServer: undefined, coverage: 1 }, ...seenBy],
  };
  const about = { subject: 'identity' as const, subjectId: identity.id, resource: undefined, change: {} };
  const activity = activityAsSuspended(identity, identityUse, now);
  if (activity === 'unused') {
    const reason = `was not used for ${daysOf(from, now)} days (${lastOf(lastUsedAt)}): its end can begin`;
    return { ...about, answer: 'propose', kind: 'retire', reason, basis };
  }
  const answer = activity === 'used' ? ('needed' as const) : ('unknown' as const);
  return {
    ...about,
    answer,
    kind: undefined,
    reason: whyNotIdle(identity, activity, watchedSince, from),
    basis,
  };
}

/** Who was suspended as inactive cannot be used since, and was not used in the whole window before the suspension. */
function activityAsSuspended(
  identity: IdentityRecord,
  use: IdentityUse,
  now: number,
): 'used' | 'unused' | 'unknown' {
  if (identity.state === 'active') return activityOf(identity, use, now);
  if (identity.state !== 'suspended' || identity.stateReason !== 'inactive') return 'unknown';
  return activityOf({ ...identity, stateSince: identity.createdAt }, use, now);
}

function whyNotIdle(
  { state, stateSince }: IdentityRecord,
  activity: 'used' | 'unknown',
  watchedSince: number | undefined,
  from: number,
): string {
  if (activity === 'used') return 'was used in its window';
  if (state !== 'active') return `is ${state}: what cannot be used is not unused`;
  if (stateSince > from)
    return `is at work since ${dayOf(stateSince)} only: it is judged a whole window later`;
  if (watchedSince === undefined || watchedSince > from)
    return 'the authority was not there over the whole window to see use';
  return 'has not been there for a whole window';
}

function accessVerdict(known: SizeFacts, each: AccessFacts, from: number, now: number): Verdict {
  const { identity } = known.facts;
  const use = known.uses.get(each.access.id);
  const begun = Math.max(identity.createdAt, identity.stateSince);
  if (identity.state !== 'active') return unknown(each, `its identity is ${identity.state}`);
  if (begun > from) return unknown(each, `its identity is at work since ${dayOf(begun)} only`);
  if (use === undefined) return unknown(each, 'its use was not looked up');
  if (use.window.from > from) {
    return unknown(
      each,
      `was given on ${dayOf(use.window.from)}: it is judged ${daysOf(from, now)} days later`,
    );
  }
  const scopes = use.scopes.map((scope) => judged(scope, known.heldSince.get(each.access.id), from));
  const basis = accessBasis(identity, each, use, scopes);
  const about = {
    subject: 'access' as const,
    subjectId: each.access.id,
    resource: each.resourceServer.identifier,
    basis,
  };
  const idle = scopes.filter(({ answer }) => answer === 'unused').map(({ scope }) => scope);
  const kept = scopes.filter(({ answer }) => answer !== 'unused').map(({ scope }) => scope);
  const days = daysOf(from, now);
  const told = `its API told of ${Math.floor(use.coverage * 100)} % of that time`;
  if (use.answer === 'unused' && kept.length === 0) {
    const reason = `was not used for ${days} days (${lastOf(use.lastOkAt)}), and ${told}`;
    return { ...about, answer: 'propose', kind: 'remove', reason, change: { keep: [], take: idle } };
  }
  if (idle.length > 0 && kept.length > 0) {
    const reason = `${idle.join(' ')} ${idle.length === 1 ? 'was' : 'were'} not used for ${days} days, and ${told}`;
    return { ...about, answer: 'propose', kind: 'narrow', reason, change: { keep: kept, take: idle } };
  }
  const shorter = shorterLife(each, use, known.tokenLifetime);
  if (shorter !== undefined) {
    const reason = `its tokens live ${shorter.from} seconds, and none was used when it was older than ${use.oldestAge ?? 0}`;
    return { ...about, answer: 'propose', kind: 'shorten', reason, change: { tokenLifetime: shorter } };
  }
  const nothing = { ...about, kind: undefined, change: {} };
  if (use.answer === 'used') {
    const reason =
      idle.length > 0
        ? 'is used by guards that ask for no scope'
        : 'was used in its window, with what it holds';
    return { ...nothing, answer: 'needed', reason };
  }
  return { ...nothing, answer: 'unknown', reason: whyUnknown(use, kept) };
}

/** From this share of their life on tokens are used as long as they live: clients keep them, and renew a little early. */
const NEEDED_SHARE = 0.25;
/** Nobody gains from less. */
const SHORTEST_SECONDS = 60;

/** Twice what was ever needed, in whole minutes, where tokens live far longer than that and all of the window was seen. */
function shorterLife(
  { access, resourceServer }: AccessFacts,
  { answer, coverage, oldestAge }: AccessUse,
  usual: number,
): { readonly from: number; readonly to: number } | undefined {
  const from = Math.min(access.tokenLifetime ?? Infinity, resourceServer.token.lifetime ?? usual);
  if (answer !== 'used' || coverage < ENOUGH || oldestAge === undefined) return undefined;
  const to = Math.max(SHORTEST_SECONDS, Math.ceil((2 * oldestAge) / 60) * 60);
  return oldestAge < from * NEEDED_SHARE && to <= from / 2 ? { from, to } : undefined;
}

/** A scope that came later was not there to be used over the whole window. */
function judged(
  { scope, answer, ok, denied, lastOkAt, days }: AccessUse['scopes'][number],
  since: ReadonlyMap<string, number> | undefined,
  from: number,
): BasisScope {
  const younger = (since?.get(scope) ?? 0) > from;
  return {
    scope,
    answer: answer === 'unused' && younger ? 'unknown' : answer,
    ok,
    denied,
    lastUsedAt: lastOkAt,
    days: daysIn(days).length,
  };
}

function whyUnknown(use: AccessUse, open: readonly string[]): string {
  if (use.coverage < ENOUGH) {
    return `its API told of ${Math.floor(use.coverage * 100)} % of the window only: what it did not see is not unused`;
  }
  return `whether ${open.join(' ')} is used cannot be said yet: it is too young, its API fell silent, or no API sees it`;
}

function accessBasis(
  identity: IdentityRecord,
  { resourceServer }: AccessFacts,
  use: AccessUse,
  scopes: readonly BasisScope[],
): ProposalBasis {
  return {
    window: use.window,
    cadence: identity.cadence,
    lastUsedAt: use.lastOkAt,
    ok: sum(scopes.map(({ ok }) => ok)),
    denied: sum(scopes.map(({ denied }) => denied)),
    scopes,
    seenBy: [{ resourceServer: resourceServer.identifier, coverage: rounded(use.coverage) }],
  };
}

/** Usable credentials of a method than which there is a better one. */
export function weakerOnes(
  credentials: readonly CredentialRecord[],
  now: number,
): readonly CredentialRecord[] {
  return usable(credentials, now).filter(({ material }) => betterMethod(material.type) !== undefined);
}

export function strongerOnes(
  credentials: readonly CredentialRecord[],
  now: number,
): readonly CredentialRecord[] {
  return usable(credentials, now).filter(({ material }) => betterMethod(material.type) === undefined);
}

function usable(credentials: readonly CredentialRecord[], now: number): readonly CredentialRecord[] {
  return credentials.filter(
    ({ state, notBeforeAt, expiresAt }) => state === 'active' && notBeforeAt <= now && expiresAt > now,
  );
}

/** `upgrade` once a stronger method is used in its place: that its client can do better is proved by then. */
function credentialVerdict(known: SizeFacts, weak: CredentialRecord, from: number, now: number): Verdict {
  const about = {
    subject: 'credential' as const,
    subjectId: weak.id,
    resource: undefined,
    kind: undefined,
    change: {},
    basis: undefined,
  };
  const { identity, credentials } = known.facts;
  const { type } = weak.material;
  const use = known.credentialUses.get(weak.id);
  const better = strongerOnes(credentials, now).find(
    ({ id }) => known.credentialUses.get(id)?.state === 'used',
  );
  if (better === undefined) {
    return { ...about, answer: 'needed', reason: `nothing stronger than its ${type} is used yet` };
  }
  if (use?.state === 'used') {
    return {
      ...about,
      answer: 'needed',
      reason: `its ${type} is still used beside its ${better.material.type}`,
    };
  }
  if (use?.state !== 'unused' || Math.max(weak.updatedAt, identity.stateSince) > from - NOTED_EVERY_MS) {
    return {
      ...about,
      answer: 'unknown',
      reason: `whether its ${type} is used cannot be said of the whole window`,
    };
  }
  const lastUsedAt = use.last_used === null ? undefined : Date.parse(use.last_used);
  const basis: ProposalBasis = {
    window: { from, to: now },
    cadence: identity.cadence,
    lastUsedAt,
    ok: 0,
    denied: 0,
    scopes: [],
    seenBy: [{ resourceServer: undefined, coverage: 1 }],
  };
  const reason = `its ${type} was not used for ${daysOf(from, now)} days (${lastOf(lastUsedAt)}): its ${better.material.type} took its place`;
  return { ...about, answer: 'propose', kind: 'upgrade', reason, change: { inFavourOf: better.id }, basis };
}

function unknown({ access, resourceServer }: AccessFacts, reason: string): Verdict {
  return {
    subject: 'access',
    subjectId: access.id,
    resource: resourceServer.identifier,
    answer: 'unknown',
    kind: undefined,
    reason,
    change: {},
    basis: undefined,
  };
}

function lastOf(at: number | undefined): string {
  return at === undefined ? 'never' : `last on ${dayOf(at)}`;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function daysOf(from: number, to: number): number {
  return Math.round((to - from) / DAY_MS);
}

/** Rounded down: what was not seen is not made up. */
function rounded(coverage: number): number {
  return Math.floor(coverage * 10_000) / 10_000;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
