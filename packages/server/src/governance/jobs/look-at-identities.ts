import type { Actor, Changes } from '../../audit/change.ts';
import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import { readFactsOf } from '../../registry/facts-cache.ts';
import { openFinding, resolveFinding, seeFinding } from '../../registry/finding.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import { homesOf, type KnownHomes } from '../../registry/home.ts';
import { activityOf, inactivityWindow } from '../../registry/inactivity.ts';
import { ownerFactsOf } from '../../registry/owner/owner-facts.ts';
import { lookByPolicies } from '../../registry/policy/look.ts';
import { readProgress } from '../../registry/rotation/retire.ts';
import { useOfCredentials } from '../../registry/use/credential-use.ts';
import { StorageError } from '../../storage/errors.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Circumstances, Detector, RotationSeen } from '../findings/detector.ts';
import { MANY_ALIKE } from '../findings/identity-sprawl.ts';
import { keySharersOf } from '../findings/key-sharers.ts';
import { stepsFor } from '../findings/reconcile.ts';
import { usableCredentials } from '../findings/usable.ts';
import type { RiskFacts } from '../risk/score.ts';
import { isRiskNews, keepRisk, type RiskDeps } from './keep-risk.ts';
import type { Pacer } from '../../telemetry/pacer.ts';
import type { Round } from './round.ts';

export type LookingStores = Pick<
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
  | 'policies'
  | 'policyExceptions'
  | 'usage'
  | 'settings'
  | 'identityRisks'
>;

export interface LookDeps extends RuleDeps, RiskDeps {
  readonly storage: LookingStores;
  readonly changes: Changes;
  readonly detectors: readonly Detector[];
  readonly pacer: Pacer;
}

const ACTOR: Actor = { identity: 'countersign' };
/** Identities whose findings share a transaction: a commit is what costs, and nobody else writes while it runs. */
const TOGETHER = 10;

/**
 * Looks at these, and brings the findings of those about whom there is news to what is seen. Others work in between: after a few
 * milliseconds there is a pause. Gives, by id, the identities that have something in common with each.
 */
export async function lookAt(
  deps: LookDeps,
  identities: readonly IdentityRecord[],
  round: Round,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Iterable<string>>> {
  const concerned = new Map<string, Iterable<string>>();
  const news: string[] = [];
  const stores = withRemembered(deps.storage);
  const homes: KnownHomes = new Map();
  for (const identity of identities) {
    if (signal.aborted) return concerned;
    const seen = await stepsOf(deps.detectors, stores, identity, round, homes);
    concerned.set(identity.id, seen.concerned);
    if (seen.steps.length > 0 || (await isRiskNews(deps, stores, seen, round.now))) news.push(identity.id);
    await deps.pacer.breathe(signal);
  }
  for (let from = 0; from < news.length && !signal.aborted; from += TOGETHER) {
    await bring(deps, news.slice(from, from + TOGETHER), round);
    await deps.pacer.breathe(signal);
  }
  return concerned;
}

/** Many identities have access to the same few. */
function withRemembered(stores: LookingStores): LookingStores {
  const servers = new Map<string, ReturnType<Stores['resourceServers']['byId']>>();
  const byId = (id: string): ReturnType<Stores['resourceServers']['byId']> => {
    const found = servers.get(id) ?? stores.resourceServers.byId(id);
    servers.set(id, found);
    return found;
  };
  return { ...stores, resourceServers: { ...stores.resourceServers, byId } };
}

/**
 * Each is looked at once more in the transaction, so that two nodes at once do nothing twice. Where they fail together each has one
 * of its own.
 */
async function bring(deps: LookDeps, ids: readonly string[], round: Round): Promise<void> {
  try {
    await deps.changes.run(ACTOR, async (stores, tell) => {
      for (const id of ids) {
        const current = await stores.identities.byId(id);
        if (current !== undefined) await carryOut(deps, stores, tell, current, round);
      }
    });
  } catch (error) {
    if (!(error instanceof StorageError) || error.fault === 'unavailable') throw error;
    // Another node was faster: what it did is what was to be done.
    if (ids.length > 1) for (const id of ids) await bring(deps, [id], round);
  }
}

async function carryOut(
  deps: LookDeps,
  stores: Stores,
  tell: Tell,
  identity: IdentityRecord,
  round: Round,
): Promise<void> {
  const { clientId } = identity;
  const { steps } = await stepsOf(deps.detectors, stores, identity, round);
  for (const step of steps) {
    if (step.kind === 'open') await openFinding(deps, stores, tell, step.of, identity, step.observed);
    else if (step.kind === 'see') await seeFinding(deps, stores, tell, step.record, clientId, step.observed);
    else await resolveFinding(deps, stores, tell, step.record, clientId);
  }
  await keepRisk(deps, stores, tell, identity, round.now);
}

interface Seen extends Pick<RiskFacts, 'facts' | 'findings' | 'proposals'> {
  readonly steps: ReturnType<typeof stepsFor>;
  readonly concerned: Iterable<string>;
}

async function stepsOf(
  detectors: readonly Detector[],
  stores: LookingStores,
  identity: IdentityRecord,
  round: Round,
  known?: KnownHomes,
): Promise<Seen> {
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
  const circumstances: Circumstances = {
    ...round,
    keySharers,
    adminHistory,
    inactivity,
    owners,
    policies,
    proposals,
    rotations: await rotationsOf(stores, facts, round),
    alike: await stores.identities.alike(identity, MANY_ALIKE + 1),
    credentialUses: await credentialUsesOf(stores, facts, round.now),
    homes: await homesOf(stores, facts, known),
  };
  const steps = stepsFor(detectors, facts, live, circumstances);
  return { steps, concerned: neighbours, facts, findings: live, proposals };
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

/** Where there is one alone, its use is that of its identity. */
async function credentialUsesOf(
  stores: LookingStores,
  facts: IdentityFacts,
  now: number,
): Promise<Circumstances['credentialUses']> {
  const window = inactivityWindow(facts.identity.cadence);
  const usable = usableCredentials(facts, now);
  if (window === undefined || usable.length < 2) return undefined;
  const old = usable.filter(({ updatedAt }) => updatedAt <= now - window);
  return old.length === 0 ? undefined : await useOfCredentials(stores, old, now, window);
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
