import type { AccessRecord } from '../src/storage/access.ts';
import type { CredentialRecord } from '../src/storage/credentials.ts';
import type { IdentityRecord } from '../src/storage/identities.ts';
import type { PolicyExceptionRecord } from '../src/storage/policy-exceptions.ts';
import type { ReviewItemNow } from '../src/storage/review-items.ts';
import type { Authority } from './authority.ts';
import { APART, LONGEST_ACCESS_DAYS, POLICIES } from './estate-governance.ts';
import { APIS, DAY, everything } from './estate-world.ts';

/** Of a rotation, as the authority of the tests is set. */
const LONGEST_OVERLAP_DAYS = 30;
const MINUTE = 60_000;

/**
 * What must not be of policies, campaigns and rotations, in words. Rules are written down again here: this is what the
 * code is held against.
 */
export function watchGovernance({ storage, clock }: Authority): {
  broken(identities: readonly IdentityRecord[]): Promise<readonly string[]>;
} {
  /** All there ever were: an access that came under one may stay when it is over. */
  const exceptions = new Map<string, PolicyExceptionRecord>();
  const decided = new Set<string>();
  let ownersBefore = new Map<string, string>();

  /** A policy that is enforced lets nothing in that breaks it, but for who is excepted when it comes. */
  async function brokenPolicies(): Promise<string[]> {
    for (const each of await everything((page) => storage.policyExceptions.list({}, page)))
      exceptions.set(each.id, each);
    const policies = new Map((await storage.policies.active()).map(({ name, id }) => [name, id]));
    const wasExcepted = (policy: string, { identityId }: AccessRecord, at: number): boolean =>
      [...exceptions.values()].some(
        (each) =>
          each.policyId === policies.get(policy) &&
          each.identityId === identityId &&
          each.createdAt <= at &&
          at < each.expiresAt,
      );
    const broken: string[] = [];
    const orders = await storage.resourceServers.byIdentifier(APIS[0]);
    const active = await everything((page) => storage.access.list({ state: 'active' }, page));
    const ofOrders = new Map<string, AccessRecord[]>();
    for (const access of active) {
      if (access.resourceServerId === orders?.id)
        ofOrders.set(access.identityId, [...(ofOrders.get(access.identityId) ?? []), access]);
      const isShort = access.expiresAt - access.createdAt <= LONGEST_ACCESS_DAYS * DAY;
      if (isShort || isBuiltIn(access) || wasExcepted(POLICIES.short, access, access.createdAt)) continue;
      broken.push(`${access.id} lives longer than its policy allows`);
    }
    for (const [identity, accesses] of ofOrders) {
      const scopes = new Set(accesses.flatMap((each) => each.scopes));
      if (!APART.every((scope) => scopes.has(scope))) continue;
      const some = accesses.filter((each) =>
        each.scopes.some((scope) => APART.some((apart) => apart === scope)),
      );
      const lately = some.some((each) =>
        [each.createdAt, each.updatedAt].some((at) => wasExcepted(POLICIES.apart, each, at)),
      );
      if (!lately) broken.push(`${identity} holds what is to be apart`);
    }
    return broken;
  }

  function isBuiltIn({ identityId }: AccessRecord): boolean {
    return builtIn.has(identityId);
  }
  let builtIn: ReadonlySet<string> = new Set();

  async function brokenReviews(owners: ReadonlyMap<string, string>): Promise<string[]> {
    const broken: string[] = [];
    for (const review of await everything((page) => storage.reviews.list({}, page))) {
      const isOver = review.state === 'completed' || review.silenceAt <= clock.now();
      for (const item of await everything((page) => storage.reviewItems.list(review.id, {}, page))) {
        if (item.state === 'pending') {
          if (isOver) broken.push(`${item.id} waits past the end of ${review.id}`);
          continue;
        }
        if (decided.has(item.id)) continue;
        decided.add(item.id);
        if (item.state === 'silent' && item.now.state === 'active')
          broken.push(`${item.id} was left in silence, and its access is active`);
        broken.push(...wronglyDecided(item, review.notOwner, owners));
      }
    }
    return broken;
  }

  /** By who asked for it, or by whose it is where those do not decide. */
  function wronglyDecided(
    { id, state, verdict, requesters, identityId }: ReviewItemNow,
    notOwner: boolean,
    owners: ReadonlyMap<string, string>,
  ): string[] {
    if (state === 'silent' || state === 'gone' || verdict === undefined) return [];
    const { person, subject } = verdict;
    const asked = requesters.some(
      (each) =>
        each.kind !== 'machine' &&
        (each.handle === person || ('subject' in each && each.subject === subject)),
    );
    const isOwner = [owners, ownersBefore].every((known) => known.get(identityId) === person);
    return [
      ...(asked ? [`${id} was decided by ${person}, who asked for it`] : []),
      ...(notOwner && isOwner ? [`${id} was decided by ${person}, whose it is`] : []),
    ];
  }

  /** What was rotated is there no longer than both may be, and has one successor that takes nobody else's place. */
  function brokenRotations(active: readonly CredentialRecord[]): string[] {
    const now = clock.now();
    const places = new Set<string>();
    const broken: string[] = [];
    for (const { id, successor, predecessor } of active) {
      if (successor !== undefined && successor.since + LONGEST_OVERLAP_DAYS * DAY + MINUTE < now)
        broken.push(`${id} is there beside its successor for too long`);
      if (predecessor === undefined) continue;
      if (places.has(predecessor.id)) broken.push(`${predecessor.id} has two successors`);
      places.add(predecessor.id);
    }
    return broken;
  }

  return {
    async broken(identities) {
      builtIn = new Set(identities.filter((each) => each.builtIn).map(({ id }) => id));
      const owners = new Map(identities.map(({ id, owner }) => [id, owner.person]));
      const active = await everything((page) => storage.credentials.list({ state: 'active' }, page));
      const broken = [
        ...(await brokenPolicies()),
        ...(await brokenReviews(owners)),
        ...brokenRotations(active),
      ];
      ownersBefore = owners;
      return broken;
    },
  };
}
