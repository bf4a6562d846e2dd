import { type AdminClient, type OperationId, operations } from '@countersign/admin-api';
import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import type { AdminTable, TableInput } from './admin-table.ts';
import { KINDS, MOST_LOOKED_AT, type NamedKind } from './named-kinds.ts';

type Members = Readonly<Record<string, unknown>>;

/** What members of a query or a body name. */
const MEMBERS: Readonly<Record<string, NamedKind>> = {
  identity: 'IDENTITY',
  agent: 'IDENTITY',
  resource_server: 'API',
};

/** Those that name a person in these operations, and something else elsewhere. */
const TO_PERSON: readonly OperationId[] = ['people.hand-over', 'ownership-offers.create'];

/** What `{id}` of a path names. */
const PATHS: readonly (readonly [RegExp, NamedKind])[] = [
  [/^\/v1\/identities\/\{id\}/, 'IDENTITY'],
  [/^\/v1\/resource-servers\/\{id\}/, 'API'],
  [/^\/v1\/people\/\{id\}/, 'PERSON'],
  [/^\/v1\/trusted-issuers\/\{id\}/, 'ISSUER'],
  [/^\/v1\/policies\/\{id\}/, 'POLICY'],
];

/**
 * The admin API as the command line names things: what it does not know by the id or identifier that was given is looked for by
 * its name, and found where only one has it. A request that says so is sent a second time; nothing came of the first.
 */
export function takingNames(client: AdminClient): {
  readonly named: AdminClient;
  readonly table: AdminTable;
} {
  const table = client as unknown as AdminTable;
  const found = new Map<string, string>();

  async function finding<T>(
    id: OperationId,
    input: TableInput,
    work: (input: TableInput) => Promise<T>,
  ): Promise<T> {
    const asGiven = called(id, input, (kind, name) => found.get(`${kind} ${name}`) ?? name);
    try {
      return await work(asGiven);
    } catch (error) {
      if (!mayBeUnknown(error)) throw error;
      const before = found.size;
      const named = new Map<string, readonly [NamedKind, string]>();
      called(id, asGiven, (kind, name) => {
        named.set(`${kind} ${name}`, [kind, name]);
        return name;
      });
      for (const [key, [kind, name]] of named) {
        const goesBy = (await onlyOneCalled(client, kind, name))?.[KINDS[kind].names[0]];
        if (typeof goesBy === 'string') found.set(key, goesBy);
      }
      if (found.size === before) throw error;
      return await work(called(id, asGiven, (kind, name) => found.get(`${kind} ${name}`) ?? name));
    }
  }

  const naming: AdminTable = {
    call: (id, input) => finding(id, input, (known) => table.call(id, known)),
    preview: (id, input) => finding(id, input, (known) => table.preview(id, known)),
    async *each(id, input) {
      const { items, first } = await finding(id, input, async (known) => {
        const items = table.each(id, known)[Symbol.asyncIterator]();
        return { items, first: await items.next() };
      });
      if (first.done === true) return;
      yield first.value;
      yield* { [Symbol.asyncIterator]: () => items };
    },
  };
  return { named: naming as unknown as AdminClient, table: naming };
}

/** The input with what it names called otherwise. */
function called(
  id: OperationId,
  input: TableInput,
  call: (kind: NamedKind, name: string) => string,
): TableInput {
  const { path } = operations[id];
  const kind = PATHS.find(([pattern]) => pattern.test(path))?.[1];
  const { id: name } = input.params ?? {};
  return {
    ...input,
    ...(kind !== undefined && typeof name === 'string'
      ? { params: { ...input.params, id: call(kind, name) } }
      : {}),
    ...(input.query === undefined ? {} : { query: membersOf(id, input.query, call) }),
    ...(isMembers(input.body) ? { body: membersOf(id, input.body, call) } : {}),
  };
}

/** Lists stay as they are: what is declared in one is called by its own name. */
function membersOf(
  id: OperationId,
  members: Members,
  call: (kind: NamedKind, name: string) => string,
): Members {
  return Object.fromEntries(
    Object.entries(members).map(([member, value]) => {
      if (isMembers(value)) return [member, membersOf(id, value, call)];
      const kind = kindOf(id, member, members);
      return [member, kind !== undefined && typeof value === 'string' ? call(kind, value) : value];
    }),
  );
}

function kindOf(id: OperationId, member: string, { kind }: Members): NamedKind | undefined {
  if (member === 'to' && TO_PERSON.includes(id)) return 'PERSON';
  if (member === 'id' && id === 'cutoffs.create' && kind === 'identity') return 'IDENTITY';
  return MEMBERS[member];
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** 404; what a body names and is not there; and what has the shape of a name alone. */
const UNKNOWN: readonly unknown[] = [400, 404, 422];

function mayBeUnknown(error: unknown): boolean {
  return (
    error instanceof Error && error.name === 'AdminApiError' && UNKNOWN.includes((error as Answered).status)
  );
}

interface Answered extends Error {
  readonly status?: unknown;
}

const OUR_ID = /^[a-z]{3}_[0-9a-z]{20}$/;
const MOST_CHARS = 100;
const MOST_TOLD = 10;

/**
 * The one thing that has this name and goes by something else. Undefined: none has it, something goes by it, or nobody can say.
 * Throws where several have it. A name that could be an identifier is none: whoever names APIs would say what it means.
 */
export async function onlyOneCalled(
  client: AdminClient,
  kind: NamedKind,
  name: string,
): Promise<Members | undefined> {
  if (OUR_ID.test(name) || name.length > MOST_CHARS || name.includes('://')) return undefined;
  const { list, names, noun, many } = KINDS[kind];
  const filter = 'text' in operations[list].query.shape ? { text: name } : {};
  const exact: Members[] = [];
  let looked = 0;
  try {
    for await (const item of (client as unknown as AdminTable).each(list, {
      query: { limit: 200, ...filter },
    })) {
      const members = item as Members;
      if (members[names[0]] === name || ++looked > MOST_LOOKED_AT) return undefined;
      if (members['name'] === name) exact.push(members);
    }
  } catch (error) {
    if (failureOf(error).kind === 'unreachable') throw error;
    return undefined;
  }
  if (exact.length < 2) return exact[0];
  const told = exact.slice(0, MOST_TOLD).map((each) => String(each[names[0]]));
  const more = exact.length > MOST_TOLD ? [`${exact.length - MOST_TOLD} more`] : [];
  throw new CommandFailure('usage', `${exact.length} ${many} are called ${name}.`, {
    fix: `Name the ${noun} by its ${names[0]}: ${[...told, ...more].join(' or ')}`,
  });
}
