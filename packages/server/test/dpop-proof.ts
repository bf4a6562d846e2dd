import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { jwkThumbprint, type JsonWebKey, signJws } from '@countersign/protocol';
import { ISSUER } from './token-scene.ts';

/** A holder's key for DPoP. */
export interface ProofKey {
  readonly privateKey: KeyObject;
  readonly jwk: JsonWebKey;
  readonly jkt: string;
}

export function proofKey(): ProofKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' }) as unknown as JsonWebKey;
  return { privateKey, jwk, jkt: jwkThumbprint(jwk) };
}

/** A proof for the token endpoint of a token scene, made at `iat`. */
export function proofOf({ privateKey, jwk }: ProofKey, iat: number, claims: object = {}): string {
  const payload = { jti: randomUUID(), htm: 'POST', htu: `${ISSUER}/oauth/token`, iat, ...claims };
  const signer = { kid: undefined, alg: 'ES256', keyObject: privateKey } as const;
  return signJws({ typ: 'dpop+jwt', jwk }, JSON.stringify(payload), signer);
}
