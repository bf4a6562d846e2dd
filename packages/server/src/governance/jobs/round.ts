import { endingAuthority } from '../../ca/outlook.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { beginPolicyRound, type PolicyRound } from '../../registry/policy/look.ts';
import { toldOfUse } from '../../registry/use/told-of-use.ts';
import { watchedSince } from '../../registry/use/watch.ts';
import type { ReviewItemRecord } from '../../storage/review-items.ts';
import type { Stores } from '../../storage/storage.ts';
import type { ProgressDeps } from '../../registry/rotation/retire.ts';
import type { Circumstances } from '../findings/detector.ts';

/** What is the same for all identities of one round. */
export type Round = Omit<
  Circumstances,
  | 'keySharers'
  | 'inactivity'
  | 'owners'
  | 'adminHistory'
  | 'policies'
  | 'proposals'
  | 'rotations'
  | 'alike'
  | 'credentialUses'
  | 'homes'
> & {
  readonly lifetimes: ProgressDeps['lifetimes'];
  readonly mode: 'suspend' | 'report';
  readonly watched: number | undefined;
  readonly policyRound: PolicyRound | undefined;
  /** Somebody has entered people. */
  readonly directory: boolean;
};

/** What a round is told by who begins it. */
export interface RoundDeps extends RuleDeps {
  readonly storage: Pick<
    Stores,
    | 'settings'
    | 'policies'
    | 'people'
    | 'webhooks'
    | 'certificateAuthorities'
    | 'reviewItems'
    | 'scopeRoutes'
    | 'unregisteredCallers'
    | 'resourceServers'
  >;
  readonly maximumAge: Circumstances['maximumAge'];
  readonly inactivity: 'suspend' | 'report';
  readonly suspendedForMs: number;
  /** Seconds that tokens live where nothing else is said. */
  readonly lifetimes: { readonly default: number; readonly maximum: number };
}

/** What was counted at this process since the last round. */
export type Counted = Pick<Round, 'paces' | 'places'>;

/** As things are at this instant. */
export async function roundOf(deps: RoundDeps, { paces, places }: Counted): Promise<Round> {
  const { storage, maximumAge, suspendedForMs, lifetimes, inactivity: mode } = deps;
  const now = deps.clock.now();
  return {
    paces,
    places,
    now,
    maximumAge,
    suspendedForMs,
    lifetimes,
    mode,
    watched: await watchedSince(storage.settings),
    policyRound: await beginPolicyRound(storage),
    directory: await hasDirectory(storage),
    silentWebhooks: await silentWebhooks(storage),
    endingAuthority: endingAuthority(await storage.certificateAuthorities.live(), now),
    failedRemovals: await failedRemovals(storage),
    ...(await toldOfUse(storage, now)),
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
