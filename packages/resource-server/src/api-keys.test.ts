import type { IncomingMessage, ServerResponse } from 'node:http';
import { generateSecret } from '@countersign/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { verifierScene } from '../test/verifier-scene.ts';
import type { VerifierOptions } from './options.ts';
import { presentedToken } from './presented-token.ts';
import { requireScope } from './require-scope.ts';
import type { VerifyResult } from './token-request.ts';
import { type Verifier } from './verifier.ts';

const scene = verifierScene();
let verifier: Verifier;
/** What the token endpoint was asked, and what it answers. */
let asked: { key: string | undefined; form: string }[];
let answer: (response: ServerResponse) => void;

const bytes = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));
const newKey = (): string => generateSecret('cak', bytes).secret;

beforeEach(() => {
  asked = [];
  answer = (response) => send(response, 200, tokenAnswer());
  scene.tiny.intercept = (request, response) => {
    if (request.url !== '/oauth/token') return false;
    void collect(request).then((form) => {
      const key = request.headers['x-api-key'];
      asked.push({ key: typeof key === 'string' ? key : undefined, form });
      answer(response);
    });
    return true;
  };
  verifier = verifierOf();
});

function verifierOf(options: Partial<VerifierOptions> = {}): Verifier {
  return scene.open({ apiKeys: true, ...options });
}

