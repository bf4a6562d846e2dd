import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { type JsonWebKey, type JwsAlgorithm, signJws } from '@countersign/protocol';
import { credentialRecord } from '../src/storage/contract/records.ts';
import type { CredentialMaterial, CredentialRecord } from '../src/storage/credentials.ts';
import { ISSUER, type TokenScene } from './token-scene.ts';

/** A client's key for private_key_jwt. */
export interface ClientKey {
  readonly alg: JwsAlgorithm;
  readonly privateKey: KeyObject;
  readonly jwk: JsonWebKey;
}

export function clientKey(alg: JwsAlgorithm = 'ES256'): ClientKey {
  const { privateKey, publicKey } = pairFor(alg);
  return { alg, privateKey, jwk: publicKey.export({ format: 'jwk' }) as unknown as JsonWebKey };
}

function pairFor(alg: JwsAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (alg.startsWith('Ed')) return generateKeyPairSync('ed25519');
  if (!alg.startsWith('ES')) return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' });
}

type KeyMaterial = Extract<CredentialMaterial, { type: 'private_key_jwt' }>;

/** Registers the key for the client of a scene, or its `jwksUri`; members in `change` are otherwise. */
export async function addClientKey(
  scene: Pick<TokenScene, 'storage' | 'identity'>,
  { jwk, alg }: ClientKey,
  change: Partial<KeyMaterial> & { readonly record?: Partial<CredentialRecord> } = {},
): Promise<CredentialRecord> {
  const { record: more, ...rest } = change;
  const material: KeyMaterial = {
    type: 'private_key_jwt',
    ...(change.jwksUri === undefined ? { jwk: { ...jwk, alg } } : {}),
    allowTokenEndpointAudience: false,
    ...rest,
  };
  const record = credentialRecord(scene.identity.id, { material, ...more });
  await scene.storage.credentials.insert(record);
  return record;
}

/** An assertion of the client `payments` of a scene, made at `iat` (epoch seconds). */
export function assertionOf(
  { alg, privateKey }: ClientKey,
  iat: number,
  claims: object = {},
  header: object = {},
): string {
  const payload = {
    iss: 'payments',
    sub: 'payments',
    aud: ISSUER,
    jti: randomUUID(),
    iat,
    exp: iat + 60,
    ...claims,
  };
  const signer = { kid: undefined, alg, keyObject: privateKey };
  return signJws({ typ: 'client-authentication+jwt', ...header }, JSON.stringify(payload), signer);
}

/** The parameters of a request that is authenticated by it. */
export function assertionForm(assertion: string, change: object = {}): string {
  return new URLSearchParams({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...change,
  }).toString();
}
