// A SPIFFE trust bundle: SPIFFE_Trust_Domain_and_Bundle.md §4 of the SPIFFE specification, on RFC 7517 §5.
import { decodeBase64url } from './base64url.ts';
import { importPublicJwk, type VerificationKey } from './verification-key.ts';
import { readPublicJwk } from './jwk.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from './strict-json.ts';

export interface TrustBundle {
  readonly ok: true;
  /** Rises with every change of it; undefined where it does not say. */
  readonly sequence: number | undefined;
  /** Seconds after which to ask again; undefined where it does not say. */
  readonly refreshHint: number | undefined;
  /** Of JWT-SVIDs, each with its `kid`. */
  readonly jwtKeys: readonly VerificationKey[];
  /** Of X.509-SVIDs: certificates of authorities, DER, not looked at yet. */
  readonly certificates: readonly Uint8Array[];
}

export type TrustBundleFault = 'malformed' | 'no_keys_member' | 'too_many_keys' | 'duplicate_kid';
export type TrustBundleResult = TrustBundle | { readonly ok: false; readonly fault: TrustBundleFault };

const MAX_BYTES = 262_144;
const MAX_KEYS = 100;

/** Reads a bundle. What it has of other uses and kinds is passed over, as the specification wants it. Never throws. */
export function parseTrustBundle(source: string | Uint8Array): TrustBundleResult {
  const read = parseJsonObject(source, { maxDepth: 8, maxBytes: MAX_BYTES });
  if (!read.ok) return refuse('malformed');
  const {
    spiffe_sequence: sequence,
    spiffe_refresh_hint: hint,
    keys,
  } = read.value as Record<string, unknown>;
  // §4.1.1: none is trusted where the list is empty; where it is missing something is wrong.
  if (!Array.isArray(keys)) return refuse('no_keys_member');
  if (keys.length > MAX_KEYS) return refuse('too_many_keys');
  const jwtKeys: VerificationKey[] = [];
  const certificates: Uint8Array[] = [];
  for (const jwk of (keys as unknown[]).filter(isJsonObject)) {
    if (jwk['use'] === 'jwt-svid') jwtKeys.push(...jwtKeyOf(jwk));
    else if (jwk['use'] === 'x509-svid') certificates.push(...certificateOf(jwk));
  }
  if (new Set(jwtKeys.map(({ kid }) => kid)).size !== jwtKeys.length) return refuse('duplicate_kid');
  return { ok: true, sequence: wholeOf(sequence), refreshHint: wholeOf(hint), jwtKeys, certificates };
}

/** §4.2.2: a key of JWT-SVIDs has a `kid`; RSA keys seldom say their algorithm, and RS256 is what they sign with then. */
function jwtKeyOf({ use: _use, ...jwk }: JsonObject): readonly VerificationKey[] {
  const key = readPublicJwk(jwk, { rsaAlgorithm: 'RS256' });
  const imported = key.ok && key.key.kid !== undefined ? importPublicJwk(key.key) : undefined;
  return imported === undefined ? [] : [imported];
}

/** X509-SVID.md §6.2: of several certificates the first one alone. RFC 7517 §4.7: base64, not base64url. */
function certificateOf({ x5c }: JsonObject): readonly Uint8Array[] {
  const [only] = Array.isArray(x5c) ? (x5c as unknown[]) : [];
  if (typeof only !== 'string') return [];
  const bytes = decodeBase64url(
    only
      .replace(/={1,2}$/, '')
      .replaceAll('+', '-')
      .replaceAll('/', '_'),
  );
  return bytes === undefined ? [] : [bytes];
}

function wholeOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function refuse(fault: TrustBundleFault): { readonly ok: false; readonly fault: TrustBundleFault } {
  return { ok: false, fault };
}
