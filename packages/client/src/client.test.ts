import * as jose from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { clientScene, failure, NOW, SECRET } from '../test/client-scene.ts';
import { type Answer, startTinyAuthority } from '../test/tiny-authority.ts';
import { createClient } from './client.ts';
import { ClientOptionError, type ClientOptionFault, type TokenErrorCode } from './errors.ts';
import type { ClientOptions } from './options.ts';
import { retryAfterSeconds } from './retry.ts';

const scene = clientScene();

describe('a token', () => {
  it('is asked for with the grant, the resource, the scope and the proof', async () => {
    const client = scene.withSecret({
      resource: 'https://fraud.example.com',
      scope: 'fraud:write fraud:read',
    });
    const token = await client.token();
    expect(token).toMatchObject({
      tokenType: 'Bearer',
      scope: 'fraud:read fraud:write',
      expiresAt: scene.now + 600,
    });
    const { payload } = await jose.jwtVerify(token.accessToken, scene.tiny.publicKey, {
      currentDate: new Date(scene.now * 1000),
    });
    expect(payload.aud).toBe('https://fraud.example.com');
    const { headers, form } = scene.tiny.calls[0]!;
    expect(headers.authorization).toBe(`Basic ${Buffer.from(`payments:${SECRET}`).toString('base64')}`);
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'client_credentials',
      resource: 'https://fraud.example.com',
      scope: 'fraud:read fraud:write',
    });
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(headers['countersign-instance']).toBe('AAAAAAAAAAAAAAAAAAAAAA');
  });

  it('is asked for with the secret in the body when that is the method', async () => {
    await scene.withSecret({ clientAuthMethod: 'client_secret_post' }).token();
    scene.tiny.metadata['token_endpoint_auth_methods_supported'] = ['private_key_jwt', 'client_secret_post'];
    await scene.withSecret().token();
    for (const { headers, form } of scene.tiny.calls) {
      expect(headers.authorization).toBeUndefined();
      expect(form.get('client_id')).toBe('payments');
      expect(form.get('client_secret')).toBe(SECRET);
    }
    expect(scene.tiny.calls).toHaveLength(2);
  });

  it('is kept per resource and scope, whatever the order of scopes', async () => {
    const client = scene.withSecret();
    const a = await client.token({ scope: 'a b' });
    expect(await client.token({ scope: 'b a' })).toBe(a);
    expect(await client.token({ scope: 'a' })).not.toBe(a);
    expect(await client.token({ scope: 'a b', resource: 'urn:x' })).not.toBe(a);
    expect(scene.tiny.calls).toHaveLength(3);
  });

  it('is asked for once, however many want it', async () => {
    const client = scene.withSecret();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => client.token()));
    expect(new Set(tokens).size).toBe(1);
    expect(scene.tiny.calls).toHaveLength(1);
  });

  it('is refreshed ahead while the old one is served', async () => {
    const client = scene.withSecret();
    const old = await client.token();
    scene.now += 431;
    expect(await client.token()).toBe(old);
    expect(scene.tiny.calls).toHaveLength(1);
    scene.now += 1;
    const served = await Promise.all(Array.from({ length: 10 }, () => client.token()));
    expect(served.every((token) => token === old)).toBe(true);
    await vi.waitFor(async () => expect(await client.token()).not.toBe(old));
    expect(scene.tiny.calls).toHaveLength(2);
  });

  it('is refreshed at a moment that differs between copies, from 72 to 88 percent', async () => {
    const late = scene.withSecret({ random: (bytes) => new Uint8Array(bytes).fill(255) });
    const old = await late.token();
    scene.now += 527;
    await late.token();
    expect(scene.tiny.calls).toHaveLength(1);
    scene.now += 1;
    expect(await late.token()).toBe(old);
    await vi.waitFor(() => expect(scene.tiny.calls).toHaveLength(2));
  });

  it('that is about to end is no longer served, and one that cannot be refreshed is until then', async () => {
    const client = scene.withSecret();
    const old = await client.token();
    scene.now += 500;
    scene.tiny.next.push({ status: 400, body: { error: 'invalid_client' } });
    expect(await client.token()).toBe(old);
    await vi.waitFor(() => expect(scene.tiny.calls).toHaveLength(2));
    expect(await client.token()).toBe(old);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await client.token()).toBe(old);
    expect(scene.tiny.calls).toHaveLength(2);
    scene.now += 95;
    expect(await client.token()).not.toBe(old);
  });

  it('without a stated lifetime is kept for a minute, with none not at all', async () => {
    const client = scene.withSecret();
    scene.tiny.next.push({ body: { access_token: 'a', token_type: 'Bearer' } });
    expect(await client.token()).toMatchObject({ expiresAt: scene.now + 60, scope: '' });
    scene.now += 60;
    scene.tiny.next.push({ body: { access_token: 'b', token_type: 'Bearer', expires_in: 0 } });
    expect((await client.token()).accessToken).toBe('b');
    expect((await client.token()).accessToken).not.toBe('b');
  });
});

