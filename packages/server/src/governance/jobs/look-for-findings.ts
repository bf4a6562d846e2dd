import type { Changes } from '../../audit/change.ts';
import { endingAuthority } from '../../ca/outlook.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import type { CredentialPlaces } from '../../registry/use/credential-places.ts';
import type { IssuancePace } from '../../registry/issuance-pace.ts';
import { beginPolicyRound } from '../../registry/policy/look.ts';
import { toldOfUse } from '../../registry/use/told-of-use.ts';
import { watchedSince } from '../../registry/use/watch.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { ReviewItemRecord } from '../../storage/review-items.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { Circumstances, Detector } from '../findings/detector.ts';
import { credentialMadeWhileNarrowed } from '../findings/credential-made-while-narrowed.ts';
import { credentialSprawl } from '../findings/credential-sprawl.ts';
import { crossEnvironmentUse } from '../findings/cross-environment-use.ts';
import { identitySprawl } from '../findings/identity-sprawl.ts';
import { inactiveIdentity } from '../findings/inactive-identity.ts';
import { longSuspended } from '../findings/long-suspended.ts';
import { oldCredential } from '../findings/old-credential.ts';
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
import { reusedCredential } from '../findings/reused-credential.ts';
import { rotationStalled } from '../findings/rotation-stalled.ts';
import { sharedKey } from '../findings/shared-key.ts';
import { scopeMeaningChanged } from '../findings/scope-meaning-changed.ts';
import { teamEmptied } from '../findings/team-emptied.ts';
import { uncachedClient } from '../findings/uncached-client.ts';
import { unregisteredCaller } from '../findings/unregistered-caller.ts';
import { unusedCredential } from '../findings/unused-credential.ts';
import { weakMethod } from '../findings/weak-method.ts';
import { authorityEnding } from '../findings/authority-ending.ts';
import { webhookDisabled } from '../findings/webhook-disabled.ts';
import { wideAccess } from '../findings/wide-access.ts';
import type { Job } from './job.ts';
import { lookAt, type LookDeps, type LookingStores, type Round } from './look-at-identities.ts';
import { createPacer, type Pacer } from '../../telemetry/pacer.ts';

export interface LookForFindingsDeps extends RuleDeps {
  readonly storage: LookingStores &
    Pick<
      Storage,
      | 'scopeRoutes'
      | 'unregisteredCallers'
      | 'webhooks'
      | 'certificateAuthorities'
      | 'reviewItems'
      | 'onChange'
    >;
  readonly changes: Changes;
  readonly maximumAge: Circumstances['maximumAge'];
  readonly pace: Pick<IssuancePace, 'take'>;
  /** Absent: from where credentials are used is not known. */
  readonly places?: Pick<CredentialPlaces, 'take'>;
  readonly inactivity: 'suspend' | 'report';
  readonly suspendedForMs: number;
  /** Seconds that tokens live where nothing else is said. */
  readonly lifetimes: { readonly default: number; readonly maximum: number };
  /** Absent: by the clock on the wall. */
  readonly pacer?: Pacer;
}

const EVERY_MS = 5000;
const ROUND_MS = 3_600_000;
const PAGE = 100;
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
  authorityEnding,
  overPrivileged,
  reducedButNeeded,
  identitySprawl,
  credentialSprawl,
  unusedCredential,
  crossEnvironmentUse,
  reusedCredential,
  removalStillUsed,
];

/**
 * Brings findings to what is seen: opened, changed, resolved. Every hour those of every identity, in between those of
 * identities that changed. The first run looks at nobody: no start waits for it.
 */
export function lookForFindingsJob(given: LookForFindingsDeps): Job {
  const deps = { ...given, detectors: DETECTORS, pacer: given.pacer ?? createPacer() };
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
        endingAuthority: endingAuthority(await deps.storage.certificateAuthorities.live(), now),
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
      await lookAtEveryone(
        deps,
        { paces: deps.pace.take(now), places: deps.places?.take(), ...(await same()) },
        signal,
      );
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

async function lookAtEveryone(deps: LookDeps, round: Round, signal: AbortSignal): Promise<void> {
  let after: Position | undefined;
  do {
    const page = await deps.storage.identities.list({}, { limit: PAGE, after });
    await lookAt(deps, page.items, round, signal);
    after = page.next;
  } while (after !== undefined && !signal.aborted);
}

/** And at those who have something in common with them: about them there may be news as well. */
async function lookAtThose(
  deps: LookDeps,
  changed: ReadonlySet<string>,
  round: Round,
  signal: AbortSignal,
): Promise<void> {
  const concerned = new Set<string>();
  for (const identities of pagesOf(deps, changed)) {
    const found = await lookAt(deps, await identities, round, signal);
    for (const others of found.values()) for (const id of others) if (!changed.has(id)) concerned.add(id);
  }
  for (const identities of pagesOf(deps, concerned)) await lookAt(deps, await identities, round, signal);
}

/** Read when they are asked for. */
function* pagesOf(
  { storage }: Pick<LookDeps, 'storage'>,
  ids: ReadonlySet<string>,
): Generator<Promise<readonly IdentityRecord[]>> {
  const list = [...ids];
  for (let from = 0; from < list.length; from += PAGE) {
    const page = list.slice(from, from + PAGE).map((id) => storage.identities.byId(id));
    yield Promise.all(page).then((found) => found.filter((each) => each !== undefined));
  }
}
