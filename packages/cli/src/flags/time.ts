import { usageError } from '../failure.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A span such as `90d`, `12h`, `30m`, `45s` or `4w` in milliseconds; undefined when it is none. */
export function parseSpan(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,4})([smhdw])$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (UNIT_MS[match[2] as string] as number);
}

/** For flags that take a span and nothing else: the text as it is, or a usage error. */
export function spanText(text: string): string {
  if (parseSpan(text) === undefined) throw usageError('Write a span such as 90d, 12h or 30m.');
  return text;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Which way a span counts from now: ends lie ahead, what is asked about lies back. */
export type SpanDirection = 'ahead' | 'back';

/**
 * Reads a date (`2027-01-31`, midnight UTC), an RFC 3339 time, or a span from `now` (epoch ms).
 * @returns RFC 3339 in UTC
 */
export function parseInstant(text: string, now: number, direction: SpanDirection): string {
  const span = parseSpan(text);
  if (span !== undefined) return new Date(now + (direction === 'ahead' ? span : -span)).toISOString();
  const full = DATE.test(text) ? `${text}T00:00:00Z` : text;
  const at = INSTANT.test(full) ? Date.parse(full) : Number.NaN;
  if (Number.isNaN(at)) {
    throw usageError(
      `${text} is no time.`,
      'Write a date (2027-01-31), a time (2027-01-31T12:00:00Z) or a span (90d).',
    );
  }
  return new Date(at).toISOString();
}

/** `in 89d`, `3h ago`, for people; whole units, the largest that fits. */
export function relative(instant: string, now: number): string {
  const delta = Date.parse(instant) - now;
  const size = Math.abs(delta);
  const [unit, ms] = Object.entries(UNIT_MS)
    .filter(([name]) => name !== 'w')
    .findLast(([, length]) => size >= length) ?? ['s', 1000];
  const text = `${Math.floor(size / ms)}${unit}`;
  return delta >= 0 ? `in ${text}` : `${text} ago`;
}
