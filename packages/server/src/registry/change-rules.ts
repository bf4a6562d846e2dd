import type { ChangeEvent } from '../audit/change.ts';
import type { Clock } from '../clock.ts';
import type { RandomBytes } from '../ids.ts';
import { RegistryRefusal } from './refusal.ts';

/** What every write rule of the registry is given besides its stores. */
export interface RuleDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export type Tell = (event: ChangeEvent) => void;

const DAY_MS = 86_400_000;
/** Nothing may promise to end later than this: "everything expires" must mean something. */
const LONGEST_LIFE_MS = 3653 * DAY_MS;
const EXPIRES_AT = '/expires_at';

/** An end that is stated (epoch ms): in the future and at most ten years ahead. */
export function requireEnd(now: number, end: number, pointer: string = EXPIRES_AT): number {
  const member = pointer.slice(1);
  if (end <= now) throw outOfRange(`${member} lies in the past`, pointer);
  if (end > now + LONGEST_LIFE_MS) throw outOfRange(`${member} is more than 10 years ahead`, pointer);
  return end;
}

/** An end that may be no later than `latest`: narrowed to it, and stated in the answer. */
export function narrowEnd(now: number, end: number, latest: number): number {
  if (latest <= now) throw outOfRange('the identity has expired: extend it first');
  return Math.min(requireEnd(now, end), latest);
}

function outOfRange(message: string, pointer: string = EXPIRES_AT): RegistryRefusal {
  return new RegistryRefusal('end_out_of_range', message, { pointer });
}

/** True when the two say the same as JSON does. */
export function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
