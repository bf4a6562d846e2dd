import { beforeAll, describe, expect, test } from 'vitest';
import { send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { speakRaw, tokenRequestText } from './wire/raw-socket.ts';
import { openScene, type Scene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken, basic, FORM, formBody, type Params } from './wire/token-request.ts';

// RFC 6749 section 2.3: how a client with a secret proves itself, and every way in which it does not.
const target = currentTarget();
let scene: Scene;

beforeAll(async () => {
  scene = await openScene('rfc6749-auth');
});

function named(params: Params = {}): Params {
  return scene.resource === undefined ? params : { resource: scene.resource, ...params };
}

function withAuthorization(value: string | Buffer, params: Params = named()): ReturnType<typeof askToken> {
  const text = typeof value === 'string' ? value : value.toString('latin1');
  return askToken({ params, headers: [['Authorization', text]] });
}

function base64(text: string | Buffer): string {
  return Buffer.from(text).toString('base64');
}

/** Percent-encodes every byte: legal form encoding, if unusual. */
function percentAll(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

describe('RFC 6749 section 2.3.1: client_secret_basic and client_secret_post', () => {
  test('Basic with form-encoded id and secret', async () => {
    expectToken(await askToken({ client: scene.client, params: named() }));
  });

  test('Basic with every character percent-encoded', async () => {
    const value = `Basic ${base64(`${percentAll(scene.client.id)}:${percentAll(scene.client.secret)}`)}`;
    expectToken(await withAuthorization(value));
  });

  test('Basic with raw id and secret, as curl -u sends them', async () => {
    expectToken(await withAuthorization(`Basic ${base64(`${scene.client.id}:${scene.client.secret}`)}`));
  });

  test.each(['basic', 'BASIC', 'bAsIc'])('the scheme name is case-insensitive: %s', async (scheme) => {
    expectToken(await withAuthorization(basic(scene.client).replace('Basic', scheme)));
  });

  test('id and secret in the body', async () => {
    expectToken(await askToken({ client: scene.client, via: 'post', params: named() }));
  });

  test('threat 42: id and secret in the request URI are refused', async () => {
    const query = `?${formBody({ client_id: scene.client.id, client_secret: scene.client.secret })}`;
    const answer = await askToken({ params: named(), query });
    expectOAuthError(answer, [400, 401], ['invalid_request', 'invalid_client']);
  });

  test('threat 42: the secret alone in the request URI is refused', async () => {
    const query = `?${formBody({ client_secret: scene.client.secret })}`;
    const answer = await askToken({ params: { ...named(), client_id: scene.client.id }, query });
    expectOAuthError(answer, [400, 401], ['invalid_request', 'invalid_client']);
  });

  test('threat 42: a secret in the request URI beside a good Authorization header is refused', async () => {
    const query = `?${formBody({ client_secret: scene.client.secret })}`;
    const answer = await askToken({ client: scene.client, params: named(), query });
    expectOAuthError(answer, 400, 'invalid_request');
  });

  test('threat 42: grant parameters in the request URI do not count', async () => {
    const query = '?grant_type=client_credentials';
    const answer = await askToken({ client: scene.client, body: formBody(named()), query });
    expectOAuthError(answer, 400, 'invalid_request');
  });
});

describe('RFC 6749 section 2.3: one method in a request', () => {
  test('threat 5: Basic and body credentials together are invalid_request', async () => {
    const params = { ...named(), client_id: scene.client.id, client_secret: scene.client.secret };
    const answer = await askToken({ client: scene.client, params });
    expectOAuthError(answer, 400, 'invalid_request');
  });

  test('threat 5: Basic with a secret in the body is invalid_request', async () => {
    const params = { ...named(), client_secret: scene.client.secret };
    expectOAuthError(await askToken({ client: scene.client, params }), 400, 'invalid_request');
  });

  test('threat 5: Basic with a client assertion is refused', async () => {
    const params = {
      ...named(),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'e30.e30.e30',
    };
    const answer = await askToken({ client: scene.client, params });
    expectOAuthError(answer, [400, 401], ['invalid_request', 'invalid_client']);
  });

  test('threat 8: a client_id in the body that is not the authenticated client is refused', async () => {
    const answer = await askToken({
      client: scene.client,
      params: { ...named(), client_id: 'somebody-else' },
    });
    expectOAuthError(answer, [400, 401], ['invalid_request', 'invalid_client']);
  });

  test('threat 8: the same client_id beside Basic is taken or refused, never more', async () => {
    const params = { ...named(), client_id: scene.client.id };
    const answer = await askToken({ client: scene.client, params });
    if (answer.status === 200) expectToken(answer);
    else expectOAuthError(answer, 400, 'invalid_request');
  });

  test('threat 6: two Authorization headers are invalid_request, good one first or last', async () => {
    const good = basic(scene.client);
    for (const pair of [
      [good, good],
      [good, 'Basic eDp5'],
      ['Basic eDp5', good],
      ['Bearer abc', good],
    ]) {
      const answer = await send(target.tokenEndpoint, {
        method: 'POST',
        ca: target.ca,
        headers: [['Content-Type', FORM], ...pair.map((value) => ['Authorization', value] as const)],
        body: formBody({ ...named(), grant_type: 'client_credentials' }),
      });
      expectOAuthError(answer, 400, 'invalid_request');
    }
  });

  test('threat 6: two credentials in one Authorization header are refused', async () => {
    const answer = await withAuthorization(`${basic(scene.client)}, ${basic(scene.client)}`);
    expectOAuthError(answer, [400, 401], ['invalid_request', 'invalid_client']);
  });
});

describe('threat 3: RFC 6749 section 2.3.1: secrets that are nearly right', () => {
  const near: [string, (secret: string) => string][] = [
    ['empty', () => ''],
    ['without its last character', (secret) => secret.slice(0, -1)],
    ['its first half', (secret) => secret.slice(0, secret.length / 2)],
    ['with one character more', (secret) => `${secret}x`],
    ['with a space after', (secret) => `${secret} `],
    ['with a line end after', (secret) => `${secret}\n`],
    ['with a NUL after', (secret) => `${secret}\0`],
    ['with a NUL before', (secret) => `\0${secret}`],
    ['in capitals', (secret) => secret.toUpperCase()],
    ['in small letters', (secret) => secret.toLowerCase()],
    ['its last character changed', (secret) => secret.slice(0, -1) + (secret.endsWith('a') ? 'b' : 'a')],
    [
      'in full-width letters',
      (secret) => secret.replace(/[a-z]/g, (c) => String.fromCodePoint(c.charCodeAt(0) + 0xfee0)),
    ],
    ['doubled', (secret) => secret + secret],
    ['64 kB long', (secret) => secret.padEnd(65_536, 'x')],
    ['a name of Object.prototype', () => '__proto__'],
  ];

  test.each(near)('%s, in the body: refused', async (_what, change) => {
    const secret = change(scene.client.secret);
    const answer = await askToken({ client: { id: scene.client.id, secret }, via: 'post', params: named() });
    expectOAuthError(answer, [400, 401, 413], ['invalid_client', 'invalid_request']);
  });

  test.each(near.filter(([what]) => what !== '64 kB long'))(
    '%s, in Basic: refused',
    async (_what, change) => {
      const secret = change(scene.client.secret);
      for (const text of [secret, encodeURIComponent(secret)]) {
        const answer = await withAuthorization(`Basic ${base64(`${scene.client.id}:${text}`)}`);
        expectOAuthError(answer, [400, 401], ['invalid_client', 'invalid_request']);
      }
    },
  );
});

describe('threat 7: RFC 6749 section 2.3.1: Basic that is not quite Basic', () => {
  const credentials = (): string => `${scene.client.id}:${scene.client.secret}`;
  test.each<[string, () => string]>([
    ['nothing after the scheme', () => 'Basic'],
    ['only a space after the scheme', () => 'Basic '],
    ['an empty pair', () => `Basic ${base64('')}`],
    ['only a colon', () => `Basic ${base64(':')}`],
    ['no colon', () => `Basic ${base64(scene.client.id)}`],
    ['no id', () => `Basic ${base64(`:${scene.client.secret}`)}`],
    ['no secret', () => `Basic ${base64(`${scene.client.id}:`)}`],
    ['not base64', () => `Basic ${credentials()}`],
    ['base64 with other characters in it', () => `Basic ${base64(credentials()).replace(/^(.{8})/, '$1!*')}`],
    ['base64 with a space in it', () => `Basic ${base64(credentials()).replace(/^(.{8})/, '$1 ')}`],
    ['bad percent-encoding', () => `Basic ${base64(`${scene.client.id}:%zz`)}`],
    ['a percent sign at the end', () => `Basic ${base64(`${credentials()}%`)}`],
    ['bytes that are not UTF-8', () => `Basic ${base64(Buffer.from([0xff, 0xfe, 0x3a, 0xc3, 0x28]))}`],
    ['percent-encoded bytes that are not UTF-8', () => `Basic ${base64(`${scene.client.id}:%ff%fe`)}`],
    ['a NUL in the id', () => `Basic ${base64(`${scene.client.id}\0:${scene.client.secret}`)}`],
    ['a line end in the id', () => `Basic ${base64(`${scene.client.id}\r\n:${scene.client.secret}`)}`],
    ['a byte order mark first', () => `Basic ${base64(`\ufeff${credentials()}`)}`],
    ['a comma after', () => `${basic(scene.client)},`],
  ])('%s: refused, not a failure of the server', async (_what, value) => {
    const answer = await withAuthorization(value());
    expectOAuthError(answer, [400, 401], ['invalid_client', 'invalid_request']);
    if (answer.status === 401) expect(answer.headers['www-authenticate']).toBeTruthy();
  });

  test('10 kB of Basic: refused, not a failure of the server', async () => {
    const answer = await withAuthorization(`Basic ${base64(`${scene.client.id}:${'x'.repeat(7500)}`)}`);
    expectOAuthError(answer, [400, 401], ['invalid_client', 'invalid_request']);
  });

  test('64 kB of Basic: refused by size', async () => {
    const long = `Basic ${base64(`${scene.client.id}:${'x'.repeat(49_000)}`)}`;
    const text = tokenRequestText(target, [`Content-Type: ${FORM}`, `Authorization: ${long}`], '');
    const result = await speakRaw(target, [text], { answers: 1 });
    expect(result.statuses).toEqual([431]);
  });
});

describe('threat 10: RFC 6749 section 2.2: client ids are compared exactly', () => {
  test.each<[string, (id: string) => string]>([
    ['a look-alike letter', (id) => id.replace(/[aceopx]/, (c) => 'асеорх'['aceopx'.indexOf(c)] as string)],
    ['decomposed letters', (id) => `${id}e\u0301`],
    ['composed letters', (id) => `${id}\u00e9`],
    ['a space after', (id) => `${id} `],
    ['a space before', (id) => ` ${id}`],
    ['a line end after', (id) => `${id}\r\n`],
    ['a NUL after', (id) => `${id}\0`],
    ['capitals', (id) => (id === id.toUpperCase() ? id.toLowerCase() : id.toUpperCase())],
    ['SQL', (id) => `${id}' OR '1'='1`],
    ['an SQL comment', (id) => `${id}'--`],
    ['an SQL pattern', (id) => `${id.slice(0, -1)}_`],
    ['an SQL wildcard', () => '%'],
    ['LDAP', () => '*)(client_id=*'],
    ['a path', (id) => `../${id}`],
    ['__proto__', () => '__proto__'],
    ['constructor', () => 'constructor'],
    ['129 characters', () => 'a'.repeat(129)],
    ['40 kB', () => 'a'.repeat(40_000)],
    ['an array in disguise', (id) => `${id},${id}`],
  ])('%s: not a client', async (_what, change) => {
    const client = { id: change(scene.client.id), secret: scene.client.secret };
    const post = await askToken({ client, via: 'post', params: named() });
    expectOAuthError(post, [400, 401, 413], ['invalid_client', 'invalid_request']);
    if (client.id.length > 5000) return;
    const header = await askToken({ client, params: named() });
    expectOAuthError(header, [400, 401], ['invalid_client', 'invalid_request']);
  });

  test('client_id as an array parameter is not a client', async () => {
    const body = formBody({
      ...named(),
      grant_type: 'client_credentials',
      'client_id[]': scene.client.id,
      'client_secret[]': scene.client.secret,
    });
    expectOAuthError(await askToken({ body }), 401, 'invalid_client');
  });
});
