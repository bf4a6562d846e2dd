import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectToken } from './wire/expectations.ts';
import { openRaw, speakRaw, tokenRequestText } from './wire/raw-socket.ts';
import { openScene, type Scene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken, basic, FORM, formBody } from './wire/token-request.ts';

// HTTP/1.1 spoken badly (RFC 9112): the server answers 4xx or hangs up, gives no token by mistake, and serves the next request.
const target = currentTarget();
let scene: Scene;
let body: string;
let auth: string;

beforeAll(async () => {
  scene = await openScene('robustness');
  body = formBody({
    grant_type: 'client_credentials',
    ...(scene.resource === undefined ? {} : { resource: scene.resource }),
  });
  auth = `Authorization: ${basic(scene.client)}`;
});

afterEach(async () => {
  const params = scene.resource === undefined ? {} : { resource: scene.resource };
  expectToken(await askToken({ client: scene.client, params }));
});

function whole(more: readonly string[] = [], length = body.length): string {
  return tokenRequestText(
    target,
    [`Content-Type: ${FORM}`, auth, `Content-Length: ${length}`, ...more],
    body,
  );
}

function noServerError(statuses: readonly number[]): void {
  for (const status of statuses) expect(status).toBeLessThan(500);
}

describe('threat 35: slow and broken callers', () => {
  test('a request in small pieces is served', async () => {
    const text = whole(['Connection: close']);
    const pieces = text.match(/[\s\S]{1,40}/g) as string[];
    const result = await speakRaw(target, pieces, { pauseMs: 5, answers: 1 });
    expect(result.statuses).toEqual([200]);
  });

  test('headers that never end hold up nobody', async () => {
    const socket = await openRaw(target);
    socket.on('error', () => undefined);
    socket.write(`POST ${new URL(target.tokenEndpoint).pathname} HTTP/1.1\r\nHost: x\r\n`);
    const params = scene.resource === undefined ? {} : { resource: scene.resource };
    const started = Date.now();
    expectToken(await askToken({ client: scene.client, params }));
    expect(Date.now() - started).toBeLessThan(3000);
    socket.destroy();
  });

  test('a body that never ends holds up nobody', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openRaw(target)));
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.write(whole([], body.length + 1000));
    }
    const params = scene.resource === undefined ? {} : { resource: scene.resource };
    const started = Date.now();
    expectToken(await askToken({ client: scene.client, params }));
    expect(Date.now() - started).toBeLessThan(3000);
    for (const socket of sockets) socket.destroy();
  });

  test('hanging up in the middle of headers, of the body, or before the answer does no harm', async () => {
    const text = whole();
    for (const share of [0.1, 0.5, 0.95, 1])
      await speakRaw(target, [text.slice(0, text.length * share)], { hangUp: true });
  });

  test('a hundred connections opened and left do no harm', async () => {
    const sockets = await Promise.all(Array.from({ length: 100 }, () => openRaw(target)));
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.destroy();
    }
  });

  test('bytes that are no HTTP are refused', async () => {
    for (const bytes of [
      '\0\0\0\0\r\n\r\n',
      'GARBAGE\r\n\r\n',
      'GET\r\n\r\n',
      `${'A'.repeat(100_000)}\r\n\r\n`,
    ]) {
      const result = await speakRaw(target, [bytes], { answers: 1, patienceMs: 3000 });
      noServerError(result.statuses);
      expect(result.statuses.filter((status) => status < 400)).toEqual([]);
    }
  });
});

describe('threat 35: pipelining (RFC 9112 section 9.3.2)', () => {
  test('five requests in one write get five answers in order', async () => {
    const good = whole();
    const bad = whole().replace('grant_type=client_credentials', 'grant_type=Client_credentials');
    const result = await speakRaw(target, [good + bad + good + bad + good], { answers: 5 });
    expect(result.statuses).toEqual([200, 400, 200, 400, 200]);
  });

  test('sixteen requests in one write are all answered', async () => {
    const result = await speakRaw(target, [whole().repeat(16)], { answers: 16, patienceMs: 10_000 });
    expect(result.statuses.length).toBe(16);
    expect(new Set(result.statuses)).toEqual(new Set([200]));
  });

  test('a connection that piles up hundreds is cut, and the next one is served', async () => {
    const result = await speakRaw(target, [whole().repeat(300)], { answers: 300, patienceMs: 10_000 });
    noServerError(result.statuses);
    expect(result.statuses.length).toBeLessThan(300);
    const next = await speakRaw(target, [whole()], { answers: 1 });
    expect(next.statuses).toEqual([200]);
  });
});

