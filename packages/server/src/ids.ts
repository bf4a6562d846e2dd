import { randomFillSync } from 'node:crypto';

/** Source of random bytes: an argument, so that tests can fix it. Never fewer bytes than asked. */
export type RandomBytes = (size: number) => Buffer;

export type IdPrefix =
  | 'idn'
  | 'crd'
  | 'rsv'
  | 'acs'
  | 'key'
  | 'evt'
  | 'cut'
  | 'fnd'
  | 'idp'
  | 'tis'
  | 'psn'
  | 'tem'
  | 'off'
  | 'apr'
  | 'arq'
  | 'pol'
  | 'pex'
  | 'rvw'
  | 'rvi'
  | 'whk'
  | 'whs'
  | 'dlv'
  | 'mal'
  | 'prp'
  | 'cau'
  | 'crt'
  | 'clm'
  | 'wkl'
  | 'svd'
  | 'tdm';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const LENGTH = 20;
/** 252 = 7 × 36: bytes from here on would favour the first four characters. */
const UNBIASED = 252;

/** Random bytes from a pool: one system call for many ids. */
export function pooledRandom(poolSize = 8192): RandomBytes {
  let pool = Buffer.alloc(0);
  let used = 0;
  return (size) => {
    if (size > poolSize) return randomFillSync(Buffer.allocUnsafe(size));
    if (used + size > pool.length) {
      // A new pool each time, never the old one refilled: slices that were handed out stay what they are.
      pool = randomFillSync(Buffer.allocUnsafeSlow(poolSize));
      used = 0;
    }
    used += size;
    return pool.subarray(used - size, used);
  };
}

/** `<prefix>_` + 20 characters of [0-9a-z]: 103 random bits, safe in URLs, file names and double clicks. */
export function newId(prefix: IdPrefix, random: RandomBytes): string {
  let text = '';
  while (text.length < LENGTH) {
    for (const byte of random(LENGTH + 4)) {
      if (byte < UNBIASED && text.length < LENGTH) text += ALPHABET[byte % 36];
    }
  }
  return `${prefix}_${text}`;
}
