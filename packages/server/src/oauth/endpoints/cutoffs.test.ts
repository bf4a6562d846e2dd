import { expect, test } from 'vitest';
import type { CutoffFeed } from '../../cutoff/feed.ts';
import type { HttpRequest } from '../../http/request.ts';
import { StorageError } from '../../storage/errors.ts';
import { createCutoffsEndpoint, type CutoffsEndpointDeps } from './cutoffs.ts';

const nobodyKnown = {
  followers: { heard: () => Promise.reject(new Error('nobody said who it is')) },
  resourceServers: { idOf: async () => undefined },
  ownTokens: { read: () => undefined },
  facts: { byClientId: () => undefined },
  ledger: { current: () => Promise.reject(new Error('not asked')) },
  clock: { now: () => 0 },
} satisfies Omit<CutoffsEndpointDeps, 'feed'>;

type Asked = [after: number, wait: number, source: string, proven: boolean];

function ask(query: string, answer: () => Promise<string> = async () => 'a.b.c', source = '127.0.0.1') {
  const asked: Asked[] = [];
  const feed: Pick<CutoffFeed, 'read'> = {
    read: (after, wait, from) => {
      asked.push([after, wait, from.source, from.proven]);
      return answer();
    },
  };
  const request: HttpRequest = {
    method: 'GET',
    path: '/oauth/cutoffs',
    query,
    rawHeaders: [],
    body: new Uint8Array(0),
    id: 'req_1',
    source,
  };
  return { asked, response: createCutoffsEndpoint({ ...nobodyKnown, feed })(request, {}) };
}

test('after and wait are what they say, and 0 when absent', async () => {
  for (const [query, expected] of [
    ['', [0, 0]],
    ['after=7', [7, 0]],
    ['after=7&wait=25', [7, 25]],
    ['wait=0&after=0', [0, 0]],
  ] as const) {
    const { asked, response } = ask(query);
    expect(await response).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/cutoffs+jwt', 'cache-control': 'no-store' },
      body: 'a.b.c',
    });
    expect(asked).toEqual([[...expected, '127.0.0.1', false]]);
  }
});

test('anything else is invalid_request, and nobody waits for it', async () => {
  const queries = ['after=-1', 'after=1.5', 'after=01', 'after=1e3', 'after=9999999999999999', 'after=x'];
  queries.push('wait=26', 'wait=-1', 'wait=x', 'after=1&after=2', 'since=1', 'after=%zz', 'after=%00');
  for (const query of queries) {
    const { asked, response } = ask(query);
    const answer = await response;
    expect(answer.status, query).toBe(400);
    expect(JSON.parse(answer.body as string).error).toBe('invalid_request');
    expect(asked).toEqual([]);
  }
});

test('a follower counts for its network: the owner of a /64 is one', async () => {
  const { asked, response } = ask('wait=25', async () => 'a.b.c', '2001:db8:0:7:1:2:3:4');
  await response;
  expect(asked).toEqual([[0, 25, '2001:db8:0:7::/64', false]]);
});

test('without a database: come again in a moment', async () => {
  const answer = await ask('', () => Promise.reject(new StorageError('unavailable', 'gone'))).response;
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
});
