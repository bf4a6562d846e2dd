// JSON Web Signature, compact serialization, taken apart: RFC 7515 §7.1, §5.2.
import { decodeBase64url } from './base64url.ts';
import { type JsonFault, parseJsonObject } from './strict-json.ts';

/** The header of a parsed JWS. `jku`, `jwk`, `x5u` and `x5c` may be there; no function here ever looks at them. */
export interface JwsHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  readonly cty?: string;
  readonly [name: string]: unknown;
}

export interface ParsedJws {
  readonly ok: true;
  readonly header: JwsHeader;
  /** The header as it came: base64url. */
  readonly headerPart: string;
  readonly payload: Uint8Array;
  /** What was signed: the first two parts with their dot. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

export type JwsFault =
  | JsonFault
  | 'not_compact'
  | 'bad_base64url'
  | 'bad_header_member'
  | 'crit_not_supported'
  | 'b64_not_supported'
  | 'encrypted';

export type JwsResult = ParsedJws | { readonly ok: false; readonly fault: JwsFault };

const HEADER_LIMITS = { maxDepth: 8, maxBytes: 8192 } as const;

/** Headers that are known, by the part of a JWS that they came in. Whoever keeps one bounds it. */
export type KnownHeaders = ReadonlyMap<string, JwsHeader>;

/**
 * Takes a compact JWS apart and checks everything but the signature and the meaning. Never throws.
 * `maxBytes` bounds the token; anything that is not base64url or a dot is refused (RFC 8725bis).
 * `known` saves reading a header again that this function has read: most tokens of an issuer have the same.
 */
export function parseCompactJws(token: string, maxBytes: number = 16_384, known?: KnownHeaders): JwsResult {
  if (token.length > maxBytes) return refuse('too_long');
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  // An empty signature is what "none" looks like.
  if (first <= 0 || second === -1 || second === token.length - 1 || token.includes('.', second + 1)) {
    return refuse('not_compact');
  }
  const payload = decodeBase64url(token.slice(first + 1, second));
  const signature = decodeBase64url(token.slice(second + 1));
  if (payload === undefined || signature === undefined) return refuse('bad_base64url');
  const headerPart = token.slice(0, first);
  const header = known?.get(headerPart) ?? readHeader(headerPart);
  if (typeof header === 'string') return refuse(header);
  return { ok: true, header, headerPart, payload, signingInput: token.slice(0, second), signature };
}

function readHeader(headerPart: string): JwsHeader | JwsFault {
  const bytes = decodeBase64url(headerPart);
  if (bytes === undefined) return 'bad_base64url';
  const parsed = parseJsonObject(bytes, HEADER_LIMITS);
  if (!parsed.ok) return parsed.fault;
  return headerFault(parsed.value) ?? (parsed.value as unknown as JwsHeader);
}

function headerFault(header: { readonly [name: string]: unknown }): JwsFault | undefined {
  // RFC 7515 §4.1.11: extensions must be understood, and none is.
  if (Object.hasOwn(header, 'crit')) return 'crit_not_supported';
  // RFC 7797 §7: not for JWTs.
  if (Object.hasOwn(header, 'b64')) return 'b64_not_supported';
  // A JWE must not pass for a JWS (RFC 8725bis, CVE-2023-51774).
  if (Object.hasOwn(header, 'enc')) return 'encrypted';
  if (!Object.hasOwn(header, 'alg') || typeof header['alg'] !== 'string') return 'bad_header_member';
  for (const name of ['kid', 'typ', 'cty']) {
    if (Object.hasOwn(header, name) && typeof header[name] !== 'string') return 'bad_header_member';
  }
  return undefined;
}

function refuse(fault: JwsFault): JwsResult {
  return { ok: false, fault };
}
