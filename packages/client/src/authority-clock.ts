// The authority's clock, as its answers tell it (RFC 9110 §6.6.1): devices whose own is wrong would sign outdated proofs.

import { WHOLE_EXCHANGE, wholeExchangeOf } from '@countersign/protocol/discovery';

/** Seconds by which a clock may be off before it is corrected: less than any authority allows for. */
const TOLERATED = 5;

export interface AuthorityClock {
  /** Epoch seconds at the authority: what assertions and proofs are dated with. */
  now(): number;
  /** The same fetch; what is asked through it tells the time. */
  watch(fetch: typeof globalThis.fetch): typeof globalThis.fetch;
}

/** @param clock epoch seconds, the machine's */
export function createAuthorityClock(clock: () => number): AuthorityClock {
  let ahead = 0;
  return {
    now: () => clock() + ahead,
    watch(fetch) {
      const watched: typeof globalThis.fetch = (input, init) => learn(() => fetch(input, init));
      const exchange = wholeExchangeOf(fetch);
      if (exchange === undefined) return watched;
      const whole: typeof exchange = (url, options) => learn(() => exchange(url, options));
      return Object.assign(watched, { [WHOLE_EXCHANGE]: whole });
    },
  };

  async function learn<T extends { readonly headers: Headers }>(ask: () => Promise<T>): Promise<T> {
    const asked = clock();
    const answer = await ask();
    const told = toldBy(answer);
    if (told !== undefined) ahead = difference(asked, clock(), told);
    return answer;
  }
}

/** The answer was made between the two; only what lies outside by more than is tolerated is a difference. */
function difference(asked: number, answered: number, told: number): number {
  const ahead = told > answered ? told - answered : told < asked ? told - asked : 0;
  return Math.abs(ahead) > TOLERATED ? ahead : 0;
}

function toldBy({ headers }: { readonly headers: Headers }): number | undefined {
  // From a cache it says when it was made (RFC 9111 §5.1).
  if (headers.has('age')) return undefined;
  const told = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(told) ? undefined : Math.floor(told / 1000);
}
