// SPIFFE ID and trust domain name: SPIFFE-ID.md §2 of the SPIFFE specification. No RFC: it narrows the URI of RFC 3986 §3.

declare const spiffeIdBrand: unique symbol;
declare const trustDomainBrand: unique symbol;

/** Lower-case name of a trust domain, without scheme. Two are equal only as equal strings. */
export type TrustDomain = string & { readonly [trustDomainBrand]: true };

/** `spiffe://` trust domain and path, as it is compared: byte by byte (SPIFFE-ID.md §2). */
export type SpiffeIdText = string & { readonly [spiffeIdBrand]: true };

export interface SpiffeId {
  readonly text: SpiffeIdText;
  readonly trustDomain: TrustDomain;
  /** Empty, which is the trust domain itself, or `/` and segments. */
  readonly path: string;
}

const SCHEME = 'spiffe://';
/** SPIFFE-ID.md §2.3: as long as must be taken, and nothing longer. */
export const MAX_SPIFFE_ID_BYTES = 2048;
/** SPIFFE-ID.md §2.1 and §2.3. */
export const MAX_TRUST_DOMAIN_BYTES = 255;

/** Reads a trust domain name; `undefined` when it is not one. Upper case is refused, as go-spiffe does. */
export function parseTrustDomain(text: string): TrustDomain | undefined {
  if (text.length === 0 || text.length > MAX_TRUST_DOMAIN_BYTES) return undefined;
  for (let at = 0; at < text.length; at++) if (!isTrustDomainChar(text.charCodeAt(at))) return undefined;
  return text as TrustDomain;
}

/**
 * Reads a SPIFFE ID by hand: a URL parser would resolve dots, decode percent signs and lower what it likes, and two texts
 * would be one ID. `undefined` when it is not one. The trust domain alone is one: where only workloads are meant, look for a path.
 */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > MAX_SPIFFE_ID_BYTES || !text.startsWith(SCHEME)) return undefined;
  const slash = text.indexOf('/', SCHEME.length);
  const end = slash < 0 ? text.length : slash;
  const trustDomain = parseTrustDomain(text.slice(SCHEME.length, end));
  const path = text.slice(end);
  if (trustDomain === undefined || !isPath(path)) return undefined;
  return { text: text as SpiffeIdText, trustDomain, path };
}

/** The ID with these segments below the trust domain; `undefined` where one of them may not stand there, or it is too long. */
export function spiffeIdOf(trustDomain: TrustDomain, ...segments: readonly string[]): SpiffeId | undefined {
  return parseSpiffeId([SCHEME + trustDomain, ...segments].join('/'));
}

/** SPIFFE-ID.md §2.2: no segment empty, none `.` or `..`, hence no slash at the end. */
function isPath(path: string): boolean {
  if (path === '') return true;
  return path.slice(1).split('/').every(isSegment);
}

function isSegment(segment: string): boolean {
  if (segment === '' || segment === '.' || segment === '..') return false;
  for (let at = 0; at < segment.length; at++) {
    const code = segment.charCodeAt(at);
    if (!isTrustDomainChar(code) && !isBetween(code, 'A', 'Z')) return false;
  }
  return true;
}

/** SPIFFE-ID.md §2.1: lower-case letters, digits, dot, dash and underscore. */
function isTrustDomainChar(code: number): boolean {
  return isBetween(code, 'a', 'z') || isBetween(code, '0', '9') || PUNCTUATION.includes(code);
}

const PUNCTUATION: readonly number[] = ['.', '-', '_'].map((each) => each.charCodeAt(0));

function isBetween(code: number, first: string, last: string): boolean {
  return code >= first.charCodeAt(0) && code <= last.charCodeAt(0);
}
