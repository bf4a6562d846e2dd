import type { AdminClient, OperationId } from '@countersign/admin-api';
import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import type { AdminTable } from './admin.ts';
import { nearNames } from '../near-name.ts';

/** What a command names, and where those are that there are. */
interface Kind {
  readonly noun: string;
  readonly list: OperationId;
  readonly see: string;
  /** By which it may be named. */
  readonly names: readonly string[];
}

export type NamedKind = 'IDENTITY' | 'API' | 'ISSUER' | 'PERSON' | 'TEAM';

const KINDS: Readonly<Record<NamedKind, Kind>> = {
  IDENTITY: {
    noun: 'identity',
    list: 'identities.list',
    see: 'countersign identities list',
    names: ['client_id'],
  },
  API: {
    noun: 'API',
    list: 'resource-servers.list',
    see: 'countersign resource-servers list',
    names: ['identifier', 'name'],
  },
  ISSUER: {
    noun: 'trusted issuer',
    list: 'trusted-issuers.list',
    see: 'countersign trusted-issuers list',
    names: ['issuer'],
  },
  PERSON: { noun: 'person', list: 'people.list', see: 'countersign people list', names: ['handle'] },
  TEAM: { noun: 'team', list: 'teams.list', see: 'countersign teams list', names: ['name'] },
};

export function isNamedKind(word: string): word is NamedKind {
  return Object.hasOwn(KINDS, word);
}

/** How many are looked through for a name that is alike: an estate may have a million. */
const MOST_LOOKED_AT = 1000;

/** Does the work; where the authority says that what it names is not there, says which, and what may have been meant. */
export async function namingWhatIsMissing<T>(
  client: AdminClient,
  kind: NamedKind,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandFailure || failureOf(error).kind !== 'not_found') throw error;
    throw await missing(client, kind, name, error);
  }
}

export async function missing(
  client: AdminClient,
  kind: NamedKind,
  name: string,
  cause?: unknown,
): Promise<CommandFailure> {
  const { noun, see } = KINDS[kind];
  const near = nearNames(name, await namesOf(client, kind));
  return new CommandFailure('not_found', `There is no ${noun} called ${name}.`, {
    fix: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `See which there are: ${see}`,
    cause,
  });
}

/** None where they may not be listed: then there is nothing to say of them. */
async function namesOf(client: AdminClient, kind: NamedKind): Promise<readonly string[]> {
  const { list, names } = KINDS[kind];
  const table = client as unknown as AdminTable;
  const known: string[] = [];
  let looked = 0;
  try {
    for await (const item of table.each(list, { query: { limit: 200 } })) {
      const members = item as Readonly<Record<string, unknown>>;
      for (const name of names) if (typeof members[name] === 'string') known.push(members[name]);
      if (++looked === MOST_LOOKED_AT) break;
    }
  } catch (error) {
    if (failureOf(error).kind === 'unreachable') throw error;
  }
  return known;
}
