import type { Field } from '../noun/contract-fields.ts';
import { nearNames } from '../near-name.ts';

/** What is read of an issue of zod 4. */
export interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Of `unrecognized_keys`. */
  readonly keys?: readonly string[];
  /** Of `invalid_value`, and of a form that a member chooses: what may stand there. */
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
}

/** One mistake in a document: the member it is about, and what is wrong with it. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly said: string;
}

/** The mistakes of one document, for people. `fields` are the members that documents may have. */
export function faultsOf(
  item: Readonly<Record<string, unknown>>,
  issues: readonly Issue[],
  fields: readonly Field[],
): readonly Fault[] {
  const faults = issues.flatMap((issue): readonly Fault[] => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    const member = path.join('.') || 'the document';
    if (issue.code === 'unrecognized_keys') {
      return (issue.keys ?? []).map((key) => ({
        path: [...path, key],
        said: unknownMember(path, key, fields),
      }));
    }
    if (valueAt(item, path) === undefined) {
      return [{ path, said: path.at(-1) === 'expires_at' ? END_MISSING : `${member} is missing` }];
    }
    return [{ path, said: wrongValue(member, valueAt(item, path), issue) }];
  });
  return [...faults, ...missingEnd(item, faults)];
}

/** The contract looks at the end of an object only when all else is right; people want to hear both at once. */
function missingEnd(item: Readonly<Record<string, unknown>>, faults: readonly Fault[]): readonly Fault[] {
  const spec = item['spec'];
  const known = faults.some(({ path }) => path.at(-1) === 'expires_at' || path.at(-1) === 'expires_in');
  if (known || (item['kind'] !== 'Identity' && item['kind'] !== 'Access')) return [];
  if (typeof spec !== 'object' || spec === null || 'expires_at' in spec || 'expires_in' in spec) return [];
  return [{ path: ['spec'], said: END_MISSING }];
}

const END_MISSING = 'spec.expires_at or spec.expires_in is missing';

function unknownMember(path: readonly (string | number)[], key: string, fields: readonly Field[]): string {
  const said = `unknown member ${[...path, key].join('.')}`;
  const beside = membersOf(path, fields);
  const near = nearNames(key, path.join('.') === 'spec' ? [...beside, 'secretFile'] : beside);
  return near.length === 0 ? said : `${said}: did you mean ${near.join(' or ')}`;
}

function wrongValue(member: string, value: unknown, { message, values, options }: Issue): string {
  const choices = (values ?? options ?? []).map(String);
  if (choices.length === 0 || typeof value !== 'string') return `${member} ${message}`;
  const near = nearNames(value, choices);
  return `${member}: ${JSON.stringify(value)} is not among ${choices.join(', ')}${near.length === 0 ? '' : `: did you mean ${near.join(' or ')}`}`;
}

/** What may stand right below `path`. */
function membersOf(path: readonly (string | number)[], fields: readonly Field[]): readonly string[] {
  const below = fields.filter(
    (field) => field.path.length > path.length && path.every((part, at) => field.path[at] === part),
  );
  return [...new Set(below.map((field) => field.path[path.length] as string))];
}

function valueAt(item: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[part]
        : undefined,
    item,
  );
}
