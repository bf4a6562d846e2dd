// Access tokens as CBOR Web Tokens (RFC 8392 §7.1, COSE_Sign1), each bound to a key that only its client gets (RFC 9202 §3.3.1).
import {
  type AccessCwtClaims,
  derivePopKey,
  draftSign1,
  ES256,
  TOKEN_LIMITS,
  writeCwtClaims,
} from '@countersign/cose';
import type { RandomBytes } from '../../ids.ts';
import type { Keystore, SealingKey } from '../../keys/keystore.ts';
import { Refusal } from '../refusal.ts';

export interface IssueCwtDeps {
  readonly keystore: Pick<Keystore, 'signBytes' | 'sealingKey'>;
  readonly random: RandomBytes;
}

export interface IssuedCwt {
  readonly token: Uint8Array;
  /** What the client calls its key. */
  readonly kid: Uint8Array;
  /** The client's alone: the token does not hold it. */
  readonly key: Uint8Array;
}

/** Beside the four bytes that say which secret the key is derived from. */
const KID_RANDOM_BYTES = 8;
export const KEY_TAG_BYTES = 4;

/** Why the key is derived and not carried: docs/decisions/0055. Rejects `Refusal` for a token that no resource server would read. */
export async function issueCwt(
  { keystore, random }: IssueCwtDeps,
  claims: Omit<AccessCwtClaims, 'kid'>,
): Promise<IssuedCwt> {
  const sealing = await keystore.sealingKey();
  const kid = newKid(sealing, random);
  const payload = writeCwtClaims({ ...claims, kid });
  let finish: ((signature: Uint8Array) => Uint8Array) | undefined;
  const signature = await keystore.signBytes('ES256', (signer) => {
    const draft = draftSign1(ES256, signer, payload);
    finish = draft.finish;
    return draft.toBeSigned;
  });
  if (finish === undefined) throw new Error('nothing was signed');
  const token = finish(signature);
  if (token.length > TOKEN_LIMITS.maxBytes) throw new Refusal('token_too_large');
  return { token, kid, key: derivePopKey(derivationKey(sealing, claims.aud), token) };
}

/** Shared by the authority and one resource server: RFC 9202 §3.3.1 wants it unique for each pair. */
export function derivationKey(sealing: SealingKey, audience: string): Uint8Array {
  return sealing.derive(`countersign/v1/ace-derivation-key/${audience}`);
}

/** How a kid begins under this secret. */
export function keyTag({ tag }: Pick<SealingKey, 'tag'>): Buffer {
  const bytes = Buffer.alloc(KEY_TAG_BYTES);
  bytes.writeUInt32BE(tag);
  return bytes;
}

/** In letters and digits: a device's tools take it from a command line, where a zero byte would end it. */
function newKid(sealing: SealingKey, random: RandomBytes): Uint8Array {
  const text = Buffer.concat([keyTag(sealing), random(KID_RANDOM_BYTES)]).toString('base64url');
  return new TextEncoder().encode(text);
}
