import { setImmediate as turn } from 'node:timers/promises';
import type { Actor, Changes } from '../../audit/change.ts';
import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import { readFactsOf } from '../../registry/facts-cache.ts';
import { openFinding, resolveFinding, seeFinding } from '../../registry/finding.ts';
import type { IssuancePace } from '../../registry/issuance-pace.ts';
import { ownerFactsOf } from '../../registry/owner/owner-facts.ts';
import { type ProgressDeps, readProgress } from '../../registry/rotation/retire.ts';
import { beginPolicyRound, lookByPolicies, type PolicyRound } from '../../registry/policy/look.ts';
import { toldOfUse } from '../../registry/use/told-of-use.ts';
import { StorageError } from '../../storage/errors.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { ReviewItemRecord } from '../../storage/review-items.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { Circumstances, Detector, RotationSeen } from '../findings/detector.ts';
import { activityOf } from '../../registry/inactivity.ts';
import { watchedSince } from '../../registry/use/watch.ts';
import { credentialMadeWhileNarrowed } from '../findings/credential-made-while-narrowed.ts';
import { inactiveIdentity } from '../findings/inactive-identity.ts';
import { longSuspended } from '../findings/long-suspended.ts';
import { oldCredential } from '../findings/old-credential.ts';
import { stepsFor } from '../findings/reconcile.ts';
import { keySharersOf } from '../findings/key-sharers.ts';
import { noBackup } from '../findings/no-backup.ts';
import { orphaned } from '../findings/orphaned.ts';
import { policyBreach } from '../findings/policy-breach.ts';
import { policyExceptionEnding } from '../findings/policy-exception-ending.ts';
import { overPrivileged } from '../findings/over-privileged.ts';
import { removalStillUsed } from '../findings/removal-still-used.ts';
import { reducedButNeeded } from '../findings/reduced-but-needed.ts';
import { ownerLeaving } from '../findings/owner-leaving.ts';
import { ownerLost } from '../findings/owner-lost.ts';
import { ownerUnknown } from '../findings/owner-unknown.ts';
import { rotationStalled } from '../findings/rotation-stalled.ts';
import { sharedKey } from '../findings/shared-key.ts';
import { scopeMeaningChanged } from '../findings/scope-meaning-changed.ts';
import { teamEmptied } from '../findings/team-emptied.ts';
import { uncachedClient } from '../findings/uncached-client.ts';
import { unregisteredCaller } from '../findings/unregistered-caller.ts';
import { weakMethod } from '../findings/weak-method.ts';
import { webhookDisabled } from '../findings/webhook-disabled.ts';
import { wideAccess } from '../findings/wide-access.ts';
import type { Job } from './job.ts';

export interface LookForFindingsDeps extends RuleDeps, ProgressDeps {
  readonly storage: Pick<
    Storage,
    | 'identities'
    | 'credentials'
    | 'access'
    | 'resourceServers'
    | 'findings'
    | 'proposals'
    | 'scopeRoutes'
    | 'unregisteredCallers'
    | 'people'
    | 'teams'
    | 'ownershipClocks'
    | 'ownershipOffers'
    | 'credentialUse'
    | 'credentialInstances'
    | 'policies'
    | 'policyExceptions'
    | 'settings'
    | 'webhooks'
    | 'reviewItems'
    | 'onChange'
  >;
  readonly changes: Changes;
  readonly maximumAge: Circumstances['maximumAge'];
  readonly pace: Pick<IssuancePace, 'take'>;
  readonly inactivity: 'suspend' | 'report';
  readonly suspendedForMs: number;
}

/** What is the same for all identities of one run. */
type Round = Omit<
  Circumstances,
  'keySharers' | 'inactivity' | 'owners' | 'adminHistory' | 'policies' | 'proposals' | 'rotations'
> & {
  readonly lifetimes: ProgressDeps['lifetimes'];
  readonly mode: 'suspend' | 'report';
  readonly watched: number | undefined;
  readonly policyRound: PolicyRound | undefined;
  /** Somebody has entered people. */
  readonly directory: boolean;
};

const EVERY_MS = 5000;
const ROUND_MS = 3_600_000;
const ACTOR: Actor = { identity: 'countersign' };
/** To add one: its file, its line here, its page in docs/parts. */
const DETECTORS: readonly Detector[] = [
  weakMethod,
  oldCredential,
  rotationStalled,
  wideAccess,
  uncachedClient,
  sharedKey,
  credentialMadeWhileNarrowed,
  scopeMeaningChanged,
  unregisteredCaller,
  inactiveIdentity,
  longSuspended,
  orphaned,
  ownerLeaving,
  ownerUnknown,
  ownerLost,
  noBackup,
  teamEmptied,
  policyBreach,
  policyExceptionEnding,
  webhookDisabled,
  overPrivileged,
  reducedButNeeded,
  removalStillUsed,
];