describe('a failure', () => {
  it.each<[string, Answer[], TokenErrorCode, object]>([
    [
      'a refusal',
      [{ status: 401, headers: { 'request-id': 'req_1' }, body: { error: 'invalid_client' } }],
      'refused',
      { error: 'invalid_client', status: 401, requestId: 'req_1' },
    ],
    [
      'a refusal of the scope',
      [{ status: 400, body: { error: 'invalid_scope', error_description: SECRET } }],
      'refused',
      { error: 'invalid_scope' },
    ],
    ['an error without a code', [{ status: 400, body: 'no' }], 'bad_response', { status: 400 }],
    ['a success that is no JSON', [{ body: '<html>' }], 'bad_response', {}],
    [
      'a repeated member',
      [{ body: '{"access_token":"a","access_token":"b","token_type":"Bearer"}' }],
      'bad_response',
      {},
    ],
    [
      'a token that no header can carry',
      [{ body: { access_token: 'a\nb', token_type: 'Bearer' } }],
      'bad_response',
      {},
    ],
    ['a token of an unknown type', [{ body: { access_token: 'a', token_type: 'mac' } }], 'bad_response', {}],
    ['a huge answer', [{ body: 'x'.repeat(300_000) }], 'bad_response', {}],
    [
      'a redirect',
      Array<Answer>(4).fill({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }),
      'unreachable',
      {},
    ],
    ['four breakdowns', Array<Answer>(4).fill({ status: 503 }), 'unavailable', { status: 503 }],
    ['four broken connections', Array<Answer>(4).fill({ destroy: true }), 'unreachable', {}],
    [
      'being told to come back in an hour',
      [{ status: 429, headers: { 'retry-after': '3600' } }],
      'unavailable',
      { retryAfter: 3600 },
    ],
  ])('%s', async (_, answers, code, facts) => {
    scene.tiny.next.push(...answers);
    const error = await failure(scene.withSecret().token());
    expect(error).toMatchObject({ code, ...facts });
    expect(scene.tiny.calls).toHaveLength(answers.length);
    expect(scene.tiny.next).toHaveLength(0);
  });

  it('that may pass is tried again, as soon as the authority says', async () => {
    scene.tiny.next.push(
      { status: 500 },
      { destroy: true },
      { status: 429, headers: { 'retry-after': '1' } },
    );
    const started = performance.now();
    await scene.withSecret().token();
    expect(scene.tiny.calls).toHaveLength(4);
    expect(performance.now() - started).toBeGreaterThan(1000);
  });

  it('is shared by those who wait, and not kept', async () => {
    const client = scene.withSecret();
    scene.tiny.next.push({ status: 401, body: { error: 'invalid_client' } });
    const failed = await Promise.allSettled([client.token(), client.token()]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(scene.tiny.calls).toHaveLength(1);
    await client.token();
  });

  it('of discovery is told apart', async () => {
    scene.tiny.metadata['issuer'] = 'https://evil.example';
    expect(await failure(scene.withSecret().token())).toMatchObject({ code: 'discovery_failed' });
    scene.tiny.metadata = { issuer: scene.tiny.issuer, token_endpoint: 'http://192.0.2.1/token' };
    expect(await failure(scene.withSecret().token())).toMatchObject({ code: 'discovery_failed' });
    scene.tiny.metadata = { issuer: scene.tiny.issuer };
    expect(await failure(scene.withSecret().token())).toMatchObject({ code: 'discovery_failed' });
    expect(scene.tiny.calls).toHaveLength(0);
    scene.tiny.metadata = { issuer: scene.tiny.issuer, token_endpoint: `${scene.tiny.issuer}/oauth/token` };
    scene.tiny.metadataAnswers = [{ status: 503 }, { destroy: true }];
    await scene.withSecret().token();
    await startTinyAuthority(() => NOW).then(async (gone) => {
      await gone.close();
      expect(await failure(scene.withSecret({ issuer: gone.issuer }).token())).toMatchObject({
        code: 'unreachable',
      });
    });
  });

  it('of the certificate is not tried again, and says what to do', async () => {
    let calls = 0;
    const untrusting = (async () => {
      calls++;
      const cause = Object.assign(new Error('self-signed'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
      throw new TypeError('fetch failed', { cause });
    }) as typeof globalThis.fetch;
    const error = await failure(scene.withSecret({ fetch: untrusting }).token());
    expect(error).toMatchObject({ code: 'untrusted_certificate' });
    expect(String(error)).toContain('pass fetch: fetchTrusting(ca)');
    expect(calls).toBe(1);
  });

  it('never shows the secret', async () => {
    const basic = Buffer.from(`payments:${SECRET}`).toString('base64');
    const show = (value: unknown): string => {
      if (!(value instanceof Error)) return String(value);
      return `${value.name} ${value.message} ${value.stack} ${JSON.stringify(value)} ${show(value.cause)}`;
    };
    for (const answer of [
      { status: 401, body: { error: 'invalid_client', error_description: SECRET } },
      { status: 400, body: { error: `${SECRET}\n` } },
      { status: 400, headers: { 'request-id': `${SECRET} ${basic}` }, body: SECRET },
      { body: { access_token: SECRET, token_type: SECRET } },
      { status: 302, headers: { location: '/' } },
    ]) {
      scene.tiny.next.push(...Array<Answer>(answer.status === 302 ? 4 : 1).fill(answer));
      const shown = show(await failure(scene.withSecret().token()));
      expect(shown).not.toContain('Canary');
      expect(shown).not.toContain(basic);
    }
    expect(() => scene.withSecret({ clientSecret: `${SECRET}\n` })).toThrow(/^clientSecret: (?!.*Canary)/);
  });
});

describe('giving up', () => {
  it('of one who waits leaves the others their token', async () => {
    const client = scene.withSecret();
    scene.tiny.next.push({ delay: 100, body: { access_token: 'a', token_type: 'Bearer', expires_in: 60 } });
    const abort = new AbortController();
    const impatient = failure(client.token({ signal: abort.signal }));
    const patient = client.token();
    await new Promise((resolve) => setTimeout(resolve, 20));
    abort.abort();
    expect(await impatient).toMatchObject({ code: 'aborted' });
    expect((await patient).accessToken).toBe('a');
    expect(scene.tiny.calls).toHaveLength(1);
    expect(await failure(client.token({ signal: AbortSignal.abort(), scope: 'x' }))).toMatchObject({
      code: 'aborted',
    });
  });

  it('of everything is close()', async () => {
    const client = scene.withSecret();
    scene.tiny.next.push({ delay: 5000 });
    const waiting = failure(client.token());
    await vi.waitFor(() => expect(scene.tiny.calls).toHaveLength(1));
    await client.close();
    expect(await waiting).toMatchObject({ code: 'closed' });
    expect(await failure(client.token())).toMatchObject({ code: 'closed' });
    expect(await failure(client.fetch(scene.tiny.issuer))).toMatchObject({ code: 'closed' });
  });
});

describe('options', () => {
  it.each<[string, ClientOptionFault, object]>([
    ['issuer', 'missing_option', { issuer: undefined }],
    ['issuer', 'bad_option', { issuer: 'http://as.example.com' }],
    ['clientId', 'missing_option', { clientId: '' }],
    ['clientId', 'bad_option', { clientId: 'a b' }],
    ['clientSecret', 'missing_option', { clientSecret: undefined }],
    ['clientSecret', 'bad_option', { clientSecret: 'a\n' }],
    ['clientAuthMethod', 'bad_option', { clientAuthMethod: 'none' }],
    ['resource', 'bad_option', { resource: '/relative' }],
    ['scope', 'bad_option', { scope: 'a  b' }],
    ['privateKey', 'bad_option', { privateKey: 'x' }],
    ['certificate', 'bad_option', { certificate: { cert: 'x', key: 'y' } }],
    ['subjectToken', 'bad_option', { subjectToken: 'x' }],
    ['subjectToken', 'bad_option', { subjectToken: '', clientSecret: undefined }],
    ['clientId', 'bad_option', { subjectToken: 'x', clientId: 'a b', clientSecret: undefined }],
  ])('%s: %s', (option, code, change) => {
    let thrown: unknown;
    try {
      createClient({
        issuer: 'https://as.example.com',
        clientId: 'a',
        clientSecret: 's',
        ...change,
      } as ClientOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ClientOptionError);
    expect(thrown).toMatchObject({ option, code });
  });
});

it('Retry-After is seconds or a date', () => {
  expect(retryAfterSeconds('120', scene.now)).toBe(120);
  expect(retryAfterSeconds(new Date((scene.now + 30) * 1000).toUTCString(), scene.now)).toBe(30);
  expect(retryAfterSeconds(new Date((scene.now - 30) * 1000).toUTCString(), scene.now)).toBe(0);
  expect(retryAfterSeconds('soon', scene.now)).toBeUndefined();
  expect(retryAfterSeconds(null, scene.now)).toBeUndefined();
});
