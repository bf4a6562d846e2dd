import { afterEach, beforeEach, expect, test } from 'vitest';
import { jsonOf, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { changed } from '../../storage/contract/records.ts';
import { StorageError } from '../../storage/errors.ts';
import type { HttpRequest } from '../../http/request.ts';
import { createStatusListEndpoint } from './status-list.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
async function tokenClaims() {
  const answer = await scene.ask();
  expect(answer.status, String(answer.body)).toBe(200);
  return claimsOf(jsonOf(answer).access_token);
}
const ask = (list: string, lists = scene.deps.statusLists) =>
  createStatusListEndpoint(lists)({} as HttpRequest, { list });

async function wantStatus(token: object = {}): Promise<void> {
  const { server, storage } = scene;
  await storage.resourceServers.replace(
    changed(server, { token: { ...server.token, statusList: true, ...token } }),
  );
}

test('only the tokens of an API that wants it say where their status is, all of one credential the same', async () => {
  expect(await tokenClaims()).not.toHaveProperty('status');
  await wantStatus();
  const { iss, status } = await tokenClaims();
  expect(status).toEqual({ status_list: { idx: 0, uri: `${iss}/oauth/status/0` } });
  expect((await tokenClaims()).status).toEqual(status);
  const list = await ask('0');
  expect(list).toMatchObject({
    status: 200,
    headers: { 'content-type': 'application/statuslist+jwt', 'cache-control': 'max-age=15' },
  });
  expect(claimsOf(String(list.body)).sub).toBe(status.status_list.uri);
});

test('whose place has ended in the moment of the request gets no token', async () => {
  await wantStatus();
  const gone = await openTokenScene({
    statusLists: { ...scene.deps.statusLists, placeOf: async () => undefined },
  });
  await gone.storage.resourceServers.replace(
    changed(gone.server, { token: { ...gone.server.token, statusList: true } }),
  );
  const answer = await gone.ask();
  expect([answer.status, jsonOf(answer).error]).toEqual([401, 'invalid_client']);
  expect(gone.log.events.filter(({ type }) => type === 'token.issued')).toEqual([]);
  await gone.close();
});

test.each(['1', '01', '-1', 'x', '', '9999999999', '0.5'])('the list %j is not there', async (list) => {
  await wantStatus();
  await tokenClaims();
  const answer = await ask(list);
  // RFC 6749 §11.4.1: of the registered codes.
  expect([answer.status, jsonOf(answer).error]).toEqual([404, 'invalid_request']);
});

test('without a database: come again in a moment', async () => {
  const read = () => Promise.reject(new StorageError('unavailable', 'gone'));
  const answer = await ask('0', { ...scene.deps.statusLists, read });
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
});
