import type { IdentityRecord } from '../../storage/identities.ts';
import type { OwnershipClockRecord } from '../../storage/ownership-clocks.ts';
import type { OwnershipOfferRecord } from '../../storage/ownership-offers.ts';
import type { Stores } from '../../storage/storage.ts';
import { sameHandle } from '../directory/handle.ts';
import { lives, livingMembers, type Named, whoIs } from './named.ts';

/** What the directory knows of who answers for an identity. */
export interface OwnerFacts {
  readonly person: Named;
  readonly backup: Named;
  /** People behind the backup who are still there, the owner not counted. */
  readonly backupLiving: number;
  readonly team: Named;
  /** Members of the team who are still there. */
  readonly teamLiving: number;
  readonly clock: OwnershipClockRecord | undefined;
  /** The newest offer. */
  readonly offer: OwnershipOfferRecord | undefined;
}

export async function ownerFactsOf(
  stores: Pick<Stores, 'people' | 'teams' | 'ownershipClocks' | 'ownershipOffers'>,
  { id, owner }: IdentityRecord,
): Promise<OwnerFacts> {
  const backup = await whoIs(stores, owner.backup);
  const team = await whoIs(stores, owner.team);
  return {
    person: await whoIs(stores, owner.person),
    backup,
    backupLiving: (await livingBehind(stores, backup)).filter((each) => !sameHandle(each, owner.person))
      .length,
    team,
    teamLiving: (await livingBehind(stores, team)).length,
    clock: await stores.ownershipClocks.ofIdentity(id),
    offer: await stores.ownershipOffers.latestOf(id),
  };
}

async function livingBehind(stores: Pick<Stores, 'people'>, named: Named): Promise<readonly string[]> {
  if (named?.kind === 'person') return lives(named.person) ? [named.person.handle] : [];
  if (named?.kind === 'team') return (await livingMembers(stores, named.team)).map(({ handle }) => handle);
  return [];
}
