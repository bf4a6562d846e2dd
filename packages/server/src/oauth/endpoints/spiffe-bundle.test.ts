import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseTrustBundle, type TrustBundle } from '@countersign/protocol';
import { asRoot, pendingAuthority } from '../../ca/make-authority.ts';
import { compromise, rotate, type RotationDeps } from '../../keys/rotation.ts';
import { pooledRandom } from '../../ids.ts';
import { createSeal } from '../../keys/seal.ts';
import { localSigner } from '../../signers/local.ts';
import type { SigningKeyRecord, SigningKeyState } from '../../storage/signing-keys.ts';
import { StorageError } from '../../storage/errors.ts';
import type { Stores } from '../../storage/storage.ts';
import { TRUST_DOMAIN } from '../../../test/issuing.ts';
import { jsonOf, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { bundleRefreshHint, createOwnBundle, type OwnBundle } from '../../ca/own-bundle.ts';
import { createSpiffeBundleEndpoint } from './spiffe-bundle.ts';

const DAY = 86_400_000;
let scene: TokenScene;
let rotation: RotationDeps;

beforeEach(async () => {
  scene = await openTokenScene();
  const random = pooledRandom();
  rotation = {
    signer: localSigner(createSeal(new Uint8Array(32).fill(7), random)),
    clock: scene.clock,
    random,
    schedule: { period: 30 * DAY, lead: DAY, retention: DAY },
  };
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

interface Shown {
  readonly bundle: TrustBundle;
  readonly keys: readonly Record<string, unknown>[];
  readonly sequence: number;
}

async function shown(): Promise<Shown> {
  const answer = await scene.call('/spiffe/bundle');
  expect(answer.status).toBe(200);
  const bundle = parseTrustBundle(answer.body);
  if (!bundle.ok) throw new Error(bundle.fault);
  return { bundle, keys: jsonOf(answer).keys, sequence: bundle.sequence ?? -1 };
}

async function ofState(state: SigningKeyState): Promise<SigningKeyRecord> {
  const found = (await scene.storage.svidKeys.live()).find((key) => key.state === state);
  if (found === undefined) throw new Error(`no key is ${state}`);
  return found;
}

const inSvidKeys = (work: (stores: Stores) => Promise<unknown>): Promise<unknown> =>
  scene.storage.transaction((stores) => work({ ...stores, signingKeys: stores.svidKeys }));

function bundleOn(writes: () => Promise<number>): OwnBundle {
  const storage = { ...scene.storage, svidKeys: { ...scene.storage.svidKeys, writes } };
  return createOwnBundle({ ...scene.deps, svidKeystore: scene.svidKeystore, storage, refreshHint: 300 });
}

test('is JSON for anybody, with keys of both kinds as their profiles want them', async () => {
  const answer = await scene.call('/spiffe/bundle');
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-cache' });
  const { keys, bundle } = await shown();
  const [root, ...jwtKeys] = keys;
  expect(root).toEqual({
    kty: 'EC',
    use: 'x509-svid',
    crv: 'P-256',
    x: expect.any(String),
    y: expect.any(String),
    x5c: [expect.any(String)],
  });
  expect(jwtKeys).toHaveLength(2);
  for (const key of jwtKeys) expect(Object.keys(key).sort()).toEqual(['crv', 'kid', 'kty', 'use', 'x', 'y']);
  expect(bundle.refreshHint).toBe(300);
  expect(bundle.jwtKeys.map(({ kid }) => kid)).toEqual(
    (await scene.storage.svidKeys.live()).map(({ kid }) => kid),
  );
});

test('has no key of access tokens', async () => {
  const own = new Set((await scene.storage.signingKeys.live()).map(({ kid }) => kid));
  const { keys } = await shown();
  expect(keys.some(({ kid }) => own.has(String(kid)))).toBe(false);
});

test('has a key before it signs, and until its last JWT-SVID has expired; its number rises with each change', async () => {
  const first = await shown();
  const active = await ofState('active');
  const next = await ofState('next');
  scene.clock.set(scene.clock.now() + 31 * DAY);
  await inSvidKeys((stores) => rotate(rotation, stores, 'ES256', 'due', () => undefined));
  const second = await shown();
  expect(second.sequence).toBeGreaterThan(first.sequence);
  const kids = (each: Shown) => each.bundle.jwtKeys.map(({ kid }) => kid);
  expect(kids(second)).toHaveLength(3);
  expect(kids(second)).toEqual(expect.arrayContaining([active.kid, next.kid]));
  const signedWith = await scene.svidKeystore.sign('ES256', 'JWT', '{}');
  expect(kids(first)).toContain(
    JSON.parse(Buffer.from(signedWith.split('.')[0] ?? '', 'base64url').toString()).kid,
  );
  scene.clock.set(scene.clock.now() + 2 * DAY);
  await inSvidKeys((stores) => rotate(rotation, stores, 'ES256', 'due', () => undefined));
  const third = await shown();
  expect(third.sequence).toBeGreaterThan(second.sequence);
  expect(kids(third)).not.toContain(active.kid);
});

test('has lost a key that somebody else may hold, at once', async () => {
  const before = await shown();
  const active = await ofState('active');
  await inSvidKeys((stores) => compromise(rotation, stores, active.kid, () => undefined));
  const after = await shown();
  expect(after.bundle.jwtKeys.map(({ kid }) => kid)).not.toContain(active.kid);
  expect(after.sequence).toBeGreaterThan(before.sequence);
});

test('has a root that nothing was issued under yet, beside the one that still counts', async () => {
  const before = await shown();
  const deps = { ...rotation, trustDomain: TRUST_DOMAIN };
  const root = asRoot(deps, await pendingAuthority(deps, 'root', 'ES256'));
  await scene.storage.certificateAuthorities.insert(root);
  const after = await shown();
  expect(before.bundle.certificates).toHaveLength(1);
  expect(after.bundle.certificates).toHaveLength(2);
  expect(after.bundle.certificates).toContainEqual(before.bundle.certificates[0]);
  expect(after.sequence).toBe(before.sequence + 1);
});

test('is not sent again to who has it', async () => {
  const { headers } = await scene.call('/spiffe/bundle');
  const again = { rawHeaders: ['If-None-Match', headers['etag'] ?? ''] };
  expect(await scene.call('/spiffe/bundle', again)).toMatchObject({ status: 304, body: '' });
  const other = { rawHeaders: ['If-None-Match', '"0"'] };
  expect((await scene.call('/spiffe/bundle', other)).status).toBe(200);
});

test('two callers at once cost one look, and one that stays the same none', async () => {
  let looks = 0;
  const bundle = bundleOn(() => (looks++, scene.storage.svidKeys.writes()));
  const endpoint = createSpiffeBundleEndpoint(bundle);
  const request = { method: 'GET', path: '/', query: '', rawHeaders: [], body: new Uint8Array(0), id: 'r' };
  const ask = () => endpoint({ ...request, source: '192.0.2.7' }, {});
  await Promise.all([ask(), ask()]);
  await ask();
  // Before and after the keys are read.
  expect(looks).toBe(2);
});

test('says later, while the database does not answer', async () => {
  const bundle = bundleOn(() => Promise.reject(new StorageError('unavailable', 'away')));
  const endpoint = createSpiffeBundleEndpoint(bundle);
  const request = { method: 'GET', path: '/', query: '', rawHeaders: [], body: new Uint8Array(0), id: 'r' };
  expect((await endpoint({ ...request, source: '192.0.2.7' }, {})).status).toBe(503);
});

test('others are to ask five times in the time that a key is published before it signs, every 5 minutes at most', () => {
  expect(bundleRefreshHint(86_400)).toBe(300);
  expect(bundleRefreshHint(600)).toBe(120);
  expect(bundleRefreshHint(0)).toBe(1);
});
