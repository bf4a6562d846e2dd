// Claims of a JWT access token: RFC 9068 §2.2, with `cnf` (RFC 7800), `act` (RFC 8693 §4.1), and
// `crd`, `acs` and `via` of our own.
import { type Confirmation, parseConfirmation } from './confirmation.ts';
import { isNumericDate } from './numeric-date.ts';
import { parseScope, type ScopeToken } from './scope.ts';
import { isJsonObject, type JsonFault, type JsonObject, parseJsonObject } from './strict-json.ts';

/** Who acts for the subject; `act` nests, the outermost is the current actor. */
export interface Actor {
  readonly sub: string;
  readonly act?: Actor;
}

/** A token that another one was exchanged for, the credential it was issued on, what it opened where, and the key of its signature. */
export interface ExchangedToken {
  readonly jti: string;
  readonly crd: string;
  readonly aud: string;
  readonly scope: string;
  readonly kid: string;
}

export interface AccessTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly client_id: string;
  /** Never empty. */
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly nbf?: number;
  /** Tokens of the `scope` claim; empty when the claim is absent. */
  readonly scope: readonly ScopeToken[];
  readonly cnf?: Confirmation;
  readonly act?: Actor;
  /** The tokens it was exchanged for, the latest first: what ends one of them ends this one. */
  readonly via?: readonly ExchangedToken[];
  /** Credential id. */
  readonly crd?: string;
  /** Access id. */
  readonly acs?: string;
  /** Every claim as it came, for those not listed here. */
  readonly all: JsonObject;
}

export type AccessTokenClaim =
  | 'iss'
  | 'sub'
  | 'client_id'
  | 'aud'
  | 'exp'
  | 'iat'
  | 'jti'
  | 'nbf'
  | 'scope'
  | 'cnf'
  | 'act'
  | 'via'
  | 'crd'
  | 'acs';

export type AccessTokenClaimsFault = JsonFault | `missing_${AccessTokenClaim}` | `bad_${AccessTokenClaim}`;

export type AccessTokenClaimsResult =
  | { readonly ok: true; readonly claims: AccessTokenClaims }
  | { readonly ok: false; readonly fault: AccessTokenClaimsFault };

const MAX_ACTORS = 8;
const LIMITS = { maxDepth: 32, maxBytes: 16_384 } as const;
const NO_SCOPE: readonly ScopeToken[] = Object.freeze([]);

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/** Reads the payload of an access token. Types and presence only; time, issuer and audience are `checkAccessToken`. */
export function parseAccessTokenClaims(payload: Uint8Array): AccessTokenClaimsResult {
  const parsed = parseJsonObject(payload, LIMITS);
  if (!parsed.ok) return parsed;
  const all = parsed.value;
  const own = ownClaims(all);
  const { iss, exp, aud, sub, client_id, iat, jti } = own;
  // RFC 9068 §2.2: all seven are required. Spelled out: this is what verifying costs beside the signature.
  if (!isText(iss)) return refuse(faultOf('iss', iss));
  if (!isNumericDate(exp)) return refuse(faultOf('exp', exp));
  if (!isAudience(aud)) return refuse(faultOf('aud', aud));
  if (!isText(sub)) return refuse(faultOf('sub', sub));
  if (!isText(client_id)) return refuse(faultOf('client_id', client_id));
  if (!isNumericDate(iat)) return refuse(faultOf('iat', iat));
  if (!isText(jti)) return refuse(faultOf('jti', jti));
  const audience = typeof aud === 'string' ? [aud] : aud;
  const claims: Writable<AccessTokenClaims> = {
    iss,
    sub,
    client_id,
    aud: audience,
    exp,
    iat,
    jti,
    scope: NO_SCOPE,
    all,
  };
  const fault = addOptional(claims, own);
  return fault === undefined ? { ok: true, claims } : refuse(fault);
}

function addOptional(
  claims: Writable<AccessTokenClaims>,
  { nbf, crd, acs, scope, cnf, act, via }: OwnClaims,
): `bad_${AccessTokenClaim}` | undefined {
  if (scope !== undefined) {
    const tokens = typeof scope === 'string' ? parseScope(scope) : undefined;
    if (tokens === undefined) return 'bad_scope';
    claims.scope = tokens;
  }
  if (crd !== undefined) {
    if (!isText(crd)) return 'bad_crd';
    claims.crd = crd;
  }
  if (acs !== undefined) {
    if (!isText(acs)) return 'bad_acs';
    claims.acs = acs;
  }
  if (nbf !== undefined) {
    if (!isNumericDate(nbf)) return 'bad_nbf';
    claims.nbf = nbf;
  }
  if (cnf !== undefined) {
    const confirmation = parseConfirmation(cnf);
    if (confirmation === undefined) return 'bad_cnf';
    claims.cnf = confirmation;
  }
  if (act !== undefined) {
    const actor = parseActor(act, 1);
    if (actor === undefined) return 'bad_act';
    claims.act = actor;
  }
  if (via !== undefined) {
    if (!isVia(via)) return 'bad_via';
    claims.via = via;
  }
  return undefined;
}

type Required = 'iss' | 'exp' | 'aud' | 'sub' | 'client_id' | 'iat' | 'jti';
type OwnClaims = { [name in AccessTokenClaim]: unknown };

/** The claims that are known here, own members only: what a prototype says is no claim. JSON has no `undefined`. */
function ownClaims(all: JsonObject): OwnClaims {
  const found: OwnClaims = {
    iss: undefined,
    sub: undefined,
    client_id: undefined,
    aud: undefined,
    exp: undefined,
    iat: undefined,
    jti: undefined,
    nbf: undefined,
    scope: undefined,
    cnf: undefined,
    act: undefined,
    via: undefined,
    crd: undefined,
    acs: undefined,
  };
  for (const name of Object.keys(all)) {
    switch (name) {
      case 'iss':
      case 'sub':
      case 'client_id':
      case 'aud':
      case 'exp':
      case 'iat':
      case 'jti':
      case 'nbf':
      case 'scope':
      case 'cnf':
      case 'act':
      case 'via':
      case 'crd':
      case 'acs':
        found[name] = all[name];
    }
  }
  return found;
}

function faultOf(name: Required, value: unknown): `missing_${Required}` | `bad_${Required}` {
  return value === undefined ? `missing_${name}` : `bad_${name}`;
}

function parseActor(value: unknown, depth: number): Actor | undefined {
  if (depth > MAX_ACTORS || !isJsonObject(value) || !isText(value['sub'])) return undefined;
  if (!Object.hasOwn(value, 'act')) return { sub: value['sub'] };
  const act = parseActor(value['act'], depth + 1);
  return act === undefined ? undefined : { sub: value['sub'], act };
}

const VIA = ['jti', 'crd', 'aud', 'scope', 'kid'] satisfies (keyof ExchangedToken)[];

function isVia(value: unknown): value is readonly ExchangedToken[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_ACTORS &&
    value.every((each) => isJsonObject(each) && VIA.every((name) => isText(each[name])))
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

function isAudience(value: unknown): value is string | readonly string[] {
  return isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText));
}

function refuse(fault: AccessTokenClaimsFault): AccessTokenClaimsResult {
  return { ok: false, fault };
}
