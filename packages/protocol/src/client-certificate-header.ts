// How a proxy that took TLS off says which certificate its caller showed: RFC 9440, and the ways that are older.
import { X509Certificate } from 'node:crypto';

export const CERTIFICATE_HEADER_DIALECTS = [
  'rfc9440',
  'nginx',
  'ingress-nginx',
  'envoy',
  'traefik',
  'aws',
  'aws-verify',
] as const;
export type CertificateHeaderDialect = (typeof CERTIFICATE_HEADER_DIALECTS)[number];

/** DER, leaf first; undefined where the text is not well-formed. */
export type CertificateChain = readonly Uint8Array[];
type Reader = (value: string, rest: string | undefined) => CertificateChain | undefined;

interface Dialect {
  /**
   * The one header that is read. Two would be one too many: a proxy that leaves its own out, because there was no
   * certificate, would let the caller's through.
   */
  readonly name: string;
  /** What holds the intermediates, where they have a header of their own. */
  readonly rest?: string;
  readonly read: Reader;
}

const DIALECTS: { readonly [name in CertificateHeaderDialect]: Dialect } = {
  rfc9440: { name: 'client-cert', rest: 'client-cert-chain', read: readStructured },
  nginx: { name: 'x-ssl-client-cert', read: readEscapedPem },
  'ingress-nginx': { name: 'ssl-client-cert', read: readEscapedPem },
  envoy: { name: 'x-forwarded-client-cert', read: readXfcc },
  traefik: { name: 'x-forwarded-tls-client-cert', read: readBareBase64 },
  aws: { name: 'x-amzn-mtls-clientcert', read: readEscapedPem },
  'aws-verify': { name: 'x-amzn-mtls-clientcert-leaf', read: readEscapedPem },
};

/** Headers that hold a certificate somewhere in the world. */
const CARRIERS: ReadonlySet<string> = new Set([
  ...Object.values(DIALECTS).flatMap(({ name, rest }) => (rest === undefined ? [name] : [name, rest])),
  'ssl-client-certificate',
  'x-arr-clientcert',
  'x-client-cert',
  'x-client-certificate',
  'x-ssl-cert',
  'x-ssl-client-certificate',
  'x-ssl-client-der',
  'x-tls-client-cert',
]);
/** What proxies say about a certificate beside it, never read here. */
const ABOUT = /^(?:x-ssl-client-|ssl-client-|x-amzn-mtls-clientcert-|x-forwarded-tls-client-cert-)/;
/** Certificates of one chain. */
const LONGEST_CHAIN = 8;

/** Names and values in turn, as received: in a joined view a second header of the same name cannot be seen. */
interface Headers {
  readonly rawHeaders: readonly string[];
}

/** Whether a request says anything about a certificate in a header, in whatever dialect. */
export function namesCertificate({ rawHeaders }: Headers): boolean {
  return someName(rawHeaders, (name) => CARRIERS.has(name) || ABOUT.test(name));
}

/** Why a header that names a certificate is not believed. */
export type CertificateHeaderFault =
  /** From who is no declared proxy, in another dialect than the declared one, or against what TLS says. */
  | 'spoofed'
  /** More than once, or not what its dialect writes. */
  | 'malformed';

export type CertificateHeaderReading =
  | { readonly chain: CertificateChain; readonly fault?: undefined }
  | { readonly fault: CertificateHeaderFault; readonly chain?: undefined };

/** What a declared proxy says in its dialect; undefined where it says nothing: its caller showed no certificate. */
export function readCertificateHeader(
  request: Headers,
  dialect: CertificateHeaderDialect,
): CertificateHeaderReading | undefined {
  const { name, rest, read } = DIALECTS[dialect];
  if (someName(request.rawHeaders, (each) => CARRIERS.has(each) && each !== name && each !== rest))
    return { fault: 'spoofed' };
  const certificates = valuesOf(request, name);
  const further = rest === undefined ? [] : valuesOf(request, rest);
  const [certificate] = certificates;
  // RFC 9440 §2.3: a chain is never alone.
  if (certificate === undefined) return further.length === 0 ? undefined : { fault: 'spoofed' };
  if (certificates.length > 1 || further.length > 1) return { fault: 'malformed' };
  const chain = read(certificate, further[0]);
  if (
    chain === undefined ||
    chain.length === 0 ||
    chain.length > LONGEST_CHAIN ||
    !chain.every(isCertificate)
  )
    return { fault: 'malformed' };
  return { chain };
}

