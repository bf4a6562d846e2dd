// The key that a client proves over DTLS: derived from its token, named in the handshake (RFC 9202 §3.3.1 and §3.3.2).
import { hkdfSync } from 'node:crypto';
import { namedSymmetricKid, symmetricCoseKey } from './cose-key.ts';
import { CNF, CWT } from './cwt-claims.ts';
import { type CborValue, decodeStrict, encodeCbor, isCborMap } from './strict-cbor.ts';

/** Bytes of the key: as many as the hash gives (RFC 4279 §7 wants entropy, not length). */
export const POP_KEY_BYTES = 32;
const TYPE = 'ACE-CoAP-DTLS-key-derivation';
/** `{8: {1: {1: 4, 2: kid}}}` with a kid of at most 255 bytes. */
const IDENTITY_LIMITS = { maxBytes: 288, maxDepth: 3, encoding: 'any' } as const;

/**
 * HKDF-SHA-256 over the name that the key has in a token. `derivationKey` is known to the authority and the resource server alone: so a
 * token may be read by anybody, and still nobody else has its key.
 *
 * RFC 9202 §3.3.1 leaves the method to the application ("This key identifier enables the resource server to calculate the symmetric key") and
 * gives an example in which the whole token stands where the name stands here. With that a second token for a key would have another key, and
 * no rights could be renewed as §4 wants it: for "the same that was used in the DTLS handshake". So names are unique (docs/decisions/0069).
 */
export function derivePopKey(derivationKey: Uint8Array, kid: Uint8Array): Uint8Array {
  const info = encodeCbor([TYPE, POP_KEY_BYTES, kid]);
  return new Uint8Array(hkdfSync('sha256', derivationKey, new Uint8Array(0), info, POP_KEY_BYTES));
}

/** What a client puts into `psk_identity` for a token that it has uploaded. */
export function pskIdentity(kid: Uint8Array): Uint8Array {
  return encodeCbor(new Map([[CWT.cnf, new Map([[CNF.coseKey, symmetricCoseKey(kid)]])]]));
}

/** The kid in a `psk_identity`; undefined for anything else, such as a token itself. Never throws. */
export function kidOfPskIdentity(identity: Uint8Array): Uint8Array | undefined {
  const read = decodeStrict(identity, IDENTITY_LIMITS);
  if (!read.ok || read.tags.length > 0) return undefined;
  const cnf = only(read.value, CWT.cnf);
  return namedSymmetricKid(only(cnf, CNF.coseKey));
}

function only(value: CborValue | undefined, key: number): CborValue | undefined {
  return isCborMap(value) && value.size === 1 ? value.get(key) : undefined;
}
