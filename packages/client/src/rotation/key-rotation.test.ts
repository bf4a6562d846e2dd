import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import * as jose from 'jose';
import { beforeEach, expect, test, vi } from 'vitest';
import { clientScene, failure, NOW } from '../../test/client-scene.ts';
import type { Client } from '../client.ts';
import { ClientOptionError } from '../errors.ts';
import type { RotateOptions, RotationOutcome } from './key-rotation.ts';
import type { KeyStore, StoredKeys } from './key-store.ts';

const DAY = 86_400;
const TAKEN = {
  credential: 'crd_2',
  expires_at: '2027-03-01T00:00:00.000Z',
  predecessor: 'crd_1',
  predecessor_ends_at: '2027-02-01T00:00:00.000Z',
};
const ROTATED = { body: TAKEN };
const REFUSED = { status: 400, body: { error: 'access_denied' } };

const scene = clientScene();
let kept: { current: StoredKeys['current']; next: string | undefined };
let store: KeyStore;
let outcomes: RotationOutcome[];
const FIRST = pem();
beforeEach(() => {
  scene.tiny.metadata['key_rotation_endpoint'] = `${scene.tiny.issuer}/rotate`;
  scene.tiny.metadata['token_endpoint_auth_methods_supported'] = ['private_key_jwt'];
  kept = { current: { key: FIRST, since: NOW }, next: undefined };
  outcomes = [];
  store = {
    read: async () => ({ ...kept }),
    propose: async (key) => (kept.next ??= key),
    promote: async (key) => {
      if (kept.next === key) kept = { current: { key, since: scene.now }, next: undefined };
    },
    discard: async (key) => {
      if (kept.next === key) kept.next = undefined;
    },
  };
});

function pem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function open(change: Partial<RotateOptions> = {}, more: { readonly fetch?: typeof fetch } = {}): Client {
  return scene.open({
    clientId: 'payments',
    privateKey: FIRST,
    ...more,
    rotate: { store, every: 30 * DAY, onRotation: (outcome) => outcomes.push(outcome), ...change },
  });
}

/** Where tokens and rotations are asked for at once: what the latter are answered, and what they said. */
function rotating(answer: { readonly status?: number; readonly body: unknown }) {
  const forms: URLSearchParams[] = [];
  const send: typeof fetch = async (url, init) => {
    if (!String(url).endsWith('/rotate')) return await fetch(url, init);
    forms.push(new URLSearchParams(String(init?.body)));
    return Response.json(answer.body, { status: answer.status ?? 200 });
  };
  return { forms, fetch: send };
}

/** Which key signed the request. */
async function signedBy(call: { readonly form: URLSearchParams }, key: string): Promise<jose.JWTPayload> {
  const assertion = call.form.get('client_assertion') ?? '';
  const { payload } = await jose.jwtVerify(assertion, createPublicKey(key), {
    currentDate: new Date(scene.now * 1000),
  });
  return payload;
}

