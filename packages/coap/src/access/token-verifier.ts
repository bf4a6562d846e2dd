// Whether a CBOR Web Token may be held here: RFC 8392 §7.2, RFC 9200 §5.10.1, RFC 9202 §3.3.2.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { derivePopKey, ES256, HEADER, readCose, readCwtClaims, verifySign1 } from '@countersign/cose';
import type { FollowedIssuer, FollowedKey } from '@countersign/resource-server/followed-issuer';
import type { DerivationKeys } from './derivation-keys.ts';
import type { TokenFault } from './refusal.ts';
import type { HeldToken } from './token-store.ts';

export interface TokenVerifierDeps {
  readonly issuer: FollowedIssuer;
  readonly audience: string;
  readonly derivationKeys: Pick<DerivationKeys, 'find'>;
  /** Whether a scope means anything here. */
  readonly knowsScope: (scope: string) => boolean;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly leeway: number;
}

export interface TokenVerifier {
  /** Never throws on bad input. */
  verify(token: Uint8Array): Promise<HeldToken | TokenFault>;
  /** What has become of a token that was good. */
  fallen(token: HeldToken): TokenFault | undefined;
}

export function createTokenVerifier(deps: TokenVerifierDeps): TokenVerifier {
  function fallen({ claims, kids }: HeldToken): TokenFault | undefined {
    if (deps.clock() >= claims.exp) return 'expired';
    const { sub, iat, crd, cti } = claims;
    const subject = { sub, client_id: sub, crd, iat, jti: Buffer.from(cti).toString('base64url') };
    return deps.issuer.fallen(subject, kids);
  }

  return {
    fallen,
    async verify(token) {
      const cose = readCose(token);
      if (!cose.ok) return 'malformed';
      const { message } = cose;
      // What is not under the signature anybody may have written.
      const kid = textOf(message.protected.get(HEADER.kid));
      const isSigned = message.kind === 'sign1' && message.protected.get(HEADER.alg) === ES256;
      if (kid === undefined || !isSigned) return 'unknown_protection';
      const signer = await deps.issuer.findKey(kid, 'ES256');
      if (signer === 'unknown') return 'unknown_key';
      if (signer === 'unavailable') return 'keys_unavailable';
      if (!verifySign1(message, { alg: ES256, key: keyObjectOf(signer) })) return 'bad_signature';
      const read = readCwtClaims(message.body);
      if (!read.ok) return 'bad_claims';
      const { claims } = read;
      // RFC 9200 §5.10.1.1: of several faults the first in this order is told.
      if (claims.iss !== deps.issuer.issuer) return 'wrong_issuer';
      if (deps.clock() >= claims.exp) return 'expired';
      if (claims.aud !== deps.audience) return 'wrong_audience';
      if (claims.iat > deps.clock() + deps.leeway) return 'issued_in_the_future';
      if (!claims.scope.split(' ').some((scope) => deps.knowsScope(scope))) return 'unknown_scope';
      const shared = await deps.derivationKeys.find(claims.kid);
      if (shared === 'unknown') return 'unknown_derivation_key';
      if (shared === 'unavailable') return 'keys_unavailable';
      const held = { claims, key: derivePopKey(shared.key, claims.kid), kids: [kid, shared.kid] };
      return fallen(held) ?? held;
    },
  };
}

const keyObjects = new WeakMap<FollowedKey, KeyObject>();

function keyObjectOf(key: FollowedKey): KeyObject {
  let object = keyObjects.get(key);
  if (object === undefined) {
    object = createPublicKey({ key: { ...key.material }, format: 'jwk' });
    keyObjects.set(key, object);
  }
  return object;
}

function textOf(value: unknown): string | undefined {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : undefined;
}
