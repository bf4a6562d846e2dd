// No RFC: how often one address may make us work before it has proved anything.

/** Addresses remembered; the one that was seen longest ago is forgotten first. */
const MOST_ADDRESSES = 10_000;

export interface SourceBudget {
  /** Takes one turn of this address; false when it has none left. */
  take(address: string): boolean;
}

/** `perSecond` turns come back each second, up to `burst`. `now`: milliseconds that only grow. */
export function createSourceBudget(perSecond: number, burst: number, now: () => number): SourceBudget {
  const sources = new Map<string, { left: number; at: number }>();
  return {
    take(address) {
      const at = now();
      const known = sources.get(address);
      sources.delete(address);
      const left =
        known === undefined ? burst : Math.min(burst, known.left + ((at - known.at) / 1000) * perSecond);
      sources.set(address, { left: left < 1 ? left : left - 1, at });
      if (sources.size > MOST_ADDRESSES) {
        const [oldest] = sources.keys();
        if (oldest !== undefined) sources.delete(oldest);
      }
      return left >= 1;
    },
  };
}
