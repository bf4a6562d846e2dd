import { constants, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { Answer } from './exchange.ts';
import type { SeededScene } from './scene.ts';
import type { Target } from './target.ts';
import { askToken, type Params, type TokenAsk } from './token-request.ts';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export type AssertionAlgorithm = 'ES256' | 'ES384' | 'RS256' | 'RS384' | 'PS256' | 'EdDSA' | 'Ed25519';

/** A client's key pair; the JWK is the public part. */
export interface AssertionKey {
  readonly alg: AssertionAlgorithm;
  readonly privateKey: KeyObject;
  readonly jwk: Record<string, unknown>;
}

export function makeKey(alg: AssertionAlgorithm = 'ES256'): AssertionKey {
  const pair =
    alg === 'ES256' || alg === 'ES384'
      ? generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
      : alg === 'EdDSA' || alg === 'Ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { alg, privateKey: pair.privateKey, jwk: { ...pair.publicKey.export({ format: 'jwk' }), alg } };
}

/** RFC 7518 section 3, RFC 8037 section 3.1: a compact JWS, with whatever header and payload. */
export function signCompact(header: object, payload: object | string, key: AssertionKey): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const input = [JSON.stringify(header), text]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  return `${input}.${signatureOf(input, key).toString('base64url')}`;
}

function signatureOf(input: string, { alg, privateKey: key }: AssertionKey): Buffer {
  const data = Buffer.from(input);
  switch (alg) {
    case 'ES256':
      return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
    case 'ES384':
      return sign('sha384', data, { key, dsaEncoding: 'ieee-p1363' });
    case 'RS256':
      return sign('sha256', data, key);
    case 'RS384':
      return sign('sha384', data, key);
    case 'PS256':
      return sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'EdDSA':
    case 'Ed25519':
      return sign(null, data, key);
  }
}

/** A client of a scene that has a key. */
export interface AssertingClient {
  readonly scene: SeededScene;
  readonly key: AssertionKey;
  readonly credentialId: string;
  readonly target: Target;
  /** A good assertion, with what a test wants different. A member that is undefined is left out. */
  assertion(claims?: object, header?: object): string;
  /** Asks for a token with this assertion, or a fresh good one. */
  ask(assertion?: string, params?: Params, more?: Omit<TokenAsk, 'params'>): Promise<Answer>;
}

/** Registers a key for the client of a scene, under these terms. */
export async function giveKey(
  scene: SeededScene,
  key: AssertionKey = makeKey(),
  terms: Record<string, unknown> = {},
): Promise<AssertingClient> {
  const body = { type: 'private_key_jwt', jwk: key.jwk, ...terms };
  const made = await scene.admin.must('POST', `/identities/${scene.machine.identityId}/credentials`, body);
  const { target } = scene;

  function assertion(claims: object = {}, header: object = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const { id } = scene.client;
    const payload = {
      iss: id,
      sub: id,
      aud: target.issuer,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
      ...claims,
    };
    return signCompact({ alg: key.alg, typ: 'client-authentication+jwt', ...header }, payload, key);
  }
  return {
    scene,
    key,
    credentialId: String(made['id']),
    target,
    assertion,
    ask: (text = assertion(), params = {}, more = {}) =>
      askToken({
        target,
        params: { client_assertion_type: ASSERTION_TYPE, client_assertion: text, ...params },
        ...more,
      }),
  };
}
