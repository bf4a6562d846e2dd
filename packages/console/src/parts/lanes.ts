/** A span of time on a line: pixels from the left, and how long. */
export interface Lane {
  readonly from: number;
  readonly width: number;
  /** It began, or ends, outside of what is shown. */
  readonly cutLeft: boolean;
  readonly cutRight: boolean;
}

const DAY = 86_400_000;

/** What a line of time shows: at most half a year back and a year ahead, at least a month. */
export function frameOf(
  spans: readonly { readonly from: number; readonly to: number }[],
  now: number,
): { readonly start: number; readonly end: number } {
  const start = Math.max(now - 180 * DAY, Math.min(now - 7 * DAY, ...spans.map(({ from }) => from)));
  const end = Math.min(now + 365 * DAY, Math.max(now + 30 * DAY, ...spans.map(({ to }) => to)));
  return { start, end };
}

export function laneOf(
  { from, to }: { readonly from: number; readonly to: number },
  { start, end }: { readonly start: number; readonly end: number },
  width: number,
): Lane {
  const x = (at: number): number => ((Math.min(end, Math.max(start, at)) - start) / (end - start)) * width;
  return { from: x(from), width: Math.max(2, x(to) - x(from)), cutLeft: from < start, cutRight: to > end };
}
