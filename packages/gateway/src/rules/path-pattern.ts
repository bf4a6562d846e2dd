// Which paths a rule is for: one path, a template (`/orders/{id}`), or everything below a path.
import { readTarget } from './request-target.ts';

export interface PathPattern {
  readonly text: string;
  readonly kind: 'path' | 'prefix';
  readonly segments: readonly Segment[];
}

/** `undefined` stands for any one segment. */
type Segment = string | undefined;

const VARIABLE = /^\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/** Reads a pattern; a text says what is wrong with it. */
export function parsePathPattern(kind: PathPattern['kind'], text: string): PathPattern | string {
  const variables = text.split('/').map((segment) => VARIABLE.test(segment));
  const plain = text
    .split('/')
    .map((segment, i) => (variables[i] ? 'x' : segment))
    .join('/');
  if (/[{}]/.test(plain)) return 'a variable is a whole segment: /orders/{id}';
  if (plain.includes('?')) return 'a path has no query';
  const star = text.indexOf('*');
  if (star >= 0)
    return `write prefix: ${text.slice(0, star).replace(/\/$/, '') || '/'} for all paths below one`;
  const reading = readTarget(plain);
  if (!reading.ok) return `no request can have this path (${reading.fault})`;
  const segments = reading.target.segments.map((segment, i) => (variables[i + 1] ? undefined : segment));
  return { text, kind, segments };
}

/** Whether the path is one of the pattern's. `folded`: letter case makes no difference. */
export function matchesPath(pattern: PathPattern, segments: readonly string[], folded: boolean): boolean {
  const { length } = pattern.segments;
  if (pattern.kind === 'path' ? segments.length !== length : segments.length < length) return false;
  return pattern.segments.every((wanted, i) => {
    const given = segments[i] as string;
    return wanted === undefined || wanted === given || (folded && fold(wanted) === fold(given));
  });
}

/** Whether every path of the other is also one of this. */
export function coversPath(pattern: PathPattern, other: PathPattern): boolean {
  if (pattern.kind === 'path' && other.kind === 'prefix') return false;
  const { length } = pattern.segments;
  if (pattern.kind === 'path' ? other.segments.length !== length : other.segments.length < length)
    return false;
  return pattern.segments.every((wanted, i) => wanted === undefined || wanted === other.segments[i]);
}

function fold(segment: string): string {
  return segment.toUpperCase().toLowerCase();
}
