// Nonces for DPoP proofs, made of time and a key, kept nowhere: RFC 9449 §8, §9.
import { createHmac } from 'node:crypto';

export interface DpopNonces {
  /** What proofs should carry now. */
  current(now: number): string;
  accepts(nonce: string, now: number): boolean;
}

/** Milliseconds for which one nonce is given out; it is taken for as long again. */
export const DPOP_NONCE_PERIOD = 300_000;
const NONCE_BYTES = 16;

/**
 * Every node with the same key gives and takes the same nonces. The next one is taken too: the clock of the node that gave
 * it may be ahead.
 */
export function createDpopNonces(key: Uint8Array): DpopNonces {
  let period = -1;
  let around: readonly string[] = [];

  function at(now: number): readonly string[] {
    const wanted = Math.floor(now / DPOP_NONCE_PERIOD);
    if (wanted !== period) {
      around = [nonceOf(key, wanted), nonceOf(key, wanted - 1), nonceOf(key, wanted + 1)];
      period = wanted;
    }
    return around;
  }

  return {
    current: (now) => at(now)[0] as string,
    // They are public, given to everyone who asks: nothing is learnt from how long a comparison takes.
    accepts: (nonce, now) => at(now).includes(nonce),
  };
}

function nonceOf(key: Uint8Array, period: number): string {
  return createHmac('sha256', key)
    .update(String(period))
    .digest()
    .subarray(0, NONCE_BYTES)
    .toString('base64url');
}
