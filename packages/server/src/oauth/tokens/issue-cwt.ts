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
import type { AceTerms } from './authorization.ts';
import { isPopKeyIdOf, newPopKeyId } from './pop-key-id.ts';

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

/**
 * Why the key is derived and not carried: docs/decisions/0055; why from its name: 0069. Rejects `Refusal` for a token that no resource server
 * would read, and for a key that is not this client's.
 */
export async function issueCwt(
  { keystore, random }: IssueCwtDeps,
  claims: Omit<AccessCwtClaims, 'kid' | 'cnonce'>,
  { popKeyId, cnonce }: AceTerms = {},
): Promise<IssuedCwt> {
  const sealing = await keystore.sealingKey();
  const holder = { clientId: claims.sub, audience: claims.aud };
  if (popKeyId !== undefined && !isPopKeyIdOf(sealing, holder, popKeyId, claims.iat))
    throw new Refusal('ace_pop_key_unknown');
  const kid = popKeyId ?? newPopKeyId(sealing, holder, random, claims.iat);
  const payload = writeCwtClaims({ ...claims, kid, ...(cnonce === undefined ? {} : { cnonce }) });
  let finish: ((signature: Uint8Array) => Uint8Array) | undefined;
  const signature = await keystore.signBytes('ES256', (signer) => {
    const draft = draftSign1(ES256, signer, payload);
    finish = draft.finish;
    return draft.toBeSigned;
  });
  if (finish === undefined) throw new Error('nothing was signed');
  const token = finish(signature);
  if (token.length > TOKEN_LIMITS.maxBytes) throw new Refusal('token_too_large');
  return { token, kid, key: derivePopKey(derivationKey(sealing, claims.aud), kid) };
}

/** Shared by the authority and one resource server: RFC 9202 §3.3.1 wants it unique for each pair. */
export function derivationKey(sealing: SealingKey, audience: string): Uint8Array {
  return sealing.derive(`countersign/v1/ace-derivation-key/${audience}`);
}
