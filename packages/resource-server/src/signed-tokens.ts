// Whose token it is: RFC 7515 §5.2, RFC 8725 §3.1. What does not change any more, so that it is found out once.
import { type JwsHeader, readCompactJws } from '@countersign/protocol/portable';
import { type Authority, type AuthenticToken, findSigner } from './authority.ts';
import type { Finding } from './finding.ts';
import type { Platform, PlatformKey } from './platform/platform.ts';
import { type VerifiedToken, VerifiedTokens } from './verified-tokens.ts';

/** Headers of good tokens that are remembered: one for each key, and a few for issuers that write them differently. */
const MAX_HEADERS = 64;

export interface SignedTokens {
  /** Form, signature, and that the key is still its issuer's, at `now`. At once where nobody has to be asked for keys. */
  authenticate(token: string, now: number): VerifiedToken | Finding | Promise<VerifiedToken | Finding>;
  /** Whether the key that signed is still its issuer's. */
  isStillSigned(token: AuthenticToken, now: number): boolean;
}

/** @param remember how many tokens */
export function openSignedTokens(
  authorities: ReadonlyMap<string, Authority>,
  platform: Platform,
  remember: number,
): SignedTokens {
  const tokens = new VerifiedTokens(remember);
  const headers = new Map<string, JwsHeader>();

  function isStillSigned({ authority, signer }: AuthenticToken, now: number): boolean {
    return signer !== undefined && authority.keys.known(signer.kid, signer.alg, now) === signer;
  }

  return {
    isStillSigned,
    authenticate(token, now) {
      const known = tokens.get(token);
      if (known !== undefined) {
        if (isStillSigned(known, now)) return known;
        tokens.forget(token);
      }
      const jws = readCompactJws(token, platform.parseClaims, headers);
      if (!jws.ok) return { reason: 'malformed_token', detail: jws.fault };
      const { header, headerPart, payload } = jws;
      if (!payload.ok) return { reason: 'bad_claims', detail: payload.fault };
      const { claims } = payload;
      // The issuer's name is not yet proven; it only says whose keys must prove it.
      const authority = authorities.get(claims.iss);
      if (authority === undefined) return { reason: 'wrong_issuer' };
      const keep = (signer: PlatformKey | Finding): VerifiedToken | Finding => {
        if ('reason' in signer) return signer;
        if (!headers.has(headerPart) && headers.size < MAX_HEADERS)
          headers.set(headerPart, Object.freeze(header));
        const verified = { authority, header, claims, signer, isOurs: false, clearedBy: undefined };
        tokens.add(token, verified);
        return verified;
      };
      const signer = findSigner(jws, authority, platform, now);
      return signer instanceof Promise ? signer.then(keep) : keep(signer);
    },
  };
}
