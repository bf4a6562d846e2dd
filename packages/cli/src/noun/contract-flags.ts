import { operations, type OperationId } from '@countersign/admin-api';
import { usageError } from '../failure.ts';
import { parseInstant, spanText, type SpanDirection } from '../flags/time.ts';
import { splitWords } from '../flags/words.ts';
import type { Host } from '../host.ts';
import { contractFields, type Field } from './contract-fields.ts';

/** How the flag of one field differs from what the contract says by itself. */
export interface FieldOverride {
  /** In kebab case, without dashes. */
  readonly flag?: string;
  readonly brief?: string;
  readonly placeholder?: string;
  /** Those of a choice that can be had in this version. */
  readonly values?: readonly string[];
  /** No flag: the command fills it or has no use for it. */
  readonly skip?: true;
  /** For instants. */
  readonly span?: SpanDirection;
  /** May be repeated; `read` then gets all. */
  readonly repeat?: true;
  /** From the words given to the value sent; `flag` with its dashes. */
  readonly read?: (values: readonly string[], host: Pick<Host, 'cwd' | 'stdin'>, flag: string) => unknown;
}

/** By dotted path: `owner.person`. */
export type FieldOverrides = Readonly<Record<string, FieldOverride>>;

/** A flag as Stricli takes it; the precise type depends on the operation, which is known only at run time. */
export type FlagParameter = Readonly<Record<string, unknown>>;
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface ContractFlags {
  /** By flag key in camel case. */
  readonly parameters: Readonly<Record<string, FlagParameter>>;
  /** The object that the flags describe. */
  read(flags: FlagValues, host: Pick<Host, 'cwd' | 'stdin' | 'now'>): Promise<Record<string, unknown>>;
  /** The flag, with its dashes, that fills what a refusal points at: `/owner/person`, `?limit`. Undefined where none does. */
  flagOf(pointer: string): string | undefined;
}

/** The flags for an operation's body or query. */
export function contractFlags(
  id: OperationId,
  part: 'body' | 'query',
  overrides: FieldOverrides = {},
): ContractFlags {
  const bindings = contractFields(operations[id][part])
    .filter((field) => overrides[field.path.join('.')]?.skip !== true)
    .map((field) => bind(field, overrides[field.path.join('.')] ?? {}));
  return {
    parameters: Object.fromEntries(
      bindings.flatMap(({ key, field, parameter }) =>
        isEnd(field)
          ? [
              [key, parameter],
              ['for', FOR_FLAG],
            ]
          : [[key, parameter]],
      ),
    ),
    async read(flags, host) {
      const object: Record<string, unknown> = {};
      for (const { key, field, read } of bindings) {
        const value = isEnd(field) ? endOf(flags, field) : flags[key];
        if (value !== undefined) setAt(object, field.path, await read(value, host));
      }
      return object;
    },
    flagOf(pointer) {
      const at = pointer.slice(1).split('/');
      const found = bindings.find(({ field }) => field.path.every((name, index) => at[index] === name));
      if (found === undefined) return undefined;
      return isEnd(found.field) ? `--for or --${found.name}` : `--${found.name}`;
    },
  };
}

const FOR_FLAG: FlagParameter = {
  kind: 'parsed',
  parse: spanText,
  optional: true,
  placeholder: 'span',
  brief: 'How long from now, such as 90d, in place of --expires-at',
};

interface Binding {
  readonly key: string;
  /** As `key`, in kebab case. */
  readonly name: string;
  readonly field: Field;
  readonly parameter: FlagParameter;
  read(value: string | boolean | readonly string[], host: Pick<Host, 'cwd' | 'stdin' | 'now'>): unknown;
}

function bind(field: Field, override: FieldOverride): Binding {
  const name = override.flag ?? field.path.join('-').replaceAll('_', '-');
  const brief = override.brief ?? field.description ?? sentence(field.path);
  return {
    key: camelCase(name),
    name,
    field,
    parameter: {
      ...parameterOf(field, override),
      brief: field.nullable ? `${brief} (empty takes it away)` : brief,
    },
    read: (value, host) => {
      if (value === '' && field.nullable) return null;
      if (override.read !== undefined)
        return override.read(typeof value === 'object' ? value : [String(value)], host, `--${name}`);
      return valueOf(field, name, value, host.now(), override.span ?? 'ahead');
    },
  };
}

function parameterOf(field: Field, override: FieldOverride): FlagParameter {
  const optional = !field.required || isEnd(field);
  const placeholder = override.placeholder ?? PLACEHOLDERS[field.kind];
  if (override.repeat === true || field.kind === 'words') {
    return { kind: 'parsed', parse: String, variadic: true, optional, placeholder };
  }
  if (field.kind === 'choice' && !field.nullable) {
    return { kind: 'enum', values: override.values ?? field.values, optional };
  }
  if (field.kind === 'boolean') return { kind: 'boolean', optional: true, withNegated: false };
  return { kind: 'parsed', parse: String, optional, placeholder };
}

const PLACEHOLDERS: Readonly<Record<Field['kind'], string>> = {
  text: 'text',
  integer: 'number',
  boolean: '',
  choice: 'choice',
  words: 'names',
  instant: 'time',
  other: 'value',
};

function valueOf(
  field: Field,
  flag: string,
  value: string | boolean | readonly string[],
  now: number,
  span: SpanDirection,
): unknown {
  if (field.kind === 'words') return splitWords(value as readonly string[]);
  if (field.kind === 'instant') return parseInstant(value as string, now, span);
  if (field.kind === 'integer') {
    if (!/^\d{1,15}$/.test(value as string))
      throw usageError(`--${flag} takes a number, not ${String(value)}.`);
    return Number(value);
  }
  return value;
}

function isEnd(field: Field): boolean {
  return field.path.length === 1 && field.path[0] === 'expires_at';
}

/** Nothing lives for ever: an end is needed where the contract needs one, in one of two ways. */
function endOf(flags: FlagValues, field: Field): string | undefined {
  const at = flags['expiresAt'] as string | undefined;
  const span = flags['for'] as string | undefined;
  if (at !== undefined && span !== undefined) throw usageError('Give either --for or --expires-at.');
  if (field.required && at === undefined && span === undefined) {
    throw usageError(
      'Everything ends: how long is this needed?',
      'Add --for 90d, or --expires-at 2027-01-31.',
    );
  }
  return at ?? span;
}

function setAt(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) object[name] = value;
  else setAt((object[name] ??= {}) as Record<string, unknown>, rest, value);
}

export function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function sentence(path: readonly string[]): string {
  const words = path.join(' ').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
