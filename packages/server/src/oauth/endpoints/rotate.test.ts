import { type JsonWebKey, jwkThumbprint, signJws } from '@countersign/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  addClientKey,
  assertionForm,
  assertionOf,
  type ClientKey,
  clientKey,
} from '../../../test/client-assertion.ts';
import { ISSUER, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';

const SECONDS = Math.floor(NOW / 1000);
const DAY = 86_400_000;

let scene: TokenScene;
let key: ClientKey;
let old: CredentialRecord;
beforeEach(async () => {
  scene = await openTokenScene();
  key = clientKey();
  old = await addClientKey(scene, key, { record: { notBeforeAt: NOW - DAY, expiresAt: NOW + 9 * DAY } });
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

interface Change {
  readonly claims?: object;
  readonly header?: object;
  readonly assertion?: object;
  readonly signedBy?: ClientKey;
  readonly form?: object;
  readonly by?: ClientKey;
}

function rotate(next: ClientKey, change: Change = {}, on: TokenScene = scene): Promise<HttpResponse> {
  const { kty, crv, x, y } = next.jwk as unknown as Record<string, string>;
  const claims = { iss: 'payments', aud: ISSUER, iat: SECONDS, ...change.claims };
  const header = { typ: 'new-key+jwt', jwk: { kty, crv, x, y }, ...change.header };
  const signer = change.signedBy ?? next;
  const proof = signJws(header, JSON.stringify(claims), {
    kid: undefined,
    alg: signer.alg,
    keyObject: signer.privateKey,
  });
  const cnf = { jkt: jwkThumbprint(next.jwk as JsonWebKey) };
  const assertion = assertionOf(change.by ?? key, SECONDS, { cnf, ...change.assertion });
  return on.call('/oauth/rotate', {
    body: Buffer.from(assertionForm(assertion, { new_key: proof, ...change.form })),
    rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded', 'Countersign-Instance', 'copy-1'],
  });
}

function token(by: ClientKey): Promise<HttpResponse> {
  return scene.call('/oauth/token', {
    body: Buffer.from(`grant_type=client_credentials&${assertionForm(assertionOf(by, SECONDS))}`),
    rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
  });
}

test('a client gives its key a successor, and both get tokens until the old one ends', async () => {
  const next = clientKey();
  const answer = await rotate(next);
  expect(answer.status, String(answer.body)).toBe(200);
  const body = jsonOf(answer);
  const successor = await scene.storage.credentials.byId(String(body['credential']));
  expect(successor).toMatchObject({ predecessor: { id: old.id, by: 'itself' }, label: old.label });
  expect(body).toMatchObject({
    predecessor: old.id,
    predecessor_ends_at: new Date(old.expiresAt).toISOString(),
    // It was given ten days: no more are to be had by rotating.
    expires_at: new Date(NOW + 10 * DAY).toISOString(),
  });
  expect((await token(key)).status).toBe(200);
  expect((await token(next)).status).toBe(200);
  const told = scene.log.events.filter(({ type }) => type === 'credential.rotated');
  expect(told).toMatchObject([
    {
      identity: 'payments',
      credential: old.id,
      resource: old.id,
      instance: 'copy-1',
      source: expect.any(String),
    },
  ]);
});

test('to ask again with the same key changes nothing, and another key is refused', async () => {
  const next = clientKey();
  const first = jsonOf(await rotate(next));
  expect(jsonOf(await rotate(next))).toEqual(first);
  const other = await rotate(clientKey());
  expect([other.status, jsonOf(other)['error']]).toEqual([400, 'access_denied']);
  expect((await scene.storage.credentials.succeeding(old.id)).length).toBe(1);
});

test('copies that ask at once, with the key that they agreed on, make one credential', async () => {
  const next = clientKey();
  const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(next)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  expect(new Set(answers.map((each) => jsonOf(each)['credential'])).size).toBe(1);
  expect((await scene.storage.credentials.succeeding(old.id)).length).toBe(1);
});

test('and with keys of their own, one of them has its way', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(clientKey())));
  expect(answers.filter(({ status }) => status === 200).length).toBe(1);
  expect((await scene.storage.credentials.succeeding(old.id)).length).toBe(1);
});

