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

/** A token that another one was exchanged for, the credential it was issued on, and what it opened where. */
export interface ExchangedToken {
  readonly jti: string;
  readonly crd: string;
  readonly aud: string;
  readonly scope: string;
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

type Check = (value: unknown) => boolean;

/** RFC 9068 §2.2: all seven are required. */
const REQUIRED: readonly (readonly [AccessTokenClaim, Check])[] = [
  ['iss', isText],
  ['exp', isNumericDate],
  ['aud', isAudience],
  ['sub', isText],
  ['client_id', isText],
  ['iat', isNumericDate],
  ['jti', isText],
];

const OPTIONAL: readonly (readonly [AccessTokenClaim, Check])[] = [
  ['nbf', isNumericDate],
  ['crd', isText],
  ['acs', isText],
  ['via', isVia],
];

const MAX_ACTORS = 8;

/** Reads the payload of an access token. Types and presence only; time, issuer and audience are `checkAccessToken`. */
export function parseAccessTokenClaims(payload: Uint8Array): AccessTokenClaimsResult {
  const parsed = parseJsonObject(payload, { maxDepth: 32, maxBytes: 16_384 });
  if (!parsed.ok) return parsed;
  const all = parsed.value;
  for (const [name, check] of REQUIRED) {
    if (!Object.hasOwn(all, name)) return refuse(`missing_${name}`);
    if (!check(all[name])) return refuse(`bad_${name}`);
  }
  for (const [name, check] of OPTIONAL) {
    if (Object.hasOwn(all, name) && !check(all[name])) return refuse(`bad_${name}`);
  }
  let scope: readonly ScopeToken[] | undefined = [];
  if (Object.hasOwn(all, 'scope')) {
    scope = typeof all['scope'] === 'string' ? parseScope(all['scope']) : undefined;
    if (scope === undefined) return refuse('bad_scope');
  }
  let cnf: Confirmation | undefined;
  if (Object.hasOwn(all, 'cnf')) {
    cnf = parseConfirmation(all['cnf']);
    if (cnf === undefined) return refuse('bad_cnf');
  }
  let act: Actor | undefined;
  if (Object.hasOwn(all, 'act')) {
    act = parseActor(all['act'], 1);
    if (act === undefined) return refuse('bad_act');
  }
  return { ok: true, claims: assemble(all, scope, cnf, act) };
}

function assemble(
  all: JsonObject,
  scope: readonly ScopeToken[],
  cnf: Confirmation | undefined,
  act: Actor | undefined,
): AccessTokenClaims {
  const claims: { -readonly [name in keyof AccessTokenClaims]: AccessTokenClaims[name] } = {
    iss: all['iss'] as string,
    sub: all['sub'] as string,
    client_id: all['client_id'] as string,
    aud: Array.isArray(all['aud']) ? (all['aud'] as string[]) : [all['aud'] as string],
    exp: all['exp'] as number,
    iat: all['iat'] as number,
    jti: all['jti'] as string,
    scope,
    all,
  };
  if (Object.hasOwn(all, 'nbf')) claims.nbf = all['nbf'] as number;
  if (Object.hasOwn(all, 'crd')) claims.crd = all['crd'] as string;
  if (Object.hasOwn(all, 'acs')) claims.acs = all['acs'] as string;
  if (cnf !== undefined) claims.cnf = cnf;
  if (act !== undefined) claims.act = act;
  if (Object.hasOwn(all, 'via')) claims.via = all['via'] as readonly ExchangedToken[];
  return claims;
}

function parseActor(value: unknown, depth: number): Actor | undefined {
  if (depth > MAX_ACTORS || !isJsonObject(value) || !isText(value['sub'])) return undefined;
  if (!Object.hasOwn(value, 'act')) return { sub: value['sub'] };
  const act = parseActor(value['act'], depth + 1);
  return act === undefined ? undefined : { sub: value['sub'], act };
}

const VIA = ['jti', 'crd', 'aud', 'scope'] satisfies (keyof ExchangedToken)[];

function isVia(value: unknown): boolean {
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

function isAudience(value: unknown): boolean {
  return isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText));
}

function refuse(fault: AccessTokenClaimsFault): AccessTokenClaimsResult {
  return { ok: false, fault };
}
