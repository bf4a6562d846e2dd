// Topic names and topic filters: MQTT 5.0 §4.7, §4.8.2; the same in MQTT 3.1.1 §4.7.

declare const filterBrand: unique symbol;

/** A topic filter, by its levels. */
export type TopicFilter = readonly string[] & { readonly [filterBrand]: true };

/** §4.7.3: bytes of a name or a filter. */
const LONGEST = 65_535;
/** Levels of one filter: more would only cost time. */
const MOST_LEVELS = 128;

/** Whether a message can be published to it: §3.3.2.1, §4.7.1. */
export function isTopicName(text: string): boolean {
  return text !== '' && text.length <= LONGEST && !/[#+\0]/.test(text);
}

/** §4.7.1: wildcards take a whole level, `#` the last one. Undefined for what is no filter. */
export function parseFilter(text: string): TopicFilter | undefined {
  if (text === '' || text.length > LONGEST || text.includes('\0')) return undefined;
  const levels = text.split('/');
  if (levels.length > MOST_LEVELS) return undefined;
  const last = levels.length - 1;
  for (const [at, level] of levels.entries()) {
    if (level.length > 1 && /[#+]/.test(level)) return undefined;
    if (level === '#' && at !== last) return undefined;
  }
  return levels as unknown as TopicFilter;
}

/** §4.8.2: `$share/name/filter` is asked for by its name, and delivers what the filter does. Undefined for what is no filter. */
export function parseSubscription(text: string): TopicFilter | undefined {
  if (!text.startsWith('$share/')) return parseFilter(text);
  const [, name, filter] = /^\$share\/([^/#+]+)\/(.+)$/s.exec(text) ?? [];
  return name === undefined || filter === undefined ? undefined : parseFilter(filter);
}

/** Whether `wanted`, a name or a filter, never delivers anything that `granted` would not: equal, or a subset of it. */
export function covers(granted: readonly string[], wanted: readonly string[]): boolean {
  if (isWild(granted[0]) && wanted[0]?.startsWith('$') === true) return false;
  for (const [at, level] of granted.entries()) {
    // §4.7.1.2: it stands for the level above it too.
    if (level === '#') return true;
    const asked = wanted[at];
    if (asked === undefined || asked === '#') return false;
    if (level !== '+' && level !== asked) return false;
  }
  return wanted.length === granted.length;
}

function isWild(level: string | undefined): boolean {
  return level === '#' || level === '+';
}
