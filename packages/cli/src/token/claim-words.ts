// What the claims and header members of an access token say: RFC 7519 §4.1, RFC 9068 §2, RFC 7800, RFC 8693 §4.1.
import { relative } from '../flags/time.ts';

export interface ExplainedMember {
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
}

const HEADER_WORDS: Readonly<Record<string, string>> = {
  alg: 'algorithm of the signature',
  kid: 'key that signed it, to be found in the JWKS of the issuer',
  typ: 'kind of token; at+jwt is an access token',
};

const CLAIM_WORDS: Readonly<Record<string, string>> = {
  iss: 'authority that is said to have issued it',
  sub: 'identity that it is about',
  client_id: 'identity that asked for it',
  aud: 'API that it is for; every other one must refuse it',
  scope: 'what it allows at that API',
  iat: 'issued',
  exp: 'expires',
  nbf: 'not to be used before',
  jti: 'its id, for `countersign audit events --jti` and cut-offs',
  crd: 'credential that the identity proved itself with',
  acs: 'access that it was issued under',
  cnf: 'key or certificate that must be shown with it',
  act: 'who acts for the subject',
  auth_time: 'time of the sign-in',
};

const TIMES: ReadonlySet<string> = new Set(['iat', 'exp', 'nbf', 'auth_time']);

export function explainHeader(header: object): readonly ExplainedMember[] {
  return Object.entries(header).map(([name, value]) => ({
    name,
    value: textOf(value),
    meaning: HEADER_WORDS[name] ?? '',
  }));
}

/** Claims in their order, times also as people read them. `now` in epoch ms. */
export function explainClaims(claims: object, now: number): readonly ExplainedMember[] {
  return Object.entries(claims).map(([name, value]) => ({
    name,
    value: textOf(value),
    meaning: TIMES.has(name) ? timeMeaning(name, value, now) : (CLAIM_WORDS[name] ?? ''),
  }));
}

function timeMeaning(name: string, value: unknown, now: number): string {
  const word = CLAIM_WORDS[name] ?? name;
  const at = typeof value === 'number' ? new Date(value * 1000) : undefined;
  if (at === undefined || Number.isNaN(at.getTime())) return `${word}: no time`;
  const instant = at.toISOString();
  const past = name === 'exp' && at.getTime() <= now ? 'expired' : word;
  return `${past} ${instant.replace('.000Z', 'Z')}, ${relative(instant, now)}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
