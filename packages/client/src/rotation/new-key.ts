// A key pair that a client makes for itself, and the proof that it holds it: RFC 7517 §4, RFC 7800 §3.1.
import { createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import {
  encodeBase64url,
  type JsonWebKey,
  jwkThumbprint,
  jwsSignature,
  NEW_KEY_PROOF_TYP,
} from '@countersign/protocol';

/** P-256, as PEM (PKCS #8). */
export async function makeKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

export interface NewKeyProof {
  /** RFC 7638: how the present key names the new one. */
  readonly thumbprint: string;
  readonly proof: string;
}

/** `iat`: epoch seconds. Throws for what is no P-256 key in PEM. */
export function proveNewKey(
  pem: string,
  { clientId, issuer, iat }: { readonly clientId: string; readonly issuer: string; readonly iat: number },
): NewKeyProof {
  const keyObject = createPrivateKey(pem);
  const { kty, crv, x, y } = createPublicKey(keyObject).export({ format: 'jwk' });
  const jwk = { kty, crv, x, y } as unknown as JsonWebKey;
  const header = { alg: 'ES256', typ: NEW_KEY_PROOF_TYP, jwk };
  const claims = { iss: clientId, aud: issuer, iat };
  const input = [header, claims].map((part) => encodeBase64url(JSON.stringify(part))).join('.');
  return {
    thumbprint: jwkThumbprint(jwk),
    proof: `${input}.${jwsSignature(input, { kid: undefined, alg: 'ES256', keyObject })}`,
  };
}
