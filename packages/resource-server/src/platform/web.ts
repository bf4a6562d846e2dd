// Web Crypto and nothing else: Deno, Bun, edge runtimes, browsers. RFC 7515 §5.2 on RFC 7518 §3, RFC 8037 §3.1; FIPS 180-4, RFC 2104.
import {
  inRange,
  JWS_ALGORITHMS,
  type JwsAlgorithm,
  type ParsedJws,
  parseAccessTokenClaims,
  type PublicJwk,
} from '@countersign/protocol/portable';
import type { Platform, PlatformKey } from './platform.ts';

/** As the platform's own types have it, whichever platform that is. */
type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

interface WebKey extends PlatformKey {
  /** Undefined for a key that the platform does not take. */
  readonly imported: Promise<ImportedKey | undefined>;
}

interface Parameters {
  readonly name: string;
  readonly hash?: string;
  readonly namedCurve?: string;
  readonly saltLength?: number;
}

function importKey(jwk: PublicJwk): PlatformKey {
  const imported = crypto.subtle
    .importKey('jwk', { ...jwk.material }, parametersOf(jwk.alg), false, ['verify'])
    .catch(() => undefined);
  return { ...jwk, imported } satisfies WebKey as PlatformKey;
}

export const webPlatform: Platform = {
  importKey,
  async readKeys(source, issuer) {
    const { readKeySet } = await import('../key-set.ts');
    return readKeySet(source, issuer, importKey);
  },
  parseClaims: parseAccessTokenClaims,
  async verify(jws, key) {
    const imported = await (key as WebKey).imported;
    // RFC 8725 §3.1: one key, one algorithm, checked at use.
    if (imported === undefined || jws.header.alg !== key.alg || !isWellFormed(jws, key.alg)) return false;
    const data = utf8.encode(jws.signingInput);
    return crypto.subtle
      .verify(parametersOf(key.alg), imported, jws.signature as Uint8Array<ArrayBuffer>, data)
      .catch(() => false);
  },
  sha256: (data) => import('./web-digests.ts').then(({ sha256 }) => sha256(data)),
  hmac: (key, text) => import('./web-digests.ts').then(({ hmac }) => hmac(key, text)),
  certificateHeader: undefined,
};

const utf8 = new TextEncoder();

/** The same for importing and verifying: each reads what it knows. */
function parametersOf(alg: JwsAlgorithm): Parameters {
  const row = JWS_ALGORITHMS[alg];
  if (row.kty === 'OKP') return { name: row.crv };
  const hash = row.hash === 'sha256' ? 'SHA-256' : 'SHA-384';
  if (row.kty === 'EC') return { name: 'ECDSA', namedCurve: row.crv, hash };
  return row.pssSaltLength === undefined
    ? { name: 'RSASSA-PKCS1-v1_5', hash }
    : { name: 'RSA-PSS', hash, saltLength: row.pssSaltLength };
}

/** FIPS 186-5 §6.4.2, not left to the platform. */
function isWellFormed({ signature }: Pick<ParsedJws, 'signature'>, alg: JwsAlgorithm): boolean {
  const row = JWS_ALGORITHMS[alg];
  return row.kty !== 'EC' || (signature.length === row.width * 2 && inRange(signature, row.order));
}
