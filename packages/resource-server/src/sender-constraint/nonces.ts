// Nonces for DPoP proofs, made of time and a key, kept nowhere: RFC 9449 §8, §9. They are public, given to everyone who asks.
import type { Platform } from '../platform/platform.ts';

export interface Nonces {
  /**
   * Those that are taken now, epoch seconds; the first is the one to give. The next one is taken too: the clock of the
   * instance that gave it may be ahead.
   */
  at(now: number): Promise<readonly string[]>;
}

/** Seconds for which one nonce is given; it is taken for as long again. */
export const NONCE_PERIOD = 300;
/** 16 bytes of each are enough not to be guessed. */
const LENGTH = 22;

/** All instances with one key give and take the same. */
export function createNonces(key: Uint8Array, { hmac }: Pick<Platform, 'hmac'>): Nonces {
  let period = -1;
  let around: Promise<readonly string[]> = Promise.resolve([]);

  async function nonceOf(wanted: number): Promise<string> {
    return (await hmac(key, String(wanted))).slice(0, LENGTH);
  }

  return {
    at(now) {
      const wanted = Math.floor(now / NONCE_PERIOD);
      if (wanted !== period) {
        period = wanted;
        around = Promise.all([wanted, wanted - 1, wanted + 1].map(nonceOf));
      }
      return around;
    },
  };
}
