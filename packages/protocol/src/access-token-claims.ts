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
  /** Every claim as it came, for those not listed here. No enumerable member: a copy by spreading does not have it. */
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

/** What each claim is read into; `undefined` for what it cannot be. */
const READERS: { readonly [name in AccessTokenClaim]: (value: unknown) => unknown } = {
  iss: readText,
  aud: readAudience,
  sub: readText,
  client_id: readText,
  scope: (value) => (typeof value === 'string' ? parseScope(value) : undefined),
  iat: readDate,
  exp: readDate,
  jti: readText,
  crd: readText,
  acs: readText,
  nbf: readDate,
  cnf: parseConfirmation,
  act: (value) => parseActor(value, 1),
  via: readVia,
};
const ACCESS_TOKEN_CLAIMS = Object.keys(READERS) as readonly AccessTokenClaim[];
/** RFC 9068 §2.2. */
const REQUIRED = ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti'];

/**
 * Reads the payload of an access token: the first `length` bytes. Types and presence only; time, issuer and audience are
 * `checkAccessToken`.
 */
export function parseAccessTokenClaims(
  payload: Uint8Array,
  length: number = payload.length,
): AccessTokenClaimsResult {
  const parsed = parseJsonObject(payload.subarray(0, length), LIMITS);
  return parsed.ok ? claimsOf(ownClaims(parsed.value), parsed.value) : parsed;
}

/** In the order of `ACCESS_TOKEN_CLAIMS`, own members only: what a prototype says is no claim. JSON has no `undefined`. */
function ownClaims(all: JsonObject): readonly unknown[] {
  return ACCESS_TOKEN_CLAIMS.map((name) => (Object.hasOwn(all, name) ? all[name] : undefined));
}

/** In the order of `ACCESS_TOKEN_CLAIMS`. */
function claimsOf(values: readonly unknown[], all: JsonObject): AccessTokenClaimsResult {
  const claims = new ReadClaims(all) as unknown as { [name in AccessTokenClaim]: unknown };
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    const name = ACCESS_TOKEN_CLAIMS[at] as AccessTokenClaim;
    if (value !== undefined) {
      const read = READERS[name](value);
      if (read === undefined) return { ok: false, fault: `bad_${name}` };
      claims[name] = read;
    } else if (REQUIRED.includes(name)) return { ok: false, fault: `missing_${name}` };
  }
  return { ok: true, claims: claims as unknown as AccessTokenClaims };
}

/** What every reading of claims gives. `all` may be the JSON that they are written in: nobody asks most tokens for it. */
export class ReadClaims {
  scope: readonly ScopeToken[] = NO_SCOPE;
  #all: string | JsonObject;

  constructor(all: string | JsonObject) {
    this.#all = all;
  }

  get all(): JsonObject {
    if (typeof this.#all === 'string') this.#all = JSON.parse(this.#all) as JsonObject;
    return this.#all;
  }
}

function parseActor(value: unknown, depth: number): Actor | undefined {
  if (depth > MAX_ACTORS || !isJsonObject(value) || !isText(value['sub'])) return undefined;
  if (!Object.hasOwn(value, 'act')) return { sub: value['sub'] };
  const act = parseActor(value['act'], depth + 1);
  return act === undefined ? undefined : { sub: value['sub'], act };
}

const VIA = ['jti', 'crd', 'aud', 'scope', 'kid'] satisfies (keyof ExchangedToken)[];

function readVia(value: unknown): unknown {
  const isVia =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_ACTORS &&
    value.every((each) => isJsonObject(each) && VIA.every((name) => isText(each[name])));
  return isVia ? value : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

function readText(value: unknown): unknown {
  return isText(value) ? value : undefined;
}

function readDate(value: unknown): unknown {
  return isNumericDate(value) ? value : undefined;
}

function readAudience(value: unknown): unknown {
  if (isText(value)) return [value];
  return Array.isArray(value) && value.length > 0 && value.every(isText) ? value : undefined;
}
