import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../test/tiny-issuer.ts';
import type { CutoffAlarm } from './cutoff-alarm.ts';
import { CutoffReceipt } from './cutoff-receipt.ts';
import type { CutoffOptions } from './options.ts';
import { createVerifier } from './create-verifier.ts';
import type { Verifier } from './verifier.ts';

let now = 1_800_000_000;
const clock = () => now;
let tiny: TinyIssuer;
let asked: { query: URLSearchParams; headers: IncomingMessage['headers'] }[];
const open: Verifier[] = [];

beforeEach(async () => {
  now = 1_800_000_000;
  tiny = await startTinyIssuer(clock);
  tiny.bendFeed.holdMs = 100;
  asked = [];
  tiny.intercept = (request) => {
    const url = new URL(request.url ?? '', tiny.issuer);
    if (url.pathname === '/oauth/cutoffs') asked.push({ query: url.searchParams, headers: request.headers });
    return false;
  };
});
afterEach(async () => {
  for (const verifier of open.splice(0)) await verifier.close();
  await tiny.close();
});

async function follow(
  cutoffs: CutoffOptions = {},
  audience: string | string[] = AUDIENCE,
): Promise<Verifier> {
  const introspect = { introspect: async () => ({ active: false }) };
  const verifier = createVerifier({ issuer: tiny.issuer, audience, clock, cutoffs, introspect });
  open.push(verifier);
  await verifier.ready();
  return verifier;
}
const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 5000, interval: 10 });
const reasonOf = async (verifier: Verifier, token: string) => {
  const result = await verifier.verify(token);
  return result.ok ? 'ok' : result.reason;
};

describe('a verifier tells the authority', () => {
  it('whose it is, which copy, and what it does while it hears nothing', async () => {
    await follow({ staleAfter: 20 }, [AUDIENCE, 'https://second.example']);
    await follow({ onStale: 'introspect' });
    await follow({ onStale: { acceptYoungerThan: 60 } });
    const words = asked.map(({ query, headers }) => [
      headers['countersign-instance'],
      query.getAll('resource').length,
      query.get('stale_after'),
      query.get('on_stale'),
    ]);
    const copies = new Set(words.map(([copy]) => copy));
    expect(copies.size).toBe(3);
    const said = words.map(([, ...rest]) => rest.join(' '));
    for (const each of ['2 20 refuse', '1 10 introspect', '1 10 accept_younger_than:60'])
      expect(said).toContain(each);
    expect(asked[0]?.headers.authorization).toBeUndefined();
  });

  it('by a token for its own API that it may: its receipts are proven', async () => {
    const targets: object[] = [];
    const receipts = {
      token: async (target: object) => {
        targets.push(target);
        return { accessToken: 'abc.def.ghi' };
      },
    };
    await follow({ receipts });
    expect(asked[0]?.headers.authorization).toBe('Bearer abc.def.ghi');
    expect(targets[0]).toEqual({ resource: AUDIENCE, scope: 'tokens:introspect' });
  });

  it('nothing where it is no API', async () => {
    await follow({ receipts: false });
    expect(asked[0]?.query.has('resource')).toBe(false);
    expect(asked[0]?.headers['countersign-instance']).toBeUndefined();
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('no'))],
    ['never answers', () => new Promise<never>(() => undefined)],
  ])('nothing while the token for that %s, and follows all the same', async (_, token) => {
    const verifier = await follow({ receipts: { token } });
    expect(asked[0]?.query.has('resource')).toBe(false);
    expect(asked[0]?.headers['countersign-instance']).toBeUndefined();
    expect(await reasonOf(verifier, tiny.token())).toBe('ok');
  });

  it('how often something was tried after its cut-off, again until it was heard', async () => {
    const verifier = await follow();
    const token = tiny.token();
    tiny.cut({ kind: 'identity', id: 'payments', not_before: now });
    await soon(async () => expect(await reasonOf(verifier, token)).toBe('cut_off'));
    const deaf = tiny.intercept;
    let refused = 0;
    tiny.intercept = (request, response) => {
      deaf(request, response);
      if (!request.url?.startsWith('/oauth/cutoffs')) return false;
      refused++;
      response.writeHead(503).end();
      return true;
    };
    for (let i = 0; i < 4; i++) await verifier.verify(token);
    await soon(() => expect(refused).toBeGreaterThan(1));
    tiny.intercept = deaf;
    asked = [];
    const told = () => asked.flatMap(({ query }) => query.getAll('attempts'));
    await soon(() => expect(told()).toContain(`identity:payments:${now}:5`));
    // Once it was heard it is not told again.
    const count = told().length;
    const before = asked.length;
    await soon(() => expect(asked.length).toBeGreaterThan(before + 2));
    expect(told().length - count).toBeLessThanOrEqual(1);
  });

  it('first what was tried after orders of people, and later orders whatever was tried before', async () => {
    const receipt = new CutoffReceipt({
      instance: 'i',
      audience: [AUDIENCE],
      staleAfter: 10,
      onStale: 'refuse',
      source: undefined,
    });
    const attempts = async (): Promise<string[]> => {
      const { query, told } = await receipt.next();
      told();
      return new URLSearchParams(query).getAll('attempts');
    };
    for (let i = 0; i < 2000; i++) receipt.count({ kind: 'token', id: `t${i}`, not_before: 1 });
    for (let i = 0; i < 3; i++) receipt.count({ kind: 'identity', id: 'a', not_before: 2 });
    expect((await attempts())[0]).toBe('identity:a:2:3');
    const kept: string[] = [];
    for (let more = await attempts(); more.length > 0; more = await attempts()) kept.push(...more);
    expect(kept.length).toBeLessThan(1000);
    receipt.count({ kind: 'token', id: 'later', not_before: 3 });
    expect(await attempts()).toEqual(['token:later:3:1']);
  });

  it('of twenty orders at a time, however many there are', async () => {
    const verifier = await follow();
    for (let i = 0; i < 45; i++) tiny.cut({ kind: 'token', id: `j${i}`, not_before: now });
    await soon(async () => expect(await reasonOf(verifier, tiny.token({ jti: 'j44' }))).toBe('cut_off'));
    for (let i = 0; i < 45; i++) await verifier.verify(tiny.token({ jti: `j${i}` }));
    await soon(() => {
      const told = new Set(
        asked.flatMap(({ query }) => query.getAll('attempts').map((each) => each.split(':')[1])),
      );
      expect(told.size).toBe(45);
    });
    expect(Math.max(...asked.map(({ query }) => query.getAll('attempts').length))).toBe(20);
  });
});

