/**
 * The days (UTC, counted from 1970-01-01) on which something happened, as text: the last of them, and one bit for it and for
 * each of the 399 days before. `20421:5` is day 20421 and the day two before it. Empty: never.
 */
export type DayMap = string;

export const NO_DAYS: DayMap = '';
export const DAYS_KEPT = 400;

const DAY_MS = 86_400_000;
const KEPT = (1n << BigInt(DAYS_KEPT)) - 1n;

export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}

/** With `day` among them; a day that is further back than is kept changes nothing. */
export function withDay(days: DayMap, day: number): DayMap {
  const { last, bits } = read(days) ?? { last: day, bits: 0n };
  const end = Math.max(last, day);
  const next = ((bits << BigInt(end - last)) | (1n << BigInt(end - day))) & KEPT;
  return `${end}:${next.toString(16)}`;
}

/** All days of both. */
export function joined(one: DayMap, other: DayMap): DayMap {
  return daysIn(one).reduce((days, day) => withDay(days, day), other);
}

/** Ascending. */
export function daysIn(days: DayMap): readonly number[] {
  const found = read(days);
  if (found === undefined) return [];
  const list: number[] = [];
  for (let { bits } = found, back = 0; bits > 0n; bits >>= 1n, back++) {
    if ((bits & 1n) === 1n) list.push(found.last - back);
  }
  return list.reverse();
}

function read(days: DayMap): { readonly last: number; readonly bits: bigint } | undefined {
  if (days === NO_DAYS) return undefined;
  const [last, bits] = days.split(':') as [string, string];
  return { last: Number(last), bits: BigInt(`0x${bits}`) };
}
