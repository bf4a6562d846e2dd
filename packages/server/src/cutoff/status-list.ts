import { deflateSync } from 'node:zlib';
import { JWT_TYP } from '@countersign/protocol';
import { type Clock, epochSeconds } from '../clock.ts';
import type { Keystore } from '../keys/keystore.ts';
import type { Storage } from '../storage/storage.ts';

/** Token status lists (draft-ietf-oauth-status-list): for verifiers that do not follow the cut-off feed. */
export interface StatusLists {
  /** The signed list of this number; undefined when no place of it was ever given out. */
  read(number: number): Promise<string | undefined>;
  /** Where the tokens of a credential find their status: undefined when it, or its identity, is not active. */
  placeOf(credentialId: string): Promise<StatusPlace | undefined>;
  close(): void;
}

export interface StatusPlace {
  readonly idx: number;
  readonly uri: string;
}

export interface StatusListsDeps {
  readonly storage: Pick<Storage, 'statusIndexes' | 'onChange' | 'coherent'>;
  readonly keystore: Pick<Keystore, 'sign'>;
  readonly clock: Clock;
  readonly issuer: string;
}

/** Places in one list: 16 kB before compression, at most 22 kB as a token. */
export const PLACES_A_LIST = 131_072;
/** Seconds for which a verifier may keep a list, and after which it is made anew although nothing changed: things expire. */
export const STATUS_LIST_TTL = 15;
/** Seconds after which a list must not be used at all. */
const LIFETIME = 60;
/** However often something changes, a list is made once in so many ms: it reads the database, and anybody may ask. */
const MADE_EVERY = 1000;
/** A list that takes long, because there are many places, is made more seldom: at most a tenth of the time goes into it. */
const TIMES_ITS_COST = 10;
const LISTS_KEPT = 64;
const PLACES_KEPT = 100_000;

interface Made {
  readonly at: number;
  /** Milliseconds for which it is not made anew, whatever changes. */
  readonly pause: number;
  readonly changes: number;
  readonly jwt: Promise<string | undefined>;
}

export function createStatusLists(deps: StatusListsDeps): StatusLists {
  const { storage, keystore, clock, issuer } = deps;
  const { statusIndexes } = storage;
  const made = new Map<number, Made>();
  const making = new Map<number, Promise<string | undefined>>();
  const places = new Map<string, StatusPlace>();
  let changes = 0;
  const unsubscribe = storage.onChange((change) => {
    if (change.kind !== 'identity' && change.kind !== 'cutoffs' && change.kind !== 'all') return;
    changes++;
    // A place ends with an order; what is read while one commits is not kept.
    if (change.kind !== 'identity') places.clear();
  });
  const uriOf = (number: number): string => `${issuer}/oauth/status/${number}`;

  async function make(number: number): Promise<string | undefined> {
    const first = number * PLACES_A_LIST;
    // Before the places: one that is given out meanwhile must not look like one that was forgotten.
    const head = await statusIndexes.head();
    if (first >= head) return undefined;
    const valid = await statusIndexes.valid(first, first + PLACES_A_LIST, clock.now());
    const now = epochSeconds(clock);
    const claims = {
      iss: issuer,
      sub: uriOf(number),
      iat: now,
      exp: now + LIFETIME,
      ttl: STATUS_LIST_TTL,
      status_list: { bits: 1, lst: compressed(first, head, valid) },
    };
    return await keystore.sign('ES256', JWT_TYP.statusList, JSON.stringify(claims));
  }

  function isGood({ at, pause, changes: seen }: Made, now: number): boolean {
    // A clock that was set back counts as time gone by.
    const age = Math.abs(now - at);
    if (age < pause) return true;
    return age < STATUS_LIST_TTL * 1000 && seen === changes && storage.coherent();
  }

  function keep(number: number, entry: Made): void {
    made.delete(number);
    if (made.size >= LISTS_KEPT) made.delete(made.keys().next().value ?? 0);
    made.set(number, entry);
  }

  return {
    read(number) {
      const now = clock.now();
      const known = made.get(number);
      if (known !== undefined && isGood(known, now)) return known.jwt;
      // One making at a time, however long it takes and however many ask.
      const underway = making.get(number);
      if (underway !== undefined) return underway;
      const seen = changes;
      const jwt = make(number).finally(() => making.delete(number));
      making.set(number, jwt);
      jwt.then((text) => {
        // What is not there takes no room.
        if (text !== undefined)
          keep(number, { at: now, pause: pauseAfter(clock.now() - now), changes: seen, jwt });
      }, ignore);
      return jwt;
    },

    async placeOf(credentialId) {
      const known = storage.coherent() ? places.get(credentialId) : undefined;
      if (known !== undefined) return known;
      const seen = changes;
      const index = await statusIndexes.allot(credentialId);
      if (index === undefined) return undefined;
      const place = { idx: index % PLACES_A_LIST, uri: uriOf(Math.floor(index / PLACES_A_LIST)) };
      if (seen !== changes) return place;
      if (places.size >= PLACES_KEPT) places.clear();
      places.set(credentialId, place);
      return place;
    },

    close: unsubscribe,
  };
}

/** `cost` in ms. Never for longer than a list is good: it would be handed out after its end. */
function pauseAfter(cost: number): number {
  return Math.min(STATUS_LIST_TTL * 1000, Math.max(MADE_EVERY, TIMES_ITS_COST * cost));
}

function ignore(): void {}

/**
 * One bit a place, the lowest first; 1 is "invalid". So is a place that was given out and of which nothing is known any more; one that was not
 * is valid, for it may be given out while this list is kept by somebody. DEFLATE in zlib's form.
 */
function compressed(first: number, head: number, valid: readonly number[]): string {
  const bits = new Uint8Array(PLACES_A_LIST / 8);
  const given = Math.min(head - first, PLACES_A_LIST);
  bits.fill(0xff, 0, given >> 3);
  if ((given & 7) > 0) bits[given >> 3] = (1 << (given & 7)) - 1;
  for (const index of valid) {
    const place = index - first;
    bits[place >> 3] = (bits[place >> 3] as number) & ~(1 << (place & 7));
  }
  return deflateSync(bits, { level: 9 }).toString('base64url');
}
