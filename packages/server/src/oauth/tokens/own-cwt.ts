// Reading back a CBOR Web Token that this authority issued: RFC 8392 §7.2. It is named by its base64url, for it is bytes.
import { ES256, HEADER, readCose, readCwtClaims, verifySign1 } from '@countersign/cose';
import { decodeBase64url } from '@countersign/protocol';
import { OWN_KID } from '../../keys/key-refresh.ts';
import type { Keystore } from '../../keys/keystore.ts';
import { secretTagOf } from './pop-key-id.ts';

export interface OwnCwtDeps {
  readonly issuer: string;
  readonly keystore: Pick<Keystore, 'verificationKey'>;
}

export interface OwnCwt {
  readonly kid: string;
  /** Its claims as a JWT would have them. */
  readonly payload: string;
  /** Of the secret that its key comes from. */
  readonly secretTag: number;
}

/** Undefined for everything that is no such token; `unknown_key` where that cannot be said, because its key is not here. Never throws. */
export function readOwnCwt(
  { issuer, keystore }: OwnCwtDeps,
  token: string,
): OwnCwt | 'unknown_key' | undefined {
  // Strict: a token has one spelling, or a remembered or revoked one could be shown in another.
  const bytes = decodeBase64url(token);
  const cose = bytes === undefined ? undefined : readCose(bytes);
  if (cose?.ok !== true || cose.message.kind !== 'sign1') return undefined;
  const { message } = cose;
  const named = message.protected.get(HEADER.kid);
  if (!(named instanceof Uint8Array)) return undefined;
  const kid = Buffer.from(named).toString('latin1');
  const key = keystore.verificationKey(kid);
  if (key === undefined) return OWN_KID.test(kid) ? 'unknown_key' : undefined;
  if (key.alg !== 'ES256' || !verifySign1(message, { alg: ES256, key: key.publicKey })) return undefined;
  const read = readCwtClaims(message.body);
  if (!read.ok || read.claims.iss !== issuer) return undefined;
  const { iss, sub, aud, exp, iat, cti, scope, crd, acs, kid: popKeyId } = read.claims;
  const payload = JSON.stringify({
    iss,
    sub,
    client_id: sub,
    aud,
    exp,
    iat,
    jti: Buffer.from(cti).toString('base64url'),
    scope,
    crd,
    acs,
    // RFC 7800 §3.4. Whoever takes a token without looking at a name of a key does not take this one.
    cnf: { kid: Buffer.from(popKeyId).toString('latin1') },
  });
  const secretTag = secretTagOf(popKeyId);
  return secretTag === undefined ? undefined : { kid, payload, secretTag };
}
