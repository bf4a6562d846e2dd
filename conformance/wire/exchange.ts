import * as http from 'node:http';
import * as https from 'node:https';

export type HeaderLine = readonly [name: string, value: string];

/** One request, stated in full: nothing is added but Host, Content-Length and Connection. */
export interface Ask {
  readonly method?: string;
  /** Sent in this order and as often as given, so that a header may be doubled. */
  readonly headers?: readonly HeaderLine[];
  readonly body?: string | Uint8Array;
  readonly ca?: string | undefined;
  /** Shown in the TLS handshake. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
  /** Loopback address to send from, such as 127.0.0.2. */
  readonly localAddress?: string;
  readonly agent?: http.Agent;
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly lines: readonly HeaderLine[];
  readonly bytes: Buffer;
  readonly text: string;
}

/** Sends one request and collects the whole answer. Rejects only where no HTTP answer came within `timeoutMs` (10 s). */
export function send(url: string | URL, ask: Ask = {}): Promise<Answer> {
  const address = new URL(url);
  const body =
    ask.body === undefined ? undefined : typeof ask.body === 'string' ? Buffer.from(ask.body) : ask.body;
  const lines: HeaderLine[] = [...(ask.headers ?? [])];
  const has = (name: string): boolean => lines.some(([known]) => known.toLowerCase() === name);
  if (!has('host')) lines.unshift(['Host', address.host]);
  if (body !== undefined && !has('content-length') && !has('transfer-encoding'))
    lines.push(['Content-Length', String(body.length)]);
  const secure = address.protocol === 'https:';
  const options: https.RequestOptions = {
    method: ask.method ?? 'GET',
    headers: lines.flat() as unknown as http.OutgoingHttpHeaders,
    agent: ask.agent ?? false,
    ...(secure && ask.ca !== undefined ? { ca: ask.ca } : {}),
    ...(secure ? ask.certificate : {}),
    ...(ask.localAddress === undefined ? {} : { localAddress: ask.localAddress, family: 4 }),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(address, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        resolve(answerOf(response, Buffer.concat(chunks)));
      });
    });
    const timer = setTimeout(
      () =>
        request.destroy(new Error(`no answer from ${address.pathname} within ${ask.timeoutMs ?? 10_000} ms`)),
      ask.timeoutMs ?? 10_000,
    );
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body);
  });
}

function answerOf(response: http.IncomingMessage, bytes: Buffer): Answer {
  const lines: HeaderLine[] = [];
  for (let at = 0; at + 1 < response.rawHeaders.length; at += 2)
    lines.push([response.rawHeaders[at] as string, response.rawHeaders[at + 1] as string]);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    lines,
    bytes,
    text: bytes.toString('utf8'),
  };
}

/** The answer's JSON object. Throws with the text where it is none, so that a failing test shows what came. */
export function jsonOf(answer: Answer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(answer.text);
  } catch {
    throw new Error(`expected JSON, got ${answer.status} ${answer.text.slice(0, 300)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`expected a JSON object, got ${answer.text.slice(0, 300)}`);
  return value as Record<string, unknown>;
}

/** The part of an answer that must not tell strangers apart: all but `Request-Id`, `Date` and connection handling. */
export function comparable(answer: Answer): string {
  const left = new Set(['request-id', 'date', 'connection', 'keep-alive']);
  const lines = answer.lines
    .filter(([name]) => !left.has(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`);
  return [String(answer.status), ...lines, '', answer.bytes.toString('latin1')].join('\n');
}
