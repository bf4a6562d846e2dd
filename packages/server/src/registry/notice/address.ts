import type { Owner } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { TeamRecord } from '../../storage/teams.ts';
import { leadOf, livingMembers, lives, whoIs } from '../owner/named.ts';

type Reading = Pick<Stores, 'people' | 'teams' | 'identities'>;

/** Of one mailbox and nothing else: neither a list nor a name beside it, and no character that ends a header. */
const ADDRESS = /^[^\s\p{Cc}@<>"(),:;[\]\\]{1,64}@[^\s\p{Cc}@<>"(),:;[\]\\]{1,255}$/u;

export function isAddress(text: string | undefined): text is string {
  return text !== undefined && text.length <= 254 && ADDRESS.test(text);
}

/** Where a recipient (storage/mails.ts) is reached by mail; undefined: nowhere that is known. */
export async function addressOf(stores: Reading, recipient: string): Promise<string | undefined> {
  const at = recipient.indexOf(':');
  const [kind, name] = [recipient.slice(0, at), recipient.slice(at + 1)];
  if (kind === 'person') return await addressOfNamed(stores, name);
  if (kind === 'team') {
    const team = await stores.teams.byName(name);
    return team && (await addressOfTeam(stores, team));
  }
  const identity = await stores.identities.byId(name);
  return identity && (await addressOfOwner(stores, identity.owner));
}

/** Of who is accountable; who has left, or has no address, is stood in for by the backup, then by the team. */
async function addressOfOwner(stores: Reading, { person, backup, team }: Owner): Promise<string | undefined> {
  for (const name of [person, backup, team]) {
    const address = name === undefined ? undefined : await addressOfNamed(stores, name);
    if (address !== undefined) return address;
  }
  return undefined;
}

/** Somebody whom the directory does not know may be named by an address. */
async function addressOfNamed(stores: Reading, name: string): Promise<string | undefined> {
  const named = await whoIs(stores, name);
  if (named === undefined) return isAddress(name) ? name : undefined;
  if (named.kind === 'team') return await addressOfTeam(stores, named.team);
  if (!lives(named.person)) return undefined;
  const { email, handle } = named.person;
  return [email, handle].find(isAddress);
}

/** Its channel where that is an address, or else who leads it, or the first who is there. */
async function addressOfTeam(stores: Reading, team: TeamRecord): Promise<string | undefined> {
  if (isAddress(team.channel)) return team.channel;
  const [lead, members] = [await leadOf(stores, team), await livingMembers(stores, team)];
  for (const person of lead === undefined ? members : [lead, ...members]) {
    const address = [person.email, person.handle].find(isAddress);
    if (address !== undefined) return address;
  }
  return undefined;
}
