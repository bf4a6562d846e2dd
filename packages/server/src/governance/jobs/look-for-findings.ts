import type { Changes } from '../../audit/change.ts';
import type { CredentialPlaces } from '../../registry/use/credential-places.ts';
import type { IssuancePace } from '../../registry/issuance-pace.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Detector } from '../findings/detector.ts';
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
import { ChangedIdentities } from './changed-identities.ts';
import type { Job } from './job.ts';
import { lookAt, type LookDeps, type LookingStores } from './look-at-identities.ts';
import { type Counted, type Round, type RoundDeps, roundOf } from './round.ts';
import { BRISK, CALM, createPacer, paceAfter, type Pacer } from '../../telemetry/pacer.ts';

export interface LookForFindingsDeps extends RoundDeps {
  readonly storage: LookingStores & RoundDeps['storage'] & Pick<Storage, 'onChange'>;
  readonly changes: Changes;
  readonly pace: Pick<IssuancePace, 'take'>;
  /** Absent: from where credentials are used is not known. */
  readonly places?: Pick<CredentialPlaces, 'take'>;
  /** Absent: by the clock on the wall. */
  readonly pacer?: Pacer;
}

const EVERY_MS = 5000;
const ROUND_MS = 3_600_000;
/** After a round that failed. */
const AGAIN_MS = 60_000;
/** Of the hour, what a round should take at most. */
const ROUND_WITHIN_MS = 0.75 * ROUND_MS;
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
 * Brings findings to what is seen: opened, changed, resolved. Every hour those of every identity, slowly, for nobody waits for it; in
 * between, and in the middle of that, those of identities that changed, and those of everybody at once when policies did. The first
 * run looks at nobody: no start waits for it.
 */
export function lookForFindingsJob(given: LookForFindingsDeps): Job {
  const deps = { ...given, detectors: DETECTORS, pacer: given.pacer ?? createPacer(BRISK) };
  const { clock } = deps;
  const changed = new ChangedIdentities(deps.storage);
  let roundAt: number | undefined;
  let pace = CALM;
  return {
    name: 'look-for-findings',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = clock.now();
      if (roundAt === undefined) {
        roundAt = now;
        return;
      }
      if (now < roundAt && !changed.overflown) return await lookAtChanged(deps, changed, signal);
      // Until it is done: what a lost database broke off in the middle begins again soon.
      roundAt = now + AGAIN_MS;
      const counted = { paces: deps.pace.take(now), places: deps.places?.take() };
      const calm = { ...deps, pacer: given.pacer ?? createPacer(pace) };
      if (await lookAtEveryone(calm, { changed, deps }, counted, signal)) {
        pace = paceAfter(pace, clock.now() - now, ROUND_WITHIN_MS);
      } else {
        changed.take();
        await lookAtEveryone(deps, undefined, counted, signal);
      }
      roundAt = now + ROUND_MS;
    },
  };
}

type Looking = LookDeps & LookForFindingsDeps;

/**
 * `between`: who changed meanwhile is looked at in between, every few seconds and at its own pace, and policies that change make
 * everything seen so far old: false, and the rest is not looked at. Absent: nothing comes in between.
 */
async function lookAtEveryone(
  deps: Looking,
  between: { readonly changed: ChangedIdentities; readonly deps: Looking } | undefined,
  counted: Counted,
  signal: AbortSignal,
): Promise<boolean> {
  let after: Position | undefined;
  let round: Round | undefined;
  do {
    if (between?.changed.overflown === true) return false;
    if (round === undefined || deps.clock.now() - round.now >= EVERY_MS) {
      if (between !== undefined) await lookAtChanged(between.deps, between.changed, signal);
      round = await roundOf(deps, counted);
    }
    const page = await deps.storage.identities.list({}, { limit: PAGE, after });
    await lookAt(deps, page.items, round, signal);
    after = page.next;
  } while (after !== undefined && !signal.aborted);
  return true;
}

/** What was counted since the last round is counted on; here it is not known yet. */
async function lookAtChanged(deps: Looking, changed: ChangedIdentities, signal: AbortSignal): Promise<void> {
  const ids = changed.take();
  if (ids.size === 0) return;
  await lookAtThose(deps, ids, await roundOf(deps, { paces: new Map(), places: undefined }), signal);
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