function valuesOf({ rawHeaders }: Headers, name: string): readonly string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
}

function someName(rawHeaders: readonly string[], holds: (name: string) => boolean): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    // The shortest name is longer than most names that every request has.
    if (name.length >= SHORTEST && holds(name.toLowerCase())) return true;
  }
  return false;
}
const SHORTEST = Math.min(...[...CARRIERS].map(({ length }) => length));

/** One certificate and nothing behind it: its thumbprint is then that of these very bytes. */
function isCertificate(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length === der.length;
  } catch {
    return false;
  }
}

/** RFC 9440 §2.1: a byte sequence of RFC 8941 §3.3.5; §2.3: a list of them for what signed it. */
function readStructured(value: string, rest: string | undefined): CertificateChain | undefined {
  const texts = [value, ...(rest === undefined ? [] : rest.split(','))];
  return all(texts.map((text) => base64(/^[ \t]*:([A-Za-z0-9+/=]+):[ \t]*$/.exec(text)?.[1])));
}

/** PEM, percent-encoded in whatever part. */
function readEscapedPem(value: string): CertificateChain | undefined {
  const text = percentDecoded(value);
  return text === undefined ? undefined : pem(text);
}

/** Base64 of the DER without anything around it, percent-encoded by old versions; several are parted by commas. */
function readBareBase64(value: string): CertificateChain | undefined {
  const text = percentDecoded(value);
  return text === undefined ? undefined : all(text.split(',').map((each) => base64(each.trim())));
}

/**
 * One element of `key=value;…`, of which `Cert` and `Chain` (the whole chain) are read. Several elements are those of a
 * proxy that appends to what its caller wrote.
 */
function readXfcc(value: string): CertificateChain | undefined {
  const pairs = new Map<string, string>();
  let at = 0;
  while (at < value.length) {
    PAIR.lastIndex = at;
    const [whole, key, quoted, bare] = PAIR.exec(value) ?? [];
    if (whole === undefined || key === undefined) return undefined;
    const name = key.toLowerCase();
    // One caller may have several URIs and DNS names, but has one certificate.
    if (pairs.has(name) && (name === 'cert' || name === 'chain')) return undefined;
    pairs.set(name, quoted === undefined ? (bare as string) : quoted.replace(/\\(.)/g, '$1'));
    at += whole.length;
  }
  const [cert, chain] = [pairs.get('cert'), pairs.get('chain')];
  const leaf = cert === undefined ? undefined : readEscapedPem(cert);
  const whole = chain === undefined ? undefined : readEscapedPem(chain);
  if ((cert !== undefined && leaf?.length !== 1) || (chain !== undefined && whole === undefined))
    return undefined;
  const differ = leaf !== undefined && whole !== undefined && !sameBytes(leaf[0], whole[0]);
  return differ ? undefined : (whole ?? leaf);
}
const PAIR = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))(?:;(?=.)|$)/y;

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const BLOCK = /[ \t\r\n]*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----[ \t\r\n]*/y;

function pem(text: string): CertificateChain | undefined {
  const found: (Uint8Array | undefined)[] = [];
  let at = 0;
  while (at < text.length) {
    BLOCK.lastIndex = at;
    const block = BLOCK.exec(text);
    if (block === null) return undefined;
    found.push(base64(block[1]?.replace(/\s/g, '')));
    at += block[0].length;
  }
  return all(found);
}

/** Strict: what Buffer would forgive was not written by a proxy. */
function base64(text: string | undefined): Uint8Array | undefined {
  if (text === undefined || text === '') return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function all(parts: readonly (Uint8Array | undefined)[]): CertificateChain | undefined {
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

function sameBytes(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  return left !== undefined && right !== undefined && Buffer.compare(left, right) === 0;
}
