// No RFC: tokens whose signature has been verified, remembered so that it need not be again. What may change since is
// asked each time: the clock, the key, cut-offs, the proof of possession, the scope.
import type { AuthenticToken } from './authority.ts';
import type { PlatformKey } from './platform/platform.ts';

/** A token that has a good signature. */
export interface VerifiedToken extends AuthenticToken {
  readonly signer: PlatformKey;
}

/** Longer ones are not remembered, so that `limit` bounds the memory too. */
const MAX_CHARS = 4096;

/** Places for sightings. In one each, two tokens that share it and come in turn would both be new for ever. */
const SETS = 4096;
const WAYS = 4;

/**
 * Remembers up to `limit` tokens, those used last. A token is remembered when it comes the second time: many come only once,
 * and for those keeping them would cost more than it saves. Only tokens of issuers that are trusted get here, never a
 * stranger's.
 */
export class VerifiedTokens {
  readonly #half: number;
  /** Of each token that was seen, something of its signature: a wrong guess costs a verification, nothing else. */
  readonly #sightings: Uint32Array;
  /** By the end of the signature: hashing a whole token costs more than comparing it. */
  #young = new Map<string, Remembered>();
  #old = new Map<string, Remembered>();

  constructor(limit: number) {
    this.#half = Math.floor(limit / 2);
    this.#sightings = new Uint32Array(this.#half === 0 ? 0 : SETS * WAYS);
  }

  get(token: string): VerifiedToken | undefined {
    if (this.#young.size + this.#old.size === 0) return undefined;
    const end = endOf(token);
    const young = this.#young.get(end);
    if (young?.token === token) return young.verified;
    const old = this.#old.get(end);
    if (old?.token !== token) return undefined;
    this.#keep(end, old);
    return old.verified;
  }

  /** Freezes the claims of what it keeps: every request with the token gets the same. */
  add(token: string, verified: VerifiedToken): void {
    if (token.length > MAX_CHARS || this.#half === 0) return;
    if (!this.#wasSeen(markOf(token))) return;
    freezeDeep(verified.claims);
    freezeDeep(verified.claims.all);
    this.#keep(endOf(token), { token, verified });
  }

  /** The newest of each set stands first in it, and the oldest gives way. */
  #wasSeen(mark: number): boolean {
    const first = (mark % SETS) * WAYS;
    for (let at = first; at < first + WAYS; at++) if (this.#sightings[at] === mark) return true;
    for (let at = first + WAYS - 1; at > first; at--) this.#sightings[at] = this.#sightings[at - 1] as number;
    this.#sightings[first] = mark;
    return false;
  }

  #keep(end: string, remembered: Remembered): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(end, remembered);
  }

  forget(token: string): void {
    const end = endOf(token);
    this.#young.delete(end);
    this.#old.delete(end);
  }
}

interface Remembered {
  readonly token: string;
  readonly verified: VerifiedToken;
}

/** 132 random bits: two good tokens never share them, and whoever makes a bad one end like a good one gains nothing. */
function endOf(token: string): string {
  return token.slice(-22);
}

/** Of the signature's end, which is as random as one can wish. */
function markOf(token: string): number {
  let mark = 0;
  for (let at = token.length - 8; at < token.length; at++) mark = (mark * 31 + token.charCodeAt(at)) >>> 0;
  return mark;
}

/** So that nobody can change them any more, all the way down. */

function freezeDeep(value: object): void {
  if (Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const name of Object.keys(value)) {
    const each = (value as { readonly [name: string]: unknown })[name];
    if (typeof each === 'object' && each !== null) freezeDeep(each);
  }
}
