const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `2026-11-30`, of an RFC 3339 instant, in UTC as the command prints it. */
export function day(instant: string): string {
  return instant.slice(0, 10);
}

/** `2026-11-30 14:05`, in UTC. */
export function minute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)}`;
}

/** How far an instant is from now: `in 12 days`, `3 hours ago`. */
export function fromNow(instant: string, now: number): string {
  const apart = Date.parse(instant) - now;
  const span = spanOf(Math.abs(apart));
  if (Math.abs(apart) < MINUTE) return 'now';
  return apart > 0 ? `in ${span}` : `${span} ago`;
}

function spanOf(ms: number): string {
  if (ms < HOUR) return plural(Math.round(ms / MINUTE), 'minute');
  if (ms < 2 * DAY) return plural(Math.round(ms / HOUR), 'hour');
  return plural(Math.round(ms / DAY), 'day');
}

/** `1 day`, `12 days`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : many}`;
}
