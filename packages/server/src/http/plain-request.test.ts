import { createServer, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlainRequest, readPlainRequest } from './plain-request.ts';

const read = (text: string): PlainRequest | undefined => readPlainRequest(Buffer.from(text, 'latin1'));
const request = (line: string, fields: readonly string[], body = ''): string =>
  [line, ...fields, '', body].join('\r\n');

const LINE = 'POST /oauth/token HTTP/1.1';
const FIELDS = ['Host: a', 'Content-Type: text/plain', 'Content-Length: 3'];
const GOOD = request(LINE, FIELDS, 'abc');

describe('a request of the plainest form', () => {
  it('is read', () => {
    expect(read(GOOD)).toEqual({
      method: 'POST',
      url: '/oauth/token',
      rawHeaders: ['Host', 'a', 'Content-Type', 'text/plain', 'Content-Length', '3'],
      body: Buffer.from('abc'),
    });
  });

  it.each([
    ['a query', request('POST /t/oauth/token?a=%20b HTTP/1.1', FIELDS, 'abc')],
    ['no body', request(LINE, ['Host: a', 'content-length: 0'])],
    ['a connection that stays', request(LINE, [...FIELDS, 'Connection: Keep-Alive'], 'abc')],
    ['a header twice', request(LINE, [...FIELDS, 'X-A: 1', 'x-a: 2, 3'], 'abc')],
    ['bytes of any value in its body', request(LINE, FIELDS, '\0\r\xff')],
  ])('may have %s', (_, text) => {
    expect(read(text)).toBeDefined();
  });
});

describe('left to the HTTP library is what', () => {
  it.each([
    ['is not finished', GOOD.slice(0, -1)],
    ['has no end of its head', 'POST /oauth/token HTTP/1.1\r\nHost: a\r\n'],
    ['is followed by more', `${GOOD}P`],
    ['has another method', request('GET /oauth/token HTTP/1.1', FIELDS, 'abc')],
    ['has another version', request('POST /oauth/token HTTP/1.0', FIELDS, 'abc')],
    ['names a whole URL', request('POST http://a/oauth/token HTTP/1.1', FIELDS, 'abc')],
    ['has a target of other characters', request('POST /oauth/token#a HTTP/1.1', FIELDS, 'abc')],
    ['has two spaces in its first line', request('POST  /oauth/token HTTP/1.1', FIELDS, 'abc')],
    ['has an empty line before it', `\r\n${GOOD}`],
    ['has no Host', request(LINE, FIELDS.slice(1), 'abc')],
    ['has two Hosts', request(LINE, [...FIELDS, 'host: a'], 'abc')],
    ['has no length', request(LINE, FIELDS.slice(0, 2), 'abc')],
    ['has two lengths', request(LINE, [...FIELDS, 'Content-Length: 3'], 'abc')],
    ['has a list of lengths', request(LINE, ['Host: a', 'Content-Length: 3, 3'], 'abc')],
    ['has a length with a sign', request(LINE, ['Host: a', 'Content-Length: +3'], 'abc')],
    ['has a length with a zero in front', request(LINE, ['Host: a', 'Content-Length: 03'], 'abc')],
    ['has a length in hexadecimal', request(LINE, ['Host: a', 'Content-Length: 0x3'], 'abc')],
    ['has a transfer coding', request(LINE, [...FIELDS, 'Transfer-Encoding: chunked'], 'abc')],
    ['has one in odd letters', request(LINE, [...FIELDS, 'tRANSFER-eNCODING: identity'], 'abc')],
    ['expects something', request(LINE, [...FIELDS, 'Expect: 100-continue'], 'abc')],
    ['wants to be upgraded', request(LINE, [...FIELDS, 'Upgrade: h2c'], 'abc')],
    ['ends its connection', request(LINE, [...FIELDS, 'Connection: close'], 'abc')],
    ['says more of its connection', request(LINE, [...FIELDS, 'Connection: keep-alive, te'], 'abc')],
    ['has trailers', request(LINE, [...FIELDS, 'Trailer: X-A'], 'abc')],
    ['folds a line', request(LINE, [...FIELDS, 'X-A: b', ' c: d'], 'abc')],
    ['has white space before a colon', request(LINE, [...FIELDS, 'X-A : b'], 'abc')],
    ['has none behind it', request(LINE, [...FIELDS, 'X-A:b'], 'abc')],
    ['has white space behind a value', request(LINE, [...FIELDS, 'X-A: b '], 'abc')],
    ['has a tab in a value', request(LINE, [...FIELDS, 'X-A: b\tc'], 'abc')],
    ['has an empty value', request(LINE, [...FIELDS, 'X-A: '], 'abc')],
    ['has a value beyond ASCII', request(LINE, [...FIELDS, 'X-A: \xe9'], 'abc')],
    ['has a NUL in a value', request(LINE, [...FIELDS, 'X-A: b\0c'], 'abc')],
    ['has a bare CR in a value', request(LINE, [...FIELDS, 'X-A: b\rContent-Length: 9'], 'abc')],
    ['has a bare LF in a value', request(LINE, [...FIELDS, 'X-A: b\nContent-Length: 9'], 'abc')],
    ['has bare LFs for line ends', GOOD.replaceAll('\r\n', '\n')],
    ['has a name that is no token', request(LINE, [...FIELDS, 'X(A): b'], 'abc')],
    ['has no name', request(LINE, [...FIELDS, ': b'], 'abc')],
    ['has 51 fields', request(LINE, [...FIELDS, ...Array<string>(48).fill('X-A: b')], 'abc')],
    ['has a long head', request(LINE, [...FIELDS, `X-A: ${'b'.repeat(4096)}`], 'abc')],
  ])('%s', (_, text) => {
    expect(read(text)).toBeUndefined();
  });
});

