import { unavailable } from './faults.ts';

/**
 * Which ids are used, in memory: 64 bits of a digest and the second until which they stay used. Two ids of a digest's 64
 * bits are taken for one, with a likelihood of `size` in 2^64: a rightful caller is refused then, nobody is let in.
 */
export interface UsedOnceSet {
  /**
   * True, and from now on it is in, when it was not; false when it was.
   * @param expiry epoch seconds, over 0; what has passed it counts as not there
   * @param now    epoch seconds
   * @throws `unavailable` when it is full: who cannot remember an id may not let it pass
   */
  add(high: number, low: number, expiry: number, now: number): boolean;
}

/** A bound on memory, 50 MB. 2.5 million ids fit in: a minute and a half of 27,000 proofs a second. */
const MOST_SLOTS = 2 ** 22;
const FEWEST_SLOTS = 2 ** 12;
const WORDS = 3;
/** The share of the slots that may be taken before they are laid out anew, and the most that may be left by that. */
const FULL = 0.7;
const LEFT = 0.6;

/** @param mostSlots a power of two, at least 4096 */
export function usedOnceSet(mostSlots: number = MOST_SLOTS): UsedOnceSet {
  /** Of each slot the digest and its expiry, 0 where nothing ever was: a search ends there. */
  let slots = new Uint32Array(FEWEST_SLOTS * WORDS);
  let taken = 0;
  /** Until then (epoch seconds) another look for what has expired is not worth its time. */
  let fullUntil = 0;

  const place = (high: number, low: number, expiry: number): void => {
    let at = slotOf(high, slots.length);
    while (slots[at + 2] !== 0) at = at + WORDS === slots.length ? 0 : at + WORDS;
    slots[at] = high;
    slots[at + 1] = low;
    slots[at + 2] = expiry;
    taken++;
  };
  /** Leaves out what has expired, and makes room for more than twice of what is left. */
  const layOut = (now: number): void => {
    const old = slots;
    let live = 0;
    for (let at = 2; at < old.length; at += WORDS) if ((old[at] ?? 0) >= now) live++;
    if (live > mostSlots * LEFT) {
      fullUntil = now + 1;
      throw full();
    }
    let count = FEWEST_SLOTS;
    while (count < mostSlots && count * FULL < live * 2) count *= 2;
    slots = new Uint32Array(count * WORDS);
    taken = 0;
    for (let at = 0; at < old.length; at += WORDS) {
      const expiry = old[at + 2] ?? 0;
      if (expiry >= now) place(old[at] ?? 0, old[at + 1] ?? 0, expiry);
    }
  };

  return {
    add(high, low, expiry, now) {
      let at = slotOf(high, slots.length);
      let free = -1;
      for (let until = slots[at + 2] ?? 0; until !== 0; until = slots[at + 2] ?? 0) {
        if (slots[at] === high && slots[at + 1] === low) {
          if (until >= now) return false;
          slots[at + 2] = expiry;
          return true;
        }
        if (free < 0 && until < now) free = at;
        at = at + WORDS === slots.length ? 0 : at + WORDS;
      }
      if (free >= 0) {
        slots[free] = high;
        slots[free + 1] = low;
        slots[free + 2] = expiry;
        return true;
      }
      if (now < fullUntil) throw full();
      if ((taken + 1) * WORDS > slots.length * FULL) layOut(now);
      place(high, low, expiry);
      return true;
    },
  };
}

const full = (): Error => unavailable('too many proofs are remembered as used');

/** Where the search for a digest begins; `length` in words, a power of two of slots. */
function slotOf(high: number, length: number): number {
  return (high & (length / WORDS - 1)) * WORDS;
}