test('a key that is old enough is replaced beside the calls, by a proof of both', async () => {
  const { forms, fetch } = rotating(ROTATED);
  const client = open({}, { fetch });
  scene.now += 30 * DAY - 1;
  await client.token({ scope: 'a' });
  expect(scene.tiny.calls.length).toBe(1);
  scene.now += 1;
  await client.token({ scope: 'b' });
  await vi.waitFor(() => expect(outcomes).toEqual([{ ok: true, rotated: expect.anything() }]));
  const [form = new URLSearchParams(), ...rest] = forms;
  expect(rest).toEqual([]);
  const proof = form.get('new_key') ?? '';
  const header = jose.decodeProtectedHeader(proof);
  const { payload } = await jose.jwtVerify(proof, await jose.importJWK(header.jwk as jose.JWK, 'ES256'), {
    currentDate: new Date(scene.now * 1000),
  });
  expect(header).toMatchObject({ typ: 'new-key+jwt', alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256' } });
  expect(Object.keys(header.jwk ?? {}).sort()).toEqual(['crv', 'kty', 'x', 'y']);
  expect(payload).toEqual({ iss: 'payments', aud: scene.tiny.issuer, iat: scene.now });
  const assertion = await signedBy({ form }, FIRST);
  expect(assertion['cnf']).toEqual({ jkt: await jose.calculateJwkThumbprint(header.jwk as jose.JWK) });
  // It was not used yet: what is kept is what works.
  expect(kept.current?.key).toBe(FIRST);
  const next = kept.next ?? '';
  await client.token({ scope: 'c' });
  await signedBy(scene.tiny.calls.at(-1) as never, next);
  expect(kept).toEqual({ current: { key: next, since: scene.now }, next: undefined });
});

test('usual assertions name no key', async () => {
  await open().token();
  expect(await signedBy(scene.tiny.calls[0] as never, FIRST)).not.toHaveProperty('cnf');
});

test('a key that another copy has moved to is used from the next request on', async () => {
  const client = open();
  await client.token({ scope: 'a' });
  const other = pem();
  kept = { current: { key: other, since: scene.now }, next: undefined };
  await client.token({ scope: 'b' });
  await signedBy(scene.tiny.calls[1] as never, other);
});

test('the key that another copy proposed is taken, not a second one', async () => {
  kept.next = pem();
  const proposed = kept.next;
  scene.tiny.next.push(ROTATED);
  await open().rotateKey();
  expect(kept.next).toBe(proposed);
  const { jwk } = jose.decodeProtectedHeader(scene.tiny.calls[0]?.form.get('new_key') ?? '');
  expect(jwk?.x).toBe(createPublicKey(proposed).export({ format: 'jwk' }).x);
});

test('a new key that does not work yet is put aside, and the call goes through with the old one', async () => {
  const client = open();
  scene.tiny.next.push(ROTATED, { status: 401, body: { error: 'invalid_client' } });
  await client.rotateKey();
  await client.token();
  await signedBy(scene.tiny.calls[2] as never, FIRST);
  expect(kept.current?.key).toBe(FIRST);
  expect(kept.next).toBeDefined();
});

test('what is refused is discarded, told, and tried again in an hour with another key', async () => {
  const client = open({}, rotating(REFUSED));
  scene.now += 31 * DAY;
  await client.token({ scope: 'a' });
  await vi.waitFor(() => expect(outcomes.length).toBe(1));
  expect(outcomes[0]).toMatchObject({ ok: false, error: { code: 'refused', error: 'access_denied' } });
  expect(kept.next).toBeUndefined();
  scene.now += 3599;
  await client.token({ scope: 'b' });
  expect(outcomes.length).toBe(1);
  scene.now += 1;
  await client.token({ scope: 'c' });
  await vi.waitFor(() => expect(outcomes.length).toBe(2));
});

test('an authority that is down leaves the proposal for the next try', async () => {
  scene.tiny.next.push({ status: 503 });
  const error = await failure(open().rotateKey());
  expect(error.code).toBe('unavailable');
  const proposed = kept.next;
  expect(proposed).toBeDefined();
  scene.tiny.next.push(ROTATED);
  expect(await open().rotateKey()).toEqual({
    credential: 'crd_2',
    expiresAt: TAKEN.expires_at,
    predecessorEndsAt: TAKEN.predecessor_ends_at,
  });
  expect(kept.next).toBe(proposed);
});

test('one rotation at a time, however many ask', async () => {
  const client = open();
  scene.tiny.next.push({ ...ROTATED, delay: 20 });
  const [one, other] = await Promise.all([client.rotateKey(), client.rotateKey()]);
  expect(one).toBe(other);
  expect(scene.tiny.calls.length).toBe(1);
});

test('an answer that says nothing, and an authority that cannot do it, are no rotation', async () => {
  scene.tiny.next.push({ body: { credential: 1 } });
  expect((await failure(open().rotateKey())).code).toBe('bad_response');
  delete scene.tiny.metadata['key_rotation_endpoint'];
  expect((await failure(open().rotateKey())).code).toBe('discovery_failed');
});

test('onRotation may fail: no call does because of it', async () => {
  const client = open({
    onRotation: () => {
      throw new Error('the log is full');
    },
  });
  scene.now += 31 * DAY;
  await client.token();
});

test('rotate is for a key, and for a store that is one', async () => {
  const options = { clientId: 'payments', rotate: { store } };
  const bad = (change: object) => () => scene.open({ ...options, ...change } as never);
  expect(bad({ clientSecret: 'x' })).toThrow(ClientOptionError);
  expect(bad({ privateKey: FIRST, rotate: { store, every: 59 } })).toThrow('at least 60');
  expect(bad({ privateKey: FIRST, rotate: {} })).toThrow('keyFile');
  await expect(scene.open({ clientId: 'payments', privateKey: FIRST }).rotateKey()).rejects.toThrow(
    'rotate: give it to createClient',
  );
});

test('a store that cannot be read or written takes nobody’s key away', async () => {
  const client = open();
  const other = pem();
  kept = { current: { key: other, since: NOW }, next: undefined };
  await client.token({ scope: 'a' });
  const { read, promote } = store;
  store.read = () => Promise.reject(new Error('EIO'));
  await client.token({ scope: 'b' });
  await signedBy(scene.tiny.calls[1] as never, other);
  expect(outcomes).toMatchObject([{ ok: false, error: { message: 'EIO' } }]);
  store.read = read;
  store.promote = () => Promise.reject(new Error('EROFS'));
  scene.tiny.next.push(ROTATED);
  await client.rotateKey();
  const next = kept.next ?? '';
  await client.token({ scope: 'c' });
  await signedBy(scene.tiny.calls.at(-1) as never, next);
  store.promote = promote;
  await client.token({ scope: 'd' });
  expect(kept.current?.key).toBe(next);
});
