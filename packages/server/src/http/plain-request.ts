// The plainest form of a request: RFC 9112 §2.1, §3, §5, §6.2. docs/decisions/0033-plain-requests-past-the-http-library.md.

/** A whole request, read as Node's parser would have read it. */
export interface PlainRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** Names and values in turn, as received. */
  readonly rawHeaders: string[];
  readonly body: Uint8Array;
}

const HEAD_END = Buffer.from('\r\n\r\n');
/** A longer head is none of a machine's that asks for a token. */
const MAX_HEAD_BYTES = 4096;
const MAX_FIELDS = 50;
const START_LINE = /^POST (\/[\w./~?=&%-]*) HTTP\/1\.1$/;
/** RFC 9110 §5.1, §5.5, in the one spelling that clients use: one space, a value, no white space around it. */
const FIELD_LINES = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\r\n)+$/;
/** RFC 9110 §8.6. Shorter than what could be no number of its own. */
const LENGTH = /^(?:0|[1-9][0-9]{0,6})$/;
/** They say something about the connection or the form of the message, which is the library's to understand. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The request, when `bytes` are exactly one and leave nothing to interpret: HTTP/1.1, POST, one Host, one Content-Length that is
 * kept, nothing about the connection but that it stays. Undefined for everything else, be it unusual, unfinished or malformed:
 * none of that is decided here. What two parsers could read differently is thereby read by one alone.
 */
export function readPlainRequest(bytes: Buffer): PlainRequest | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1 || headEnd > MAX_HEAD_BYTES) return undefined;
  const head = bytes.toString('latin1', 0, headEnd + 2);
  const lineEnd = head.indexOf('\r\n');
  const url = START_LINE.exec(head.slice(0, lineEnd))?.[1];
  const lines = head.slice(lineEnd + 2);
  if (url === undefined || !FIELD_LINES.test(lines)) return undefined;
  const rawHeaders: string[] = [];
  let hosts = 0;
  let length: string | undefined;
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(':', at);
    const end = lines.indexOf('\r\n', colon);
    const name = lines.slice(at, colon);
    const value = lines.slice(colon + 2, end);
    const lower = name.toLowerCase();
    if (lower === 'content-length') {
      if (length !== undefined) return undefined;
      length = value;
    } else if (lower === 'host') hosts++;
    else if (lower === 'connection' ? value.toLowerCase() !== 'keep-alive' : NOT_PLAIN.has(lower))
      return undefined;
    rawHeaders.push(name, value);
    at = end + 2;
  }
  if (hosts !== 1 || rawHeaders.length > MAX_FIELDS * 2 || length === undefined || !LENGTH.test(length))
    return undefined;
  const body = bytes.subarray(headEnd + HEAD_END.length);
  return body.length === Number(length) ? { method: 'POST', url, rawHeaders, body } : undefined;
}
