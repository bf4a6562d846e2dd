// JSON Web Signature, compact serialization, taken apart: RFC 7515 §7.1, §5.2.
import { decodeCharacters, decodeInto } from './base64url.ts';
import { type JsonFault, parseJsonObject } from './strict-json.ts';

/** The header of a parsed JWS. `jku`, `jwk`, `x5u` and `x5c` may be there; no function here ever looks at them. */
export interface JwsHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  readonly cty?: string;
  readonly [name: string]: unknown;
}

/** `Payload`: what its reader makes of it. */
export interface ParsedJws<Payload = Uint8Array> {
  readonly ok: true;
  readonly header: JwsHeader;
  /** The header as it came: base64url. */
  readonly headerPart: string;
  readonly payload: Payload;
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

export type JwsResult<Payload = Uint8Array> =
  | ParsedJws<Payload>
  | { readonly ok: false; readonly fault: JwsFault };

const HEADER_LIMITS = { maxDepth: 8, maxBytes: 8192 } as const;

/** Headers that are known, by the part of a JWS that they came in. Whoever keeps one bounds it. */
export type KnownHeaders = ReadonlyMap<string, JwsHeader>;

const MAX_CHARS = 16_384;
const encoder = new TextEncoder();

interface Room {
  readonly characters: Uint8Array;
  /** What they begin with; empty when that is not known. */
  signingInput: string;
  readonly decoded: Uint8Array;
}

function makeRoom(chars: number): Room {
  return {
    characters: new Uint8Array(chars),
    signingInput: '',
    // Node's buffers give their text fastest.
    decoded: globalThis.Buffer?.allocUnsafeSlow(chars) ?? new Uint8Array(chars),
  };
}

/** One token at a time is taken apart, so that one room does for all but the longest. */
const shared: Room = makeRoom(MAX_CHARS);

/** Memory that begins with the bytes of this signing input until the next token is read, if it is that of the last one. */
export function charactersOf(signingInput: string): Uint8Array | undefined {
  return signingInput === shared.signingInput ? shared.characters : undefined;
}

/**
 * Takes a compact JWS apart and checks everything but the signature and the meaning. Never throws.
 * `maxBytes` bounds the token; anything that is not base64url or a dot is refused (RFC 8725bis).
 */
export function parseCompactJws(token: string, maxBytes?: number): JwsResult {
  return readCompactJws(token, copyOf, undefined, maxBytes);
}

function copyOf(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, 0, length);
}

/**
 * The same without a copy of the payload: `read` is given the bytes where they were decoded, which is where the next
 * token's will be, and how many they are.
 * @param known saves reading a header again that this function has read: most tokens of an issuer have the same
 */
export function readCompactJws<Payload>(
  token: string,
  read: (bytes: Uint8Array, length: number) => Payload,
  known?: KnownHeaders,
  maxBytes: number = MAX_CHARS,
): JwsResult<Payload> {
  const { length } = token;
  if (length > maxBytes) return refuse('too_long');
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  // An empty signature is what "none" looks like.
  if (first <= 0 || second === -1 || second === length - 1 || token.includes('.', second + 1)) {
    return refuse('not_compact');
  }
  const room = length > MAX_CHARS ? makeRoom(length) : shared;
  const { characters, decoded } = room;
  room.signingInput = '';
  // Other than ASCII is longer; what was there before would be read in the place of the rest.
  if (encoder.encodeInto(token, characters).written !== length) return refuse('bad_base64url');
  const signingInput = token.slice(0, second);
  room.signingInput = signingInput;
  const signature = decodeCharacters(characters, second + 1, length);
  if (signature === undefined) return refuse('bad_base64url');
  const headerPart = token.slice(0, first);
  const header = known?.get(headerPart) ?? readHeader(decoded, decodeInto(decoded, characters, 0, first));
  if (typeof header === 'string') return refuse(header);
  const payloadLength = decodeInto(decoded, characters, first + 1, second);
  if (payloadLength < 0) return refuse('bad_base64url');
  const payload = read(decoded, payloadLength);
  return { ok: true, header, headerPart, payload, signingInput, signature };
}

function readHeader(bytes: Uint8Array, length: number): JwsHeader | JwsFault {
  if (length < 0) return 'bad_base64url';
  const parsed = parseJsonObject(bytes.subarray(0, length), HEADER_LIMITS);
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

function refuse(fault: JwsFault): { readonly ok: false; readonly fault: JwsFault } {
  return { ok: false, fault };
}
