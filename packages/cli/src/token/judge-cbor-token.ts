// Whether a CBOR Web Token would be taken, in the order in which a guard of @countersign/coap looks: RFC 9200 §5.10.1.1.
import { createPublicKey } from 'node:crypto';
import { ES256, verifySign1 } from '@countersign/cose';
import { type FollowedIssuerOptions, followIssuer } from '@countersign/resource-server/followed-issuer';
import type { CborToken } from './cbor-token.ts';

export type CborTokenReason =
  | 'unknown_key'
  | 'keys_unavailable'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'expired'
  | 'wrong_audience'
  | 'insufficient_scope'
  | 'cut_off'
  | 'cutoffs_stale';

/** Undefined: it would be taken, by who proves its key. Rejects where keys or cut-offs cannot be had. `clock`: epoch seconds. */
export async function judgeCborToken(
  token: CborToken,
  options: FollowedIssuerOptions & { readonly audience: string; readonly clock: () => number },
  scopes: readonly string[],
): Promise<CborTokenReason | undefined> {
  const { message, claims, kid } = token;
  const issuer = followIssuer(options);
  try {
    await issuer.ready();
    const signer = await issuer.findKey(kid, 'ES256');
    if (signer === 'unknown') return 'unknown_key';
    if (signer === 'unavailable') return 'keys_unavailable';
    const key = createPublicKey({ key: { ...signer.material }, format: 'jwk' });
    if (!verifySign1(message, { alg: ES256, key })) return 'bad_signature';
    if (claims.iss !== issuer.issuer) return 'wrong_issuer';
    if (options.clock() >= claims.exp) return 'expired';
    if (claims.aud !== options.audience) return 'wrong_audience';
    const held = claims.scope.split(' ');
    if (!scopes.every((scope) => held.includes(scope))) return 'insufficient_scope';
    const { sub, iat, crd, cti } = claims;
    const jti = Buffer.from(cti).toString('base64url');
    return issuer.fallen({ sub, client_id: sub, crd, iat, jti }, [kid]);
  } finally {
    issuer.close();
  }
}
