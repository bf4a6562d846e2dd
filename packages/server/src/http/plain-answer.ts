// An answer as text: RFC 9112 §4, §5, §6.2; RFC 9110 §6.6.1 (Date).
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpResponse } from './response.ts';

/** What an answer says beside what its endpoint does. */
export interface AnswerTerms {
  readonly requestId: string;
  /** Epoch ms. */
  readonly now: number;
  /** Seconds for which the connection is kept; undefined: this is its last answer. */
  readonly keptFor: number | undefined;
}

/** Writes the answer at once, in one piece. Throws for a header value that could end its line; nothing is written then. */
export function writePlainAnswer(
  socket: Socket,
  { status, headers, body }: HttpResponse,
  terms: AnswerTerms,
): void {
  const length = Buffer.byteLength(body);
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n${fieldLines(headers)}Request-Id: ${terms.requestId}\r\n` +
    `Content-Length: ${length}\r\nDate: ${httpDate(terms.now)}\r\n${connectionLines(terms.keptFor)}\r\n`;
  if (typeof body === 'string') {
    const text = head + body;
    // Without characters beyond ASCII the two are the same bytes, and this one is written without a look at each of them.
    socket.write(text, length === body.length ? 'latin1' : 'utf8');
    return;
  }
  socket.cork();
  socket.write(head, 'latin1');
  socket.write(body);
  socket.uncork();
}

function connectionLines(keptFor: number | undefined): string {
  if (keptFor === undefined) return 'Connection: close\r\n';
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${keptFor}\r\n`;
}

const FIELD_VALUE = /^[\t\x20-\x7e]*$/;
const written = new WeakMap<HttpResponse['headers'], string>();

/** Endpoints answer with the same few objects again and again. */
function fieldLines(headers: HttpResponse['headers']): string {
  let lines = written.get(headers);
  if (lines !== undefined) return lines;
  lines = '';
  for (const [name, value] of Object.entries(headers)) {
    if (!FIELD_VALUE.test(value)) throw new TypeError(`the value of ${name} cannot be sent`);
    lines += `${name}: ${value}\r\n`;
  }
  // As one piece: text that was put together is walked part by part each time it is written.
  lines = Buffer.from(lines).toString();
  written.set(headers, lines);
  return lines;
}

let second = 0;
let formatted = '';

/** RFC 9110 §5.6.7. Written once a second. */
function httpDate(now: number): string {
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    formatted = new Date(now).toUTCString();
  }
  return formatted;
}
