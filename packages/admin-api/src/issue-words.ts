import type { z } from 'zod';

type RawIssue<Issue extends z.core.$ZodIssueBase = z.core.$ZodIssue> = z.core.$ZodRawIssue<Issue>;

/**
 * What is wrong with a value and what may stand there, as the words behind the name of its member: `must not be empty`, `must be one of
 * dev, prod`. For every issue of zod that its schema has no words of its own for. Says no value; of members that nobody knows, their names.
 */
export function issueWords(issue: RawIssue): string {
  const words = WORDS[issue.code ?? 'custom'] as ((issue: RawIssue) => string) | undefined;
  return words?.(issue) ?? 'cannot be taken';
}

const MISSING = 'is missing';

/** So many names are told in full. */
const MOST_NAMES = 12;

type Words = { readonly [code in NonNullable<RawIssue['code']>]?: (issue: RawIssue<CodeOf<code>>) => string };
type CodeOf<code> = Extract<z.core.$ZodIssue, { readonly code: code }>;

const WORDS: Words = {
  invalid_type: (issue) => {
    if (issue.input === undefined) return MISSING;
    const members = issue.expected === 'object' ? membersOf(issue) : [];
    const which = members.length === 0 ? '' : ` of ${members.join(', ')}`;
    return `must be ${KINDS[issue.expected] ?? issue.expected}${which}, not ${kindOf(issue.input)}`;
  },
  invalid_value: ({ input, values }) => (input === undefined ? MISSING : mustBeAmong(values)),
  too_small: ({ origin, minimum, exact, inclusive }) => {
    const unit = UNITS[origin];
    if (unit === undefined) return `must be ${inclusive === false ? 'more than' : 'at least'} ${minimum}`;
    if (exact === true) return `must have exactly ${counted(minimum, unit)}`;
    return Number(minimum) === 1 ? 'must not be empty' : `must have at least ${counted(minimum, unit)}`;
  },
  too_big: ({ origin, maximum, exact, inclusive }) => {
    const unit = UNITS[origin];
    if (unit === undefined) return `must be ${inclusive === false ? 'less than' : 'at most'} ${maximum}`;
    return `must have ${exact === true ? 'exactly' : 'at most'} ${counted(maximum, unit)}`;
  },
  not_multiple_of: ({ divisor }) => `must be a multiple of ${divisor}`,
  invalid_format: ({ format, prefix }) =>
    typeof prefix === 'string'
      ? `must begin with ${prefix}`
      : `must be ${FORMATS[format] ?? 'written as the reference says'}`,
  unrecognized_keys: (issue) => {
    const members = membersOf(issue);
    const there = members.length === 0 ? '' : `; there is ${members.join(', ')}`;
    return `has no member ${issue.keys.slice(0, MOST_NAMES).join(', ')}${there}`;
  },
  invalid_union: (issue) => {
    if (valueOf(issue) === undefined) return MISSING;
    const { options } = issue;
    return Array.isArray(options) && options.length > 0 ? mustBeAmong(options) : formsOf(issue.errors);
  },
  invalid_key: () => 'has a member whose name cannot be taken',
  invalid_element: () => 'has an item that cannot be taken',
};

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a fraction';
  return KINDS[typeof value] ?? typeof value;
}

/** What is counted in what has a size; numbers have none. */
const UNITS: Readonly<Record<string, string>> = {
  array: 'item',
  map: 'member',
  object: 'member',
  record: 'member',
  set: 'item',
  string: 'character',
};

const counted = (count: number | bigint, unit: string): string =>
  `${count} ${unit}${Number(count) === 1 ? '' : 's'}`;

const FORMATS: Readonly<Record<string, string>> = {
  base64: 'base64',
  base64url: 'base64url',
  cidrv4: 'a CIDR block such as 192.0.2.0/24',
  cidrv6: 'a CIDR block such as 2001:db8::/32',
  date: 'a date such as 2026-01-31',
  datetime: 'an RFC 3339 date and time',
  email: 'an e-mail address',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  time: 'a time such as 23:59',
  url: 'a URL',
};

function mustBeAmong(values: readonly unknown[]): string {
  const [first, ...others] = values.map(String);
  return others.length === 0 ? `must be ${first}` : `must be one of ${[first, ...others].join(', ')}`;
}

/** Names of the members that an object may have; none where there are too many to be told. */
function membersOf({ inst }: RawIssue): readonly string[] {
  const { shape } = (inst?._zod.def ?? {}) as { readonly shape?: Readonly<Record<string, unknown>> };
  const names = Object.keys(shape ?? {});
  return names.length > MOST_NAMES ? [] : names;
}

/** Of a choice by a member, that member. */
function valueOf({ input, discriminator }: RawIssue<CodeOf<'invalid_union'>>): unknown {
  if (discriminator === undefined || typeof input !== 'object' || input === null) return input;
  return (input as Readonly<Record<string, unknown>>)[discriminator];
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Where one form fits but for something in it, what that is; else what each form says. */
function formsOf(forms: readonly (readonly Fault[])[]): string {
  const inside = forms.find(([fault]) => fault !== undefined && fault.path.length > 0)?.[0];
  if (inside !== undefined) return `has ${inside.path.join('.')}, which ${inside.message}`;
  const told = new Set(forms.flatMap(([fault]) => (fault === undefined ? [] : [fault.message])));
  return told.size === 0 ? 'cannot be taken' : [...told].join(', or ');
}