describe('an alarm is raised', () => {
  let alarms: CutoffAlarm[];
  beforeEach(() => {
    alarms = [];
  });
  const codes = () => alarms.map(({ code }) => code);
  const alarmed = (cutoffs: CutoffOptions = {}) =>
    follow({ ...cutoffs, onAlarm: (alarm) => alarms.push(alarm) });

  it('when a page is forged, once a minute, and then when the feed is stale', async () => {
    const verifier = await alarmed();
    tiny.bendFeed.key = { ...tiny.addKey('x'), kid: 'k1' };
    tiny.jwks.keys.pop();
    await soon(() => expect(codes()).toEqual(['bad_signature']));
    expect(alarms[0]).toMatchObject({ issuer: tiny.issuer });
    expect(await reasonOf(verifier, tiny.token())).toBe('ok');
    now += 16;
    await soon(() => expect(codes()).toContain('stale'));
    expect(await reasonOf(verifier, tiny.token())).toBe('cutoffs_stale');
    expect(verifier.feeds()).toMatchObject([{ issuer: tiny.issuer, stale: true, cursor: 0 }]);
    expect(verifier.feeds()[0]?.age).toBeGreaterThan(10);
  });

  it('when an old page is replayed, before it is stale', async () => {
    await alarmed();
    tiny.bendFeed.claims = { iat: now - 7, exp: now + 53 };
    await soon(() => expect(codes()).toEqual(['replayed']));
  });

  it('when a page is cut short', async () => {
    await alarmed();
    tiny.intercept = (request, response) => {
      if (!request.url?.startsWith('/oauth/cutoffs')) return false;
      response.end('eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOi');
      return true;
    };
    await soon(() => expect(codes()).toEqual(['not_a_jws']));
  });

  it('when the feed was rolled back: it is no news, its orders stay, and it is stale until it has caught up', async () => {
    const verifier = await alarmed();
    const [payments, other] = [tiny.token(), tiny.token({ client_id: 'other', sub: 'other' })];
    tiny.cut({ kind: 'token', id: 'a', not_before: now });
    tiny.cut({ kind: 'identity', id: 'payments', not_before: now });
    await soon(async () => expect(await reasonOf(verifier, payments)).toBe('cut_off'));
    tiny.rollBack(1);
    await soon(() => expect(codes()).toContain('rolled_back'));
    expect(await reasonOf(verifier, payments)).toBe('cut_off');
    now += 16;
    expect(await reasonOf(verifier, other)).toBe('cutoffs_stale');
    tiny.cut({ kind: 'token', id: 'b', not_before: now });
    await soon(async () => expect(await reasonOf(verifier, other)).toBe('ok'));
    expect(await reasonOf(verifier, payments)).toBe('cut_off');
  });

  it('and what goes wrong in its listener ends nothing', async () => {
    const verifier = await follow({
      onAlarm: () => {
        throw new Error('pager is down');
      },
    });
    tiny.bendFeed.claims = { iss: 'https://evil.example' };
    await soon(() => expect(verifier.feeds()[0]?.alarms).toBe(1));
    tiny.bendFeed.claims = {};
    now += 30;
    await soon(async () => expect(await reasonOf(verifier, tiny.token())).toBe('ok'));
  });
});

it.each([
  ['cutoffs.receipts', { receipts: {} as never }],
  ['cutoffs.onAlarm', { onAlarm: 'page me' as never }],
])('%s has to be what it says', (option, cutoffs) => {
  expect(() => createVerifier({ issuer: tiny.issuer, audience: AUDIENCE, cutoffs })).toThrow(
    expect.objectContaining({ code: 'bad_option', option }),
  );
});
