import { createHash, randomUUID } from 'node:crypto';
import { signCompact, type AssertionKey } from './client-assertion.ts';
import { currentTarget, type Target } from './target.ts';
import { askToken, type TokenAsk } from './token-request.ts';

/** Epoch seconds, `offset` from now. */
export function seconds(offset = 0): number {
  return Math.floor(Date.now() / 1000) + offset;
}

/** RFC 7638: the thumbprint of the public part. */
export function thumbprint({ jwk }: Pick<AssertionKey, 'jwk'>): string {
  const members = ['crv', 'e', 'kty', 'n', 'x', 'y'].filter((name) => jwk[name] !== undefined);
  const canonical = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return createHash('sha256').update(canonical).digest('base64url');
}

/** RFC 9449 section 4.2: the `ath` of a proof that comes with this token. */
export function accessTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/**
 * RFC 9449 section 4.2: a proof for the token endpoint of `target`, with what a test wants different. A member that is
 * undefined is left out; `by` signs in the place of the holder.
 */
export function dpopProof(
  key: AssertionKey,
  target: Target,
  claims: object = {},
  header: object = {},
  by: AssertionKey = key,
): string {
  const { alg: _alg, ...jwk } = key.jwk;
  const good = { jti: randomUUID(), htm: 'POST', htu: target.tokenEndpoint, iat: seconds() };
  return signCompact({ alg: key.alg, typ: 'dpop+jwt', jwk, ...header }, { ...good, ...claims }, by);
}

/** RFC 9449 section 8: the nonce that a client is told to put into its proofs; undefined where none is wanted. */
export async function learnNonce(key: AssertionKey, ask: TokenAsk): Promise<string | undefined> {
  const proof = dpopProof(key, ask.target ?? currentTarget());
  const answer = await askToken({ ...ask, headers: [...(ask.headers ?? []), ['DPoP', proof]] });
  const nonce = answer.headers['dpop-nonce'];
  return typeof nonce === 'string' ? nonce : undefined;
}
