import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { speakRaw, tokenRequestText } from './wire/raw-socket.ts';
import { openScene, type Scene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken, basic, FORM, formBody, type Params } from './wire/token-request.ts';

// RFC 6749 Appendix B and section 3.2: forms that are none. Each is refused in the registered form, and the next request is served.
const target = currentTarget();
let scene: Scene;

beforeAll(async () => {
  scene = await openScene('rfc6749-input');
});

afterEach(async () => {
  expectToken(await askToken({ client: scene.client, params: named() }));
});

function named(params: Params = {}): Params {
  return scene.resource === undefined ? params : { resource: scene.resource, ...params };
}

function good(): string {
  return formBody({ ...named(), grant_type: 'client_credentials' });
}

describe('threat 39: RFC 6749 Appendix B: form encoding is not repaired', () => {
  test.each<[string, string | Buffer]>([
    ['%zz in a value', '&scope=%zz'],
    ['% at the end', '&scope=a%'],
    ['half an escape', '&scope=a%4'],
    ['%zz in a name', '&%zz=1'],
    ['%u escapes', '&scope=%u0061'],
    ['bytes that are not UTF-8', Buffer.from([0x26, 0x78, 0x3d, 0xff, 0xfe])],
    ['escaped bytes that are not UTF-8', '&x=%ff%fe'],
    ['an overlong escape', '&x=%c0%af'],
    ['an escaped surrogate', '&x=%ed%a0%80'],
    ['an escaped NUL', '&x=a%00b'],
    ['a NUL', '&x=a\0b'],
  ])('%s is invalid_request', async (_what, tail) => {
    const body = Buffer.concat([Buffer.from(good()), Buffer.from(tail)]);
    expectOAuthError(await askToken({ client: scene.client, body }), 400, 'invalid_request');
  });

  test('a byte order mark before the form is refused', async () => {
    const body = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.from('grant_type=client_credentials'),
    ]);
    expectOAuthError(await askToken({ client: scene.client, body }), 400, 'invalid_request');
  });

  test('UTF-16 is refused, declared or not', async () => {
    const body = Buffer.from(`\ufeff${good()}`, 'utf16le');
    for (const contentType of [FORM, `${FORM}; charset=utf-16`])
      expectOAuthError(
        await askToken({ client: scene.client, body, contentType }),
        [400, 415],
        'invalid_request',
      );
  });

  test('a declared charset other than UTF-8 is refused or read as UTF-8, never repaired', async () => {
    const answer = await askToken({
      client: scene.client,
      body: Buffer.concat([Buffer.from(good()), Buffer.from('&x=é', 'latin1')]),
      contentType: `${FORM}; charset=iso-8859-1`,
    });
    expectOAuthError(answer, [400, 415], 'invalid_request');
  });

  test('threat 35: a compressed body is refused', async () => {
    const { gzipSync } = await import('node:zlib');
    const answer = await askToken({
      client: scene.client,
      body: gzipSync(good()),
      headers: [['Content-Encoding', 'gzip']],
    });
    expectOAuthError(answer, [400, 415], 'invalid_request');
  });

  test('a semicolon does not separate parameters', async () => {
    const body = good().replaceAll('&', ';');
    const answer = await askToken({ client: scene.client, body });
    expectOAuthError(answer, 400, ['unsupported_grant_type', 'invalid_request']);
  });

  test('threat 38: nested names do not become objects', async () => {
    const body = `${good()}&__proto__[polluted]=1&constructor[prototype][polluted]=1&a[b][c]=1&x.y=1`;
    expectToken(await askToken({ client: scene.client, body }));
  });
});

describe('threat 35: RFC 6749 section 3.2: size', () => {
  test('10,000 parameters are refused at once', async () => {
    const started = Date.now();
    const many = Array.from({ length: 10_000 }, (_, at) => `p${at}=1`).join('&');
    const answer = await askToken({ client: scene.client, body: `${good()}&${many}` });
    expectOAuthError(answer, [400, 413], 'invalid_request');
    expect(Date.now() - started).toBeLessThan(2000);
  });

  test('10,000 times one parameter is refused at once', async () => {
    const body = `${good()}${'&a=1'.repeat(10_000)}`;
    expectOAuthError(await askToken({ client: scene.client, body }), [400, 413], 'invalid_request');
  });

  test('a body of 1 MB is refused', async () => {
    const body = `${good()}&x=${'x'.repeat(1_000_000)}`;
    // the server may stop reading: either its answer arrives, or the connection is cut while we still send
    const answer = await askToken({ client: scene.client, body }).catch((error: Error) => error);
    if (answer instanceof Error) expect(answer.message).toMatch(/ECONNRESET|EPIPE|socket hang up/);
    else {
      expect([400, 413]).toContain(answer.status);
      expect(answer.text).not.toContain('access_token');
    }
  });

  test('a body of 1 MB without declared length is refused', async () => {
    const chunk = 'x'.repeat(1_000_000);
    const answer = await send(target.tokenEndpoint, {
      method: 'POST',
      ca: target.ca,
      headers: [
        ['Content-Type', FORM],
        ['Authorization', basic(scene.client)],
        ['Transfer-Encoding', 'chunked'],
      ],
      body: `${good()}&x=${chunk}`,
    }).catch((error: Error) => error);
    if (answer instanceof Error) expect(answer.message).toMatch(/ECONNRESET|EPIPE|socket hang up/);
    else expect([400, 413]).toContain(answer.status);
  });

  test('a chunked form of ordinary size is served', async () => {
    const answer = await send(target.tokenEndpoint, {
      method: 'POST',
      ca: target.ca,
      headers: [
        ['Content-Type', FORM],
        ['Authorization', basic(scene.client)],
        ['Transfer-Encoding', 'chunked'],
      ],
      body: good(),
    });
    expectToken(answer);
  });

  test('a header of 64 kB is refused with 431', async () => {
    const lines = [
      `Content-Type: ${FORM}`,
      `Authorization: ${basic(scene.client)}`,
      `X-Long: ${'x'.repeat(65_536)}`,
    ];
    const result = await speakRaw(target, [tokenRequestText(target, lines, '')], { answers: 1 });
    expect(result.statuses).toEqual([431]);
  });

  test('two thousand headers are refused or ignored', async () => {
    const headers = Array.from({ length: 2000 }, (_, at) => [`x${at}`, '1'] as const);
    const answer = await askToken({ client: scene.client, params: named(), headers }).catch(
      (error: Error) => error,
    );
    if (!(answer instanceof Error)) expect([200, 400, 431]).toContain(answer.status);
  });

  test('threat 37: a long nonsense value is refused in linear time', async () => {
    for (const text of [`${'a'.repeat(50_000)}!`, `${' '.repeat(50_000)}!`, `${'%20'.repeat(15_000)}`]) {
      const started = Date.now();
      const answer = await askToken({
        client: scene.client,
        body: `${good()}&scope=${text.replaceAll(' ', '+')}`,
      });
      expect([200, 400, 413]).toContain(answer.status);
      expect(Date.now() - started).toBeLessThan(3000);
    }
  });
});