async function collect(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function tokenAnswer(change: object = {}, claims: object = {}): object {
  return {
    access_token: scene.tiny.token(claims),
    token_type: 'Bearer',
    expires_in: 600,
    scope: 'fraud:read',
    ...change,
  };
}

const reasonOf = (result: VerifyResult): string =>
  result.ok ? 'ok' : `${result.status} ${result.reason} ${result.detail ?? ''}`.trim();
const tell = async (key: string, scope = 'fraud:read'): Promise<string> =>
  reasonOf(await verifier.verify(key, { scope }));

describe('an API key', () => {
  it('is exchanged for a token of this API, which is checked like any other', async () => {
    const key = newKey();
    const result = await verifier.verify(key, { scope: 'fraud:read' });
    expect(result).toMatchObject({ ok: true, claims: { client_id: 'payments' } });
    expect(asked).toEqual([
      { key, form: 'grant_type=client_credentials&resource=https%3A%2F%2Ffraud.example.com' },
    ]);
    expect(await tell(key, 'fraud:write')).toBe('403 insufficient_scope');
    answer = (response) => send(response, 200, tokenAnswer({}, { aud: 'https://other.example' }));
    expect(await tell(newKey())).toBe('401 wrong_audience');
  });

  it('is asked about once in sixty seconds, however many come with it at once', async () => {
    const key = newKey();
    const results = await Promise.all(Array.from({ length: 200 }, () => tell(key)));
    expect(new Set(results)).toEqual(new Set(['ok']));
    scene.now += 59;
    expect(await tell(key)).toBe('ok');
    expect(asked).toHaveLength(1);
    scene.now += 1;
    expect(await tell(key)).toBe('ok');
    expect(asked).toHaveLength(2);
  });

  it('is kept for sixty seconds from the question on: what was true then may have ended before the answer came', async () => {
    const key = newKey();
    answer = (response) => {
      scene.now += 4;
      send(response, 200, tokenAnswer());
    };
    expect(await tell(key)).toBe('ok');
    scene.now += 56;
    expect(await tell(key)).toBe('ok');
    expect(asked).toHaveLength(2);
  });

  it('is asked about sooner where its token ends sooner', async () => {
    const key = newKey();
    answer = (response) => send(response, 200, tokenAnswer({ expires_in: 15 }, { exp: scene.now + 15 }));
    expect(await tell(key)).toBe('ok');
    scene.now += 10;
    await tell(key);
    expect(asked).toHaveLength(2);
  });

  it('that is refused is refused for ten seconds without asking', async () => {
    const key = newKey();
    answer = (response) => send(response, 401, { error: 'invalid_client' });
    expect(await tell(key)).toBe('401 api_key_refused invalid_client');
    scene.now += 9;
    expect(await tell(key)).toBe('401 api_key_refused invalid_client');
    expect(asked).toHaveLength(1);
    scene.now += 1;
    answer = (response) => send(response, 200, tokenAnswer());
    expect(await tell(key)).toBe('ok');
  });

  it('says nothing to its caller about why it is refused', async () => {
    answer = (response) => send(response, 400, { error: 'invalid_target' });
    const result = await verifier.verify(newKey());
    expect(result).toMatchObject({ status: 401, error: 'invalid_token', detail: 'invalid_target' });
    expect(JSON.stringify(result.headers)).not.toContain('invalid_target');
  });

  it('with a typing error costs nobody a request', async () => {
    const key = newKey();
    const wrong = `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`;
    expect(await tell(wrong)).toBe('401 malformed_token api_key');
    expect(await tell('cak_x')).toBe('401 malformed_token api_key');
    expect(asked).toEqual([]);
  });

  it('is told 503 while the authority is in trouble, and not remembered for that', async () => {
    const key = newKey();
    for (const status of [429, 500, 503, 302]) {
      answer = (response) => send(response, status, { error: 'server_error' });
      expect(await tell(key)).toMatch(/^503 api_keys_unavailable/);
    }
    answer = (response) => response.destroy();
    expect(await tell(key)).toMatch(/^503 api_keys_unavailable/);
    answer = (response) => send(response, 200, { access_token: 'x' });
    expect(await tell(key)).toBe('503 api_keys_unavailable malformed');
    answer = (response) => send(response, 200, tokenAnswer());
    expect(await tell(key)).toBe('ok');
  });

  it('finds the endpoint again after the metadata could not be had', async () => {
    const { metadata } = scene.tiny;
    scene.tiny.metadata = { ...metadata, issuer: 'https://other.example' };
    expect(await tell(newKey())).toMatch(/^503 api_keys_unavailable/);
    scene.tiny.metadata = metadata;
    expect(await tell(newKey())).toBe('ok');
  });

  it('is asked about again after the clock was set back', async () => {
    answer = (response) =>
      send(response, 200, tokenAnswer({}, { exp: scene.now + 600, iat: scene.now - 7200 }));
    const key = newKey();
    expect(await tell(key)).toBe('ok');
    scene.now -= 3600;
    answer = (response) => send(response, 401, { error: 'invalid_client' });
    expect(await tell(key)).toBe('401 api_key_refused invalid_client');
    scene.now -= 3600;
    answer = (response) => send(response, 200, tokenAnswer({}, { iat: scene.now }));
    expect(await tell(key)).toBe('ok');
  });

  it('beyond 32 at once waits for nobody', async () => {
    const held: ServerResponse[] = [];
    answer = (response) => void held.push(response);
    const waiting = Array.from({ length: 33 }, () => tell(newKey()));
    expect(await Promise.race(waiting)).toBe('503 api_keys_unavailable too many at once');
    await expect.poll(() => held.length).toBe(32);
    for (const response of held) send(response, 200, tokenAnswer());
    expect((await Promise.all(waiting)).filter((each) => each === 'ok')).toHaveLength(32);
  });

  it('that was good a moment ago is let in however many strangers invent keys', async () => {
    const key = newKey();
    expect(await tell(key)).toBe('ok');
    scene.now += 60;
    const held: ServerResponse[] = [];
    answer = (response) => void held.push(response);
    const strangers = Array.from({ length: 32 }, () => tell(newKey()));
    await expect.poll(() => held.length).toBe(32);
    answer = (response) => send(response, 200, tokenAnswer());
    expect(await tell(key)).toBe('ok');
    for (const response of held) send(response, 401, { error: 'invalid_client' });
    expect(new Set(await Promise.all(strangers))).toEqual(new Set(['401 api_key_refused invalid_client']));
  });

  it('holds no more than ten thousand answers', async () => {
    answer = (response) => send(response, 401, { error: 'invalid_client' });
    const first = newKey();
    await tell(first);
    for (let i = 0; i < 400; i++) await Promise.all(Array.from({ length: 25 }, () => tell(newKey())));
    const before = asked.length;
    await tell(first);
    expect(asked.length).toBe(before + 1);
  }, 60_000);

  it('proves possession of nothing', async () => {
    verifier = verifierOf({ senderConstraint: 'dpop' });
    expect(await tell(newKey())).toBe('401 token_not_bound');
    answer = (response) => send(response, 200, tokenAnswer({ token_type: 'DPoP' }));
    expect(await tell(newKey())).toBe('503 api_keys_unavailable malformed');
  });

  it('is no token where the option is not given', async () => {
    verifier = verifierOf({ apiKeys: false });
    expect(await tell(newKey())).toMatch(/^401 malformed_token/);
    expect(asked).toEqual([]);
  });
});

describe('a request', () => {
  const found = (headers: Record<string, string | string[]>, apiKeys = true): string => {
    const result = presentedToken({ headers }, { apiKeys });
    return result.ok ? result.token : result.reason;
  };

  it('may bring its key in a header of its own or as bearer', async () => {
    const key = newKey();
    for (const headers of [{ 'x-api-key': key }, { authorization: `Bearer ${key}` }]) {
      expect(await requireScope(verifier, { headers }, 'fraud:read')).toMatchObject({ ok: true });
    }
  });

  it('brings one credential, once', () => {
    const key = newKey();
    expect(found({ 'x-api-key': key, authorization: `Bearer ${key}` })).toBe('several_authorizations');
    expect(found({ 'x-api-key': [key, key] })).toBe('several_authorizations');
    expect(found({ 'x-api-key': scene.tiny.token() })).toBe('malformed_authorization');
    expect(found({ 'x-api-key': '' })).toBe('malformed_authorization');
  });

  it('has no such header where keys are not taken', () => {
    expect(found({ 'x-api-key': newKey() }, false)).toBe('no_token');
  });
});