describe('threat 35: framing (RFC 9112 section 6)', () => {
  const smuggled = (): string =>
    `GET ${new URL(target.jwksUri).pathname} HTTP/1.1\r\nHost: ${new URL(target.issuer).host}\r\n\r\n`;

  test('Content-Length with Transfer-Encoding is refused, and what follows is not a request', async () => {
    const text = tokenRequestText(
      target,
      [`Content-Type: ${FORM}`, auth, 'Content-Length: 5', 'Transfer-Encoding: chunked'],
      `0\r\n\r\n${smuggled()}`,
    );
    const result = await speakRaw(target, [text], { patienceMs: 1500 });
    noServerError(result.statuses);
    expect(result.statuses.filter((status) => status === 200)).toEqual([]);
  });

  test.each([
    ['two lengths that differ', ['Content-Length: 5', 'Content-Length: 6']],
    ['a length with a sign', ['Content-Length: +5']],
    ['a negative length', ['Content-Length: -5']],
    ['a length that is a list', ['Content-Length: 5, 6']],
    ['a length in hexadecimal', ['Content-Length: 0x5']],
    ['a length beyond all numbers', ['Content-Length: 99999999999999999999']],
    ['an unknown transfer coding', ['Transfer-Encoding: cow']],
    ['chunked not last', ['Transfer-Encoding: chunked, identity']],
    ['a space before the colon', ['Transfer-Encoding : chunked']],
    ['an obsolete folded line', ['X-Folded: a\r\n b', 'Transfer-Encoding: xchunked']],
  ])('%s is refused', async (_what, lines) => {
    const text = tokenRequestText(target, [`Content-Type: ${FORM}`, auth, ...lines], body);
    const result = await speakRaw(target, [text], { answers: 1, patienceMs: 2000 });
    noServerError(result.statuses.filter((status) => status !== 501));
    expect(result.statuses.filter((status) => status < 400)).toEqual([]);
  });

  test.each([
    ['a chunk size that is no number', 'zz\r\nabc\r\n0\r\n\r\n'],
    ['a chunk longer than it says', `2\r\nabcdef\r\n0\r\n\r\n`],
    ['a negative chunk size', '-1\r\nabc\r\n0\r\n\r\n'],
    ['a chunk size beyond all numbers', 'fffffffffffffffff\r\nabc\r\n0\r\n\r\n'],
  ])('%s is refused', async (_what, chunks) => {
    const text = tokenRequestText(
      target,
      [`Content-Type: ${FORM}`, auth, 'Transfer-Encoding: chunked'],
      chunks,
    );
    const result = await speakRaw(target, [text], { answers: 1, patienceMs: 2000 });
    noServerError(result.statuses);
    expect(result.statuses.filter((status) => status < 400)).toEqual([]);
  });

  test('bare line feeds are refused or cut off', async () => {
    const result = await speakRaw(target, [whole().replaceAll('\r\n', '\n')], {
      answers: 1,
      patienceMs: 2000,
    });
    noServerError(result.statuses);
    expect(result.statuses.filter((status) => status < 400)).toEqual([]);
  });

  test('a carriage return inside a header value is refused', async () => {
    const result = await speakRaw(target, [whole(['X-A: b\rX-C: d'])], { answers: 1, patienceMs: 2000 });
    expect(result.statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
  });
});

describe('the request line and Host (RFC 9112 section 3)', () => {
  test.each([
    ['no Host', (text: string) => text.replace(/Host: .*\r\n/, '')],
    ['two Hosts', (text: string) => text.replace(/(Host: .*\r\n)/, '$1Host: evil.example\r\n')],
    ['an unknown method', (text: string) => text.replace('POST', 'BREW')],
    ['HTTP/9.9', (text: string) => text.replace('HTTP/1.1', 'HTTP/9.9')],
    ['a path of 30 kB', (text: string) => text.replace(' HTTP/1.1', `/${'a'.repeat(30_000)} HTTP/1.1`)],
    ['a path that climbs', (text: string) => text.replace(/POST \S+/, 'POST /x/../../etc/passwd')],
    ['a NUL in the path', (text: string) => text.replace(/POST \S+/, 'POST /oauth/tok%00en')],
    ['CONNECT', (text: string) => text.replace(/POST \S+/, 'CONNECT example.com:443')],
    ['TRACE', (text: string) => text.replace('POST', 'TRACE')],
  ])('%s gives no token and no failure', async (_what, change) => {
    const result = await speakRaw(target, [change(whole(['Connection: close']))], {
      answers: 1,
      patienceMs: 3000,
    });
    noServerError(result.statuses.filter((status) => status !== 501 && status !== 505));
    expect(result.statuses.filter((status) => status < 400)).toEqual([]);
    expect(result.text).not.toContain('access_token');
  });

  test('HTTP/1.0 is served and closed', async () => {
    const result = await speakRaw(target, [whole().replace('HTTP/1.1', 'HTTP/1.0')], { patienceMs: 3000 });
    expect(result.statuses).toEqual([200]);
    expect(result.closedByServer).toBe(true);
  });

  test('Expect: 100-continue is answered', async () => {
    const text = whole(['Expect: 100-continue', 'Connection: close']);
    const result = await speakRaw(target, [text], { patienceMs: 3000 });
    expect(result.statuses).toContain(200);
  });

  test('an Upgrade is not followed', async () => {
    const text = whole(['Connection: Upgrade', 'Upgrade: websocket']);
    const result = await speakRaw(target, [text], { answers: 1, patienceMs: 3000 });
    expect(result.statuses).not.toContain(101);
    noServerError(result.statuses);
  });

  test('threat 41: a method override does not turn GET into POST', async () => {
    const at = new URL(target.tokenEndpoint);
    const text = `GET ${at.pathname} HTTP/1.1\r\nHost: ${at.host}\r\n${auth}\r\nX-HTTP-Method-Override: POST\r\n\r\n`;
    const result = await speakRaw(target, [text], { answers: 1 });
    expect(result.statuses).toEqual([405]);
  });
});