/**
 * Brings findings to what is seen: opened, changed, resolved. Every hour those of every identity, in between those of
 * identities that changed. The first run looks at nobody: no start waits for it.
 */
export function lookForFindingsJob(deps: LookForFindingsDeps): Job {
  const changed = new Changed(deps.storage);
  let roundAt: number | undefined;
  return {
    name: 'look-for-findings',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock.now();
      if (roundAt === undefined) {
        roundAt = now;
        return;
      }
      const { maximumAge, suspendedForMs, lifetimes, inactivity: mode } = deps;
      const same = async () => ({
        now,
        maximumAge,
        suspendedForMs,
        lifetimes,
        mode,
        watched: await watchedSince(deps.storage.settings),
        policyRound: await beginPolicyRound(deps.storage),
        directory: await hasDirectory(deps.storage),
        silentWebhooks: await silentWebhooks(deps.storage),
        failedRemovals: await failedRemovals(deps.storage),
        ...(await toldOfUse(deps.storage, now)),
      });
      if (now < roundAt && !changed.overflown) {
        // What was counted since the last round is counted on; here it is not known yet.
        const ids = changed.take();
        if (ids.size === 0) return;
        await lookAtThose(deps, ids, { paces: new Map(), ...(await same()) }, signal);
        return;
      }
      roundAt = now + ROUND_MS;
      changed.take();
      await lookAtEveryone(deps, { paces: deps.pace.take(now), ...(await same()) }, signal);
    },
  };
}

/** Removals that one round tells of at most. */
const MOST_FAILED = 1000;

async function failedRemovals({
  reviewItems,
}: Pick<Stores, 'reviewItems'>): Promise<Round['failedRemovals']> {
  const found = new Map<string, ReviewItemRecord[]>();
  for (const item of await reviewItems.failed(MOST_FAILED)) {
    found.set(item.identityId, [...(found.get(item.identityId) ?? []), item]);
  }
  return found;
}

async function silentWebhooks({ webhooks }: Pick<Stores, 'webhooks'>): Promise<Round['silentWebhooks']> {
  const live = await webhooks.live();
  return live.filter(({ state, disabledReason }) => state === 'disabled' && disabledReason !== undefined);
}

async function hasDirectory(stores: Pick<Stores, 'people'>): Promise<boolean> {
  return (await stores.people.list({}, { limit: 1 })).items.length > 0;
}

/** Ids of identities that changed since they were taken, on whatever node; bounded, as in an import of everything. */
class Changed {
  static readonly MOST = 10_000;
  #ids = new Set<string>();
  #policies = false;