it('a head that is made to be read slowly is read as fast as any', () => {
  const slow = request(LINE, [`X-A: b${' b'.repeat(1900)} `, ...FIELDS], 'abc');
  const begin = performance.now();
  for (let i = 0; i < 100; i++) expect(read(slow)).toBeUndefined();
  expect(performance.now() - begin).toBeLessThan(1000);
});

describe('what is read here', () => {
  let server: Server;
  let seen: PlainRequest[] = [];
  let faults = 0;
  beforeAll(() => {
    server = createServer((message, response) => {
      const { method = '', url = '', rawHeaders } = message;
      const pieces: Buffer[] = [];
      message.on('data', (piece: Buffer) => pieces.push(piece));
      message.on('end', () => seen.push({ method, url, rawHeaders, body: Buffer.concat(pieces) }));
      response.end();
    });
    server.on('clientError', () => faults++);
  });
  afterAll(() => server.closeAllConnections());

  /** What Node's own parser makes of the same bytes on a connection of their own. */
  async function readByNode(bytes: Buffer): Promise<PlainRequest[]> {
    seen = [];
    faults = 0;
    const connection = new Duplex({ read: () => undefined, write: (_piece, _encoding, done) => done() });
    server.emit('connection', connection);
    connection.push(bytes);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    connection.destroy();
    return faults === 0 ? seen : [];
  }

  const line = fc.constantFrom(
    LINE,
    'POST /a?b=c HTTP/1.1',
    'POST /a HTTP/1.0',
    'GET /a HTTP/1.1',
    'POST /a b HTTP/1.1',
  );
  const field = fc.constantFrom(
    'Host: a',
    'Host: b',
    'Content-Length: 3',
    'Content-Length: 2',
    'content-length: 3',
    'Content-Length: 3 ',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'Connection: keep-alive',
    'X-A: b',
    'X-A:b',
    'X-A: b\tc',
    ' folded',
    'X-A : b',
    'X-A: \rb',
    'X-A: b\nc',
    'Expect: 100-continue',
    'X-A: "b; c=d"',
    'Content_Length: 9',
  );
  const composed = fc
    .tuple(
      line,
      fc.array(field, { maxLength: 4 }),
      fc.constantFrom('abc', 'ab', 'abcd', '', '3\r\nabc\r\n0\r\n\r\n'),
    )
    .map(([first, some, body]) =>
      request(first, [...FIELDS.slice(0, 1), 'Content-Length: 3', ...some], body),
    );
  const damaged = fc
    .tuple(
      fc.nat(GOOD.length - 1),
      fc.nat(2),
      fc.constantFrom('', ' ', '\r', '\n', '\r\n', ':', '\t', '\0', '\xff', 'a', '0'),
    )
    .map(([at, cut, put]) => GOOD.slice(0, at) + put + GOOD.slice(at + cut));

  it('Node reads in the same way, to the byte, whatever was done to it (property)', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(composed, damaged), async (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const own = readPlainRequest(bytes);
        if (own === undefined) return;
        taken++;
        expect(await readByNode(bytes)).toEqual([own]);
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});
