// Claims of a JWT access token (RFC 9068 §2.2) as most are written: flat, bearer's, with claims of ours alone.
import {
  type AccessTokenClaims,
  type AccessTokenClaimsResult,
  isText,
  parseAccessTokenClaims,
  ReadClaims,
} from './access-token-claims.ts';
import { type FlatJson, flatNames, readFlatJson } from './flat-json.ts';
import { isNumericDate } from './numeric-date.ts';
import { parseScope } from './scope.ts';

/** As our own tokens are written. */
const NAMES = flatNames([
  'iss',
  'aud',
  'sub',
  'client_id',
  'crd',
  'acs',
  'scope',
  'iat',
  'exp',
  'jti',
  'nbf',
]);

/**
 * `parseAccessTokenClaims` in a third of the time for such tokens, which is what verifying costs beside the signature. What is
 * not plainly good is read, and judged, there.
 */
export function parsePlainAccessTokenClaims(
  payload: Uint8Array,
  length: number = payload.length,
): AccessTokenClaimsResult {
  const flat = readFlatJson(payload, length, NAMES);
  const claims = flat && goodClaims(flat);
  return claims === undefined ? parseAccessTokenClaims(payload, length) : { ok: true, claims };
}

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/** The claims as `parseAccessTokenClaims` reads them, or `undefined`. Spelled out: a table is slower by half. */
function goodClaims({ text, values }: FlatJson): AccessTokenClaims | undefined {
  const [iss, aud, sub, client_id, crd, acs, scope, iat, exp, jti, nbf] = values;
  if (!isText(iss) || !isText(aud) || !isText(sub) || !isText(client_id) || !isText(jti)) return undefined;
  if (!isNumericDate(iat) || !isNumericDate(exp)) return undefined;
  const claims = new ReadClaims(text) as ReadClaims & Writable<AccessTokenClaims>;
  claims.iss = iss;
  claims.aud = [aud];
  claims.sub = sub;
  claims.client_id = client_id;
  claims.iat = iat;
  claims.exp = exp;
  claims.jti = jti;
  if (scope !== undefined) {
    const tokens = typeof scope === 'string' ? parseScope(scope) : undefined;
    if (tokens === undefined) return undefined;
    claims.scope = tokens;
  }
  if (crd !== undefined) {
    if (!isText(crd)) return undefined;
    claims.crd = crd;
  }
  if (acs !== undefined) {
    if (!isText(acs)) return undefined;
    claims.acs = acs;
  }
  if (nbf !== undefined) {
    if (!isNumericDate(nbf)) return undefined;
    claims.nbf = nbf;
  }
  return claims;
}
