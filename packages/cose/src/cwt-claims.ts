// Claims of a CBOR Web Token: RFC 8392 §3.1, `cnf` of RFC 8747 §3.1, `scope` of RFC 8693 §4.2 under its CWT key.
import { namedSymmetricKid, symmetricCoseKey } from './cose-key.ts';
import { isBytes } from './cose-message.ts';
import {
  type CborKey,
  type CborLimits,
  type CborValue,
  decodeStrict,
  encodeCbor,
  isCborMap,
  TOKEN_LIMITS,
} from './strict-cbor.ts';

/** IANA "CBOR Web Token Claims"; `crd` and `acs` are private and go by name (RFC 8392 §1.1). */
export const CWT = {
  iss: 1,
  sub: 2,
  aud: 3,
  exp: 4,
  nbf: 5,
  iat: 6,
  cti: 7,
  cnf: 8,
  scope: 9,
  cnonce: 39,
} as const;
const CREDENTIAL = 'crd';
const ACCESS = 'acs';
/** RFC 8747 §3.1: how the key is told. */
export const CNF = { coseKey: 1, encryptedCoseKey: 2, kid: 3 } as const;

/** An access token of ours: bound to a symmetric key that it names and does not hold (RFC 9202 §3.3.1). */
export interface AccessCwtClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  /** Epoch seconds. */
  readonly exp: number;
  readonly iat: number;
  readonly cti: Uint8Array;
  /** As RFC 6749 §3.3 writes it. */
  readonly scope: string;
  /** Of the proof-of-possession key. */
  readonly kid: Uint8Array;
  readonly crd: string;
  readonly acs: string;
  /** RFC 9200 §5.8.4.4: what a resource server without a clock gave its client for the request. */
  readonly cnonce?: Uint8Array;
}

export type CwtFault = 'not_cbor' | 'bad_claims' | 'bad_cnf';

export type CwtResult =
  | { readonly ok: true; readonly claims: AccessCwtClaims }
  | { readonly ok: false; readonly fault: CwtFault };

export function writeCwtClaims(claims: AccessCwtClaims): Uint8Array {
  const { iss, sub, aud, exp, iat, cti, scope, kid, crd, acs, cnonce } = claims;
  const map = new Map<CborKey, CborValue>([
    [CWT.iss, iss],
    [CWT.sub, sub],
    [CWT.aud, aud],
    [CWT.exp, exp],
    [CWT.iat, iat],
    [CWT.cti, cti],
    [CWT.cnf, new Map([[CNF.coseKey, symmetricCoseKey(kid)]])],
    [CWT.scope, scope],
    [CREDENTIAL, crd],
    [ACCESS, acs],
  ]);
  if (cnonce !== undefined) map.set(CWT.cnonce, cnonce);
  return encodeCbor(map);
}

/** Reads the payload of a token whose signature has been verified. Never throws. */
export function readCwtClaims(payload: Uint8Array, limits: CborLimits = TOKEN_LIMITS): CwtResult {
  const read = decodeStrict(payload, limits);
  if (!read.ok || read.tags.length > 0 || !isCborMap(read.value)) return { ok: false, fault: 'not_cbor' };
  const map = read.value;
  const kid = confirmationKid(map.get(CWT.cnf));
  if (kid === undefined) return { ok: false, fault: 'bad_cnf' };
  const iss = text(map.get(CWT.iss));
  const sub = text(map.get(CWT.sub));
  const aud = text(map.get(CWT.aud));
  const scope = text(map.get(CWT.scope));
  const crd = text(map.get(CREDENTIAL));
  const acs = text(map.get(ACCESS));
  // RFC 8392 §2: a NumericDate MUST NOT have its tag. No token of ours has fractions of a second, or begins later.
  const exp = date(map.get(CWT.exp));
  const iat = date(map.get(CWT.iat));
  const cti = map.get(CWT.cti);
  const named = iss !== undefined && sub !== undefined && aud !== undefined && scope !== undefined;
  const traced = crd !== undefined && acs !== undefined && isBytes(cti) && cti.length > 0;
  const dated = exp !== undefined && iat !== undefined && !map.has(CWT.nbf);
  if (!named || !traced || !dated) return { ok: false, fault: 'bad_claims' };
  const cnonce = map.get(CWT.cnonce);
  if (cnonce !== undefined && !isBytes(cnonce)) return { ok: false, fault: 'bad_claims' };
  const claims = { iss, sub, aud, exp, iat, cti, scope, kid, crd, acs };
  return { ok: true, claims: cnonce === undefined ? claims : { ...claims, cnonce } };
}

/** `{COSE_Key: {kty: 4, kid}}` and nothing else: what a token may not hold is its key. */
function confirmationKid(cnf: CborValue | undefined): Uint8Array | undefined {
  if (!isCborMap(cnf) || cnf.size !== 1) return undefined;
  return namedSymmetricKid(cnf.get(CNF.coseKey));
}

function text(value: CborValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function date(value: CborValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}