  constructor(storage: Pick<Storage, 'onChange'>) {
    storage.onChange((change) => {
      // Whom a policy is about is not known before everybody was looked at.
      if (change.kind === 'policies') this.#policies = true;
      if (change.kind === 'identity' && this.#ids.size < Changed.MOST) this.#ids.add(change.identityId);
    });
  }

  get overflown(): boolean {
    return this.#policies || this.#ids.size >= Changed.MOST;
  }

  take(): ReadonlySet<string> {
    const taken = this.#ids;
    this.#policies = false;
    this.#ids = new Set();
    return taken;
  }
}

async function lookAtEveryone(deps: LookForFindingsDeps, round: Round, signal: AbortSignal): Promise<void> {
  let after: Position | undefined;
  do {
    const page = await deps.storage.identities.list({}, { limit: 200, after });
    for (const identity of page.items) {
      if (signal.aborted) return;
      await lookAt(deps, identity, round);
      // Tokens are issued meanwhile.
      await turn();
    }
    after = page.next;
  } while (after !== undefined);
}

async function lookAtThose(
  deps: LookForFindingsDeps,
  changed: ReadonlySet<string>,
  round: Round,
  signal: AbortSignal,
): Promise<void> {
  const ids = new Set(changed);
  // Grows on the way: about whom it concerns too there may be news as well.
  for (const id of ids) {
    if (signal.aborted) return;
    const identity = await deps.storage.identities.byId(id);
    const concerned = identity === undefined ? [] : await lookAt(deps, identity, round);
    if (changed.has(id)) for (const other of concerned) ids.add(other);
    await turn();
  }
}

/**
 * What is to be done is looked at once more in its transaction, so that two nodes at once do nothing twice. Gives the ids of
 * identities that have something in common with this one.
 */
async function lookAt(
  deps: LookForFindingsDeps,
  identity: IdentityRecord,
  round: Round,
): Promise<Iterable<string>> {
  const { steps, concerned } = await stepsOf(deps.storage, identity, round);
  if (steps.length === 0) return concerned;
  try {
    await deps.changes.run(ACTOR, async (stores, tell) => {
      const current = await stores.identities.byId(identity.id);
      if (current !== undefined) await carryOut(deps, stores, tell, current, round);
    });
  } catch (error) {
    // Another node was faster: what it did is what was to be done.
    if (!(error instanceof StorageError) || error.fault === 'unavailable') throw error;
  }
  return concerned;
}

async function carryOut(
  deps: LookForFindingsDeps,
  stores: Stores,
  tell: Tell,
  identity: IdentityRecord,
  round: Round,
): Promise<void> {
  const { clientId } = identity;
  const { steps } = await stepsOf(stores, identity, round);
  for (const step of steps) {
    if (step.kind === 'open') await openFinding(deps, stores, tell, step.of, identity, step.observed);
    else if (step.kind === 'see') await seeFinding(deps, stores, tell, step.record, clientId, step.observed);
    else await resolveFinding(deps, stores, tell, step.record, clientId);
  }
}

async function stepsOf(
  stores: Pick<
    Stores,
    | 'identities'
    | 'credentials'
    | 'access'
    | 'resourceServers'
    | 'findings'
    | 'proposals'
    | 'people'
    | 'teams'
    | 'ownershipClocks'
    | 'ownershipOffers'
    | 'credentialUse'
    | 'credentialInstances'
    | 'settings'
    | 'policies'
    | 'policyExceptions'
  >,
  identity: IdentityRecord,
  round: Round,
): Promise<{ readonly steps: ReturnType<typeof stepsFor>; readonly concerned: Iterable<string> }> {
  const live = await stores.findings.liveOfIdentity(identity.id);
  const facts = await readFactsOf(stores, identity);
  const { clientIds: keySharers, neighbours } = await keySharersOf(stores, facts, round.now);
  const own = facts.access.find(({ resourceServer }) => resourceServer.builtIn);
  const adminHistory = own && (await stores.access.historyOf(identity.id, own.resourceServer.id));
  const inactivity = await inactivityOf(stores, identity, round);
  const owners = round.directory ? await ownerFactsOf(stores, identity) : undefined;
  const { policyRound, now, watched: watchedSince } = round;
  const policies = policyRound && (await lookByPolicies(stores, policyRound, facts, { now, watchedSince }));
  const proposals = await stores.proposals.liveOf([identity.id]);
  const rotations = await rotationsOf(stores, facts, round);
  const circumstances = {
    ...round,
    keySharers,
    adminHistory,
    inactivity,
    owners,
    policies,
    proposals,
    rotations,
  };
  return { steps: stepsFor(DETECTORS, facts, live, circumstances), concerned: neighbours };
}

/** Of the credentials that have a successor, which are few. */
async function rotationsOf(
  stores: Parameters<typeof readProgress>[1],
  { identity, credentials }: IdentityFacts,
  round: Round,
): Promise<NonNullable<Circumstances['rotations']>> {
  const found = new Map<string, RotationSeen>();
  for (const old of credentials) {
    if (old.successor === undefined || old.state !== 'active') continue;
    const progress = await readProgress(round, stores, identity, old, round.now);
    const successor = credentials.find(({ id }) => id === old.successor?.id);
    if (progress === undefined) continue;
    found.set(old.id, { progress, by: successor?.predecessor?.by ?? 'administration' });
  }
  return found;
}

/** Read for those only of whom it is not clear without: most are too young, or may be quiet. */
async function inactivityOf(
  { credentialUse }: Pick<Stores, 'credentialUse'>,
  identity: IdentityRecord,
  { mode, watched, now }: Round,
): Promise<Circumstances['inactivity']> {
  const never = { lastUsedAt: undefined, watchedSince: watched };
  if (identity.state !== 'active' || activityOf(identity, never, now) !== 'unused') return undefined;
  const lastUsedAt = (await credentialUse.ofIdentities([identity.id])).get(identity.id);
  return { mode, use: { lastUsedAt, watchedSince: watched } };
}
