import type { AdminClient } from '@countersign/admin-api';
import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import type { AdminTable } from './admin-table.ts';
import { KINDS, MOST_LOOKED_AT, type NamedKind } from './named-kinds.ts';
import { nearNames } from '../near-name.ts';

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
    throw await missing(client, kind, name, { cause: error });
  }
}

export async function missing(
  client: AdminClient,
  kind: NamedKind,
  name: string,
  { anyName = false, cause }: { readonly anyName?: boolean; readonly cause?: unknown } = {},
): Promise<CommandFailure> {
  const { noun, see } = KINDS[kind];
  const known = await namesOf(client, kind);
  const near = nearNames(name, known.keys()).map((each) => (anyName ? each : (known.get(each) ?? each)));
  return new CommandFailure('not_found', `There is no ${noun} called ${name}.`, {
    fix: near.length > 0 ? `Did you mean ${[...new Set(near)].join(' or ')}?` : `See which there are: ${see}`,
    cause,
  });
}

/** Whatever they are called → what the commands take for it. None where they may not be listed: then there is nothing to say of them. */
async function namesOf(client: AdminClient, kind: NamedKind): Promise<ReadonlyMap<string, string>> {
  const { list, names } = KINDS[kind];
  const table = client as unknown as AdminTable;
  const known = new Map<string, string>();
  let looked = 0;
  try {
    for await (const item of table.each(list, { query: { limit: 200 } })) {
      const members = item as Readonly<Record<string, unknown>>;
      const goesBy = members[names[0]];
      for (const name of names) {
        const called = members[name];
        if (typeof called === 'string') known.set(called, typeof goesBy === 'string' ? goesBy : called);
      }
      if (++looked === MOST_LOOKED_AT) break;
    }
  } catch (error) {
    if (failureOf(error).kind === 'unreachable') throw error;
  }
  return known;
}
