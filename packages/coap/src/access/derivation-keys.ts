// The keys that this resource server shares with the authority, by what a client's key id begins with: RFC 9202 §3.3.1.
import { decodeBase64url } from '@countersign/protocol';

/** As `POST /oauth/derivation-keys` tells them; base64url. */
export interface DerivationKey {
  readonly kid: string;
  readonly tag: string;
  readonly k: string;
}

/** A client of `@countersign/client`, whose identity has access to the scope `tokens:derive` of this resource server. */
export interface DerivationKeySource {
  derivationKeys(resource: string): Promise<readonly DerivationKey[]>;
}

export interface SharedKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

export interface DerivationKeys {
  /** Rejects with what the source throws. */
  load(): Promise<void>;
  /** For a client's key id. Asks once more for one that is not known, when the last time was a while ago. */
  find(popKid: Uint8Array): Promise<SharedKey | 'unknown' | 'unavailable'>;
}

const TAG_BYTES = 4;
/** Seconds between two questions that a key id nobody knows leads to. */
const COOLDOWN = 30;
/** Seconds after which they are asked for anew, so that those which are withdrawn are forgotten. */
const REFRESH_AFTER = 300;

/** `clock`: epoch seconds. */
export function createDerivationKeys(
  source: DerivationKeySource | readonly DerivationKey[],
  resource: string,
  clock: () => number,
): DerivationKeys {
  let keys: ReadonlyMap<string, SharedKey> | undefined = isList(source) ? byTag(source) : undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  function load(): Promise<void> {
    if (isList(source)) return Promise.resolve();
    askedAt = clock();
    asking ??= source
      .derivationKeys(resource)
      .then((list) => {
        keys = byTag(list);
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  return {
    load,
    async find(popKid) {
      const tag = tagOf(popKid);
      if (tag === undefined) return 'unknown';
      const age = Math.abs(clock() - askedAt);
      const isKnown = keys?.has(tag) === true;
      if (isKnown && age > REFRESH_AFTER) load().catch(() => undefined);
      else if (!isKnown && (keys === undefined || age > COOLDOWN)) await load().catch(() => undefined);
      if (keys === undefined) return 'unavailable';
      return keys.get(tag) ?? 'unknown';
    },
  };
}

function isList(source: DerivationKeySource | readonly DerivationKey[]): source is readonly DerivationKey[] {
  return Array.isArray(source);
}

function byTag(list: readonly DerivationKey[]): ReadonlyMap<string, SharedKey> {
  return new Map(
    list.flatMap(({ kid, tag, k }) => {
      const key = decodeBase64url(k);
      return key === undefined ? [] : [[tag, { kid, key }] as const];
    }),
  );
}

/** A key id is base64url of the tag and of what makes it unique. */
function tagOf(popKid: Uint8Array): string | undefined {
  const bytes = decodeBase64url(Buffer.from(popKid).toString('latin1'));
  if (bytes === undefined || bytes.length <= TAG_BYTES) return undefined;
  return Buffer.from(bytes.subarray(0, TAG_BYTES)).toString('base64url');
}
