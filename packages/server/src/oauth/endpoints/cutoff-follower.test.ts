import { afterEach, beforeEach, expect, test } from 'vitest';
import { FRAUD, jsonOf, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import type { CutoffFollowers } from '../../cutoff/followers.ts';
import type { FollowerRecord } from '../../storage/cutoff-receipts.ts';
import { changed, resourceServerRecord } from '../../storage/contract/records.ts';
import { StorageError } from '../../storage/errors.ts';

let scene: TokenScene;
let followers: CutoffFollowers;
let waited: object[];
beforeEach(async () => {
  waited = [];
  const read = async (_after: number, _wait: number, from: object) => {
    waited.push(from);
    return 'a.b.c';
  };
  scene = await openTokenScene({ feed: { read } });
  followers = scene.deps.followers as CutoffFollowers;
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

const SETTINGS = `resource=${encodeURIComponent(FRAUD)}&stale_after=10&on_stale=refuse`;

function poll(query: string, headers: readonly string[] = ['Countersign-Instance', 'boot-1']) {
  return scene.call('/oauth/cutoffs', { query, rawHeaders: headers });
}

async function known(): Promise<readonly FollowerRecord[]> {
  await followers.flush();
  return scene.storage.cutoffReceipts.followers(0, 100);
}

/** A token of the client, which holds `tokens:introspect` of its API and so stands for it. */
async function standingToken(): Promise<string> {
  const { server, access, storage } = scene;
  const scopes = [
    ...server.scopes,
    { name: 'tokens:introspect', description: 'stands for it', sensitivity: 1 },
  ];
  await storage.resourceServers.replace(changed(server, { scopes }));
  await storage.access.replace(changed(access, { scopes: ['fraud:read', 'tokens:introspect'] }));
  const answer = await scene.ask('scope=tokens:introspect');
  return jsonOf(answer).access_token as string;
}

test('a verifier that says whose it is is known, with its declared behaviour, as unproven', async () => {
  expect((await poll(`${SETTINGS}`)).status).toBe(200);
  expect(await known()).toMatchObject([
    {
      resourceServerId: scene.server.id,
      instance: 'boot-1',
      proven: false,
      staleAfter: 10,
      onStale: 'refuse',
    },
  ]);
});

test('one that shows a token by which it stands for its API is proven for that API alone', async () => {
  const token = await standingToken();
  await scene.storage.resourceServers.insert(resourceServerRecord({ identifier: 'https://other.example' }));
  const other = `&resource=${encodeURIComponent('https://other.example')}`;
  const headers = ['Countersign-Instance', 'boot-1', 'Authorization', `Bearer ${token}`];
  expect((await poll(`${SETTINGS}${other}`, headers)).status).toBe(200);
  expect(waited).toEqual([{ source: scene.server.id, proven: true }]);
  const found = await known();
  expect(found.map(({ resourceServerId, proven }) => [resourceServerId === scene.server.id, proven])).toEqual(
    expect.arrayContaining([
      [true, true],
      [false, false],
    ]),
  );
});

test.each([
  [
    'that opens something else',
    async () => jsonOf(await scene.ask('scope=fraud:read')).access_token as string,
  ],
  ['that is none', async () => 'a.b.c'],
  [
    'of an identity that was cut off',
    async () => {
      const token = await standingToken();
      await scene.storage.identities.replace(changed(scene.identity, { state: 'suspended' }));
      return token;
    },
  ],
])('a token %s proves nothing, and keeps the feed from nobody', async (_, tokenOf) => {
  const headers = ['Countersign-Instance', 'b', 'Authorization', `Bearer ${await tokenOf()}`];
  expect((await poll(SETTINGS, headers)).status).toBe(200);
  expect(await known()).toMatchObject([{ proven: false }]);
});

test('who does not say which copy it is, or is of no API of ours, leaves no trace', async () => {
  await poll(SETTINGS, []);
  await poll('resource=https%3A%2F%2Fnobody.example&stale_after=10&on_stale=refuse');
  await poll('after=0&wait=0');
  expect(await known()).toEqual([]);
});

test.each([
  'stale_after=0&on_stale=refuse',
  'stale_after=10000&on_stale=refuse',
  'on_stale=refuse',
  'stale_after=10',
  'stale_after=10&on_stale=accept',
  'stale_after=10&on_stale=accept_younger_than:0',
  'stale_after=10&on_stale=refuse&attempts=identity:a:1',
  'stale_after=10&on_stale=refuse&attempts=person:a:1:1',
  'stale_after=10&on_stale=refuse&attempts=identity:a%20b:1:1',
  'stale_after=10&on_stale=refuse&attempts=identity:a:1:0',
  `stale_after=10&on_stale=refuse&${'attempts=token:a:1:1&'.repeat(21).slice(0, -1)}`,
  `stale_after=10&on_stale=refuse&${'resource=https%3A%2F%2Fa.example&'.repeat(10).slice(0, -1)}`,
])('%s is invalid_request', async (words) => {
  const answer = await poll(`resource=${encodeURIComponent(FRAUD)}&${words}`);
  expect([answer.status, jsonOf(answer).error]).toEqual([400, 'invalid_request']);
});

test('without a database the receipt waits, and the feed does not', async () => {
  const gone = new StorageError('unavailable', 'gone');
  const failing = await openTokenScene({ resourceServers: { idOf: () => Promise.reject(gone) } });
  const answer = await failing.call('/oauth/cutoffs', {
    query: SETTINGS,
    rawHeaders: ['Countersign-Instance', 'b'],
  });
  expect(answer.status).toBe(200);
  await failing.close();
});
