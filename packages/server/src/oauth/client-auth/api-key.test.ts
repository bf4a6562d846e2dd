// API keys at the token endpoint: what is taken, what a limit leaves, and that strangers see one answer (RFC 6749 §5.2).
import { formatBasicCredentials, generateSecret } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addApiKey,
  changed,
  FRAUD,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import type { HttpResponse } from '../../http/response.ts';
import { resolveApiKey } from '../../registry/api-key.ts';
import { accessRecord, resourceServerRecord } from '../../storage/contract/records.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
  await scene.storage.identities.replace(changed(scene.identity, { environment: 'test' }));
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

const withKey = (key: string, more = ''): Promise<HttpResponse> =>
  scene.ask(more, { authorization: null, headers: ['X-API-Key', key] });

describe('an API key', () => {
  it('gets a token of its identity without saying whose it is, as X-API-Key and as bearer', async () => {
    const key = await addApiKey(scene);
    for (const answer of [
      await withKey(key),
      await withKey(key),
      await scene.ask('', { authorization: `Bearer ${key}` }),
      await scene.ask('', { authorization: `bEARER  ${key}` }),
      await withKey(key, 'client_id=payments'),
    ]) {
      expect([answer.status, jsonOf(answer).scope]).toEqual([200, 'fraud:read fraud:write']);
    }
    expect(scene.log.events.map((event) => [event.identity, event.method])).toEqual(
      Array.from({ length: 5 }, () => ['payments', 'api_key']),
    );
  });

  it('opens no more than its limits, and never more than the identity has', async () => {
    const other = resourceServerRecord({ identifier: 'https://other.test' });
    await scene.storage.resourceServers.insert(other);
    await scene.storage.access.insert(accessRecord(scene.identity.id, other.id, { scopes: ['fraud:read'] }));
    const limited = await addApiKey(scene, {
      resourceServerId: scene.server.id,
      scopes: ['fraud:read', 'x'],
    });
    expect(jsonOf(await withKey(limited)).scope).toBe('fraud:read');
    expect(jsonOf(await withKey(limited, `resource=${FRAUD}&scope=fraud:write`)).error).toBe('invalid_scope');
    expect(jsonOf(await withKey(limited, 'resource=https://other.test')).error).toBe('invalid_target');
    const open = await addApiKey(scene);
    expect(jsonOf(await withKey(open)).error).toBe('invalid_target');
    expect((await withKey(open, `resource=${FRAUD}`)).status).toBe(200);
  });

  it('is no client secret, and a client secret is no API key, also after it has matched once', async () => {
    const key = await addApiKey(scene);
    expect((await withKey(key)).status).toBe(200);
    expect((await scene.ask('', { authorization: formatBasicCredentials('payments', key) })).status).toBe(
      401,
    );
    expect((await scene.ask()).status).toBe(200);
    expect((await withKey(scene.secret)).status).toBe(401);
  });

  it('that is unknown, wrong, expired, revoked, suspended or malformed gets one and the same answer', async () => {
    const right = await addApiKey(scene);
    const wrong = generateSecretWith(right);
    const answers = [
      await withKey(generateSecret('cak', scene.deps.random).secret),
      await withKey(wrong),
      await withKey(await addApiKey(scene, {}, { expiresAt: NOW })),
      await withKey(await addApiKey(scene, {}, { state: 'revoked' })),
      await withKey(await addApiKey(scene, {}, { state: 'suspended' })),
      await withKey(`${right}x`),
      await withKey('cak_'),
      await withKey(wrong, 'client_id=somebody'),
      await scene.ask('', { authorization: 'Bearer eyJ.a.b' }),
    ];
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.status).toBe(401);
    expect(scene.strangers[1]?.event.identity).toBe(right.slice(0, 12));
    expect(scene.strangers.map(({ event }) => event.reason)).toEqual([
      'client_unknown',
      'secret_mismatch',
      'credential_expired',
      'credential_revoked',
      'credential_suspended',
      'api_key_malformed',
      'api_key_malformed',
      'secret_mismatch',
      'api_key_malformed',
    ]);
  });

  it('is called by its own name in the log, whatever client_id stands beside it', async () => {
    const key = await addApiKey(scene, {}, { state: 'suspended' });
    const name = key.slice(0, 12);
    for (const named of [key, 'billing', 'x y']) {
      expect((await withKey(key, `client_id=${named}`)).status).toBe(401);
      expect((await withKey(generateSecretWith(key), `client_id=${named}`)).status).toBe(401);
    }
    expect(scene.strangers.map(({ event, claimed }) => [event.identity, claimed])).toEqual(
      Array.from({ length: 6 }, () => [name, name]),
    );
  });

  it('comes alone: with another proof, twice or in the URL it is refused', async () => {
    const key = await addApiKey(scene);
    const twice = ['X-API-Key', key, 'X-API-Key', key];
    const basic = formatBasicCredentials('payments', scene.secret);
    for (const answer of [
      await scene.ask('', { authorization: null, headers: twice }),
      await scene.ask('', { authorization: basic, headers: ['X-API-Key', key] }),
      await scene.ask('', { authorization: `Bearer ${key}`, headers: ['X-API-Key', key] }),
      await withKey(key, `client_id=payments&client_secret=${scene.secret}`),
      await scene.ask('', { query: `api_key=${key}` }),
      await withKey(key, 'client_id=billing'),
    ]) {
      expect([answer.status, jsonOf(answer).error]).toEqual([400, 'invalid_request']);
    }
  });

  it('stops at once when it is revoked, though it was in use', async () => {
    const key = await addApiKey(scene);
    expect((await withKey(key)).status).toBe(200);
    const record = (await scene.storage.credentials.ofIdentity(scene.identity.id)).find(
      (each) => each.material.type === 'api_key',
    );
    await scene.storage.credentials.replace(changed(record ?? scene.credential, { state: 'revoked' }));
    expect((await withKey(key)).status).toBe(401);
  });

  it('resolves to what it stands for, and to nothing where it is none', async () => {
    const key = await addApiKey(scene, { scopes: ['fraud:read'] });
    const found = await resolveApiKey(scene.deps, key, NOW);
    expect(found?.facts.identity.clientId).toBe('payments');
    expect([found?.limit?.scopes, found?.fault]).toEqual([['fraud:read'], undefined]);
    expect((await resolveApiKey(scene.deps, key, NOW + 1e12))?.fault).toBe('identity_expired');
    for (const text of ['', scene.secret, `${key}x`, generateSecretWith(key)]) {
      expect(await resolveApiKey(scene.deps, text, NOW)).toBeUndefined();
    }
  });
});

/** Another key with the same public id, well-formed: what a guess would look like. */
function generateSecretWith(key: string): string {
  const publicId = key.slice(4, 12);
  let first = true;
  return generateSecret('cak', (bytes) => {
    if (!first) return scene.deps.random(bytes);
    first = false;
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    return Uint8Array.from({ length: bytes }, (_, i) => alphabet.indexOf(publicId[i % 8] as string));
  }).secret;
}