test('an assertion that somebody found makes nobody a key: it names the new one or none', async () => {
  const next = clientKey();
  const others: Change[] = [
    { assertion: { cnf: undefined } },
    { assertion: { cnf: { jkt: jwkThumbprint(clientKey().jwk) } } },
    { assertion: { cnf: 'x' } },
  ];
  for (const change of others) {
    const answer = await rotate(next, change);
    expect([answer.status, jsonOf(answer)['error_description']]).toEqual([
      400,
      'the client assertion does not name the new key (cnf.jkt)',
    ]);
  }
  expect(await scene.storage.credentials.succeeding(old.id)).toEqual([]);
});

test('nobody registers a key that it does not hold, or that was made for somebody else', async () => {
  const next = clientKey();
  const changes: readonly (readonly [Change, string])[] = [
    [{ signedBy: clientKey() }, 'new_key is not signed by the key that it shows'],
    [{ claims: { iss: 'ledger' } }, 'new_key is no proof of a new key'],
    [{ claims: { aud: 'https://other.test' } }, 'new_key is no proof of a new key'],
    [{ claims: { iat: SECONDS - 400 } }, 'new_key is no proof of a new key'],
    [{ claims: { iat: SECONDS + 100 } }, 'new_key is no proof of a new key'],
    [{ header: { typ: 'dpop+jwt' } }, 'new_key is no proof of a new key'],
    [{ header: { jwk: 'x' } }, 'the new key cannot be used here'],
    [{ form: { new_key: '' } }, 'new_key is missing'],
  ];
  for (const [change, text] of changes) {
    const answer = await rotate(next, change);
    expect([answer.status, jsonOf(answer)['error_description']]).toEqual([400, text]);
  }
  expect(await scene.storage.credentials.succeeding(old.id)).toEqual([]);
});

test('a key that was ever registered is not new', async () => {
  const gone = clientKey();
  await addClientKey(scene, gone, { record: { state: 'revoked' }, subjectKey: await subjectOf(gone) });
  expect(jsonOf(await rotate(gone))['error']).toBe('access_denied');
  expect(jsonOf(await rotate(key))['error']).toBe('access_denied');
});

async function subjectOf(of: ClientKey): Promise<string> {
  const { keySubject } = await import('../../registry/key-subject.ts');
  return keySubject(of.jwk);
}

test('who proves itself by a secret has nothing to rotate here', async () => {
  const answer = await scene.call('/oauth/rotate', {
    body: Buffer.from(`client_id=payments&client_secret=${scene.secret}&new_key=a.b.c`),
    rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
  });
  expect([answer.status, jsonOf(answer)['error']]).toEqual([400, 'unauthorized_client']);
});

test('where clients do not rotate their keys nobody does', async () => {
  const strict = await openTokenScene({ selfRotation: false });
  await addClientKey(strict, key);
  const answer = await rotate(clientKey(), {}, strict);
  expect(jsonOf(answer)).toMatchObject({ error: 'access_denied' });
  const told = strict.log.events.find(({ type }) => type === 'rotation.refused');
  expect(told?.detail).toContain('self-rotation');
  await strict.close();
});

test('one whose key was taken away in between is refused, and told to the log', async () => {
  await scene.storage.credentials.replace({ ...old, state: 'revoked', version: 2 });
  expect((await rotate(clientKey())).status).toBe(401);
});

test('a rotation counts as use by the instance that made it', async () => {
  const seen: unknown[] = [];
  const watched = await openTokenScene({
    instances: { saw: ({ id }, instance) => void seen.push([id, instance]) },
  });
  const record = await addClientKey(watched, key);
  await rotate(clientKey(), {}, watched);
  expect(seen).toEqual([[record.id, 'copy-1']]);
  await watched.close();
});
