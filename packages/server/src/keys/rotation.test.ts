import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../audit/change.ts';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { pooledRandom } from '../ids.ts';
import type { SigningKeyRecord } from '../storage/signing-keys.ts';
import type { Storage, Stores } from '../storage/storage.ts';
import {
  compromise,
  ensureSigningKey,
  NextKeyTooYoung,
  rotate,
  rotateAll,
  type RotationDeps,
  type RotationMode,
} from './rotation.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2026-11-21T12:00:00.000Z');
const LONGEST_TOKEN = HOUR;
const SCHEDULE = { period: 30 * DAY, lead: DAY, retention: LONGEST_TOKEN + 10 * MINUTE };

let now: number;
let storage: Storage;
let deps: RotationDeps;
let made: number;
let told: ChangeEvent[];

beforeEach(async () => {
  now = START;
  made = 0;
  told = [];
  const clock = { now: () => now };
  storage = await openMemoryStorage(clock);
  deps = {
    clock,
    random: pooledRandom(),
    schedule: SCHEDULE,
    signer: {
      generate: async (_alg, kid) => ({
        publicJwk: { kty: 'EC', x: `x${++made}` },
        sealedPrivateKey: `sealed for ${kid}`,
      }),
      open: () => ({ sign: () => '', signBytes: (bytes) => bytes }),
      reveal: () => {
        throw new Error('is not asked');
      },
      publicKey: () => {
        throw new Error('is not asked');
      },
    },
  };
});
afterEach(() => storage.close());

const turn = (mode: RotationMode = 'due'): Promise<void> =>
  storage.transaction((stores) => rotate(deps, stores, 'ES256', mode, (event) => told.push(event)));
const keys = (): Promise<readonly SigningKeyRecord[]> => storage.signingKeys.live();
async function kidsIn(state: SigningKeyRecord['state']): Promise<string[]> {
  return (await keys()).filter((key) => key.state === state).map((key) => key.kid);
}
async function one(state: SigningKeyRecord['state']): Promise<string> {
  const found = await kidsIn(state);
  expect(found, state).toHaveLength(1);
  return found[0] as string;
}
const cutOff = (kid: string): Promise<SigningKeyRecord | undefined> =>
  storage.transaction((stores) => compromise(deps, stores, kid, (event) => told.push(event)));

describe('signing keys', () => {
  it('are two from the first start on: one that signs, one that is published beforehand', async () => {
    await turn();
    const [active, next] = [await one('active'), await one('next')];
    expect(told).toEqual([
      { type: 'key.created', resource: active, after: { alg: 'ES256', state: 'active' } },
      { type: 'key.created', resource: next, after: { alg: 'ES256', state: 'next' } },
    ]);
    await turn();
    expect(told).toHaveLength(2);
  });

  it('follow each other through a year without a gap', async () => {
    const publishedAt = new Map<string, number>();
    const activeKids: string[] = [];
    const tokens: { readonly kid: string; readonly expiresAt: number }[] = [];
    let step = 7 * MINUTE;
    for (; now < START + 365 * DAY; now += step) {
      step = 10 * MINUTE + ((step * 31) % (100 * MINUTE));
      await turn();
      const live = await keys();
      const published = new Set(live.map((key) => key.kid));
      for (const { kid } of live) if (!publishedAt.has(kid)) publishedAt.set(kid, now);
      const active = live.filter((key) => key.state === 'active');
      if (active.length !== 1 || live.filter((key) => key.state === 'next').length !== 1 || live.length > 3) {
        expect.unreachable(`at ${new Date(now).toISOString()}: ${live.map((key) => key.state).join()}`);
      }
      const { kid } = active[0] as SigningKeyRecord;
      if (activeKids.at(-1) !== kid) {
        expect(activeKids, 'no key signs twice').not.toContain(kid);
        if (activeKids.length > 0) expect(now - (publishedAt.get(kid) as number)).toBeGreaterThanOrEqual(DAY);
        activeKids.push(kid);
      }
      while (tokens.length > 0 && (tokens[0]?.expiresAt as number) <= now) tokens.shift();
      for (const token of tokens)
        if (!published.has(token.kid)) expect.unreachable('a token outlived its key');
      tokens.push({ kid, expiresAt: now + LONGEST_TOKEN });
    }
    expect(activeKids).toHaveLength(13);
    expect(publishedAt.size).toBe(14);
    expect(made).toBe(14);
  }, 60_000);

  it('stay where they are until the next one has been seen everywhere', async () => {
    await turn();
    const first = await one('active');
    now += SCHEDULE.period - 1;
    await turn();
    expect(await one('active')).toBe(first);
    now += 1;
    await turn();
    expect(await one('active')).not.toBe(first);
    expect(await one('retiring')).toBe(first);
    const retiring = (await keys()).find((key) => key.state === 'retiring');
    expect(retiring).toMatchObject({ retiringAt: now, removeAt: now + SCHEDULE.retention });
  });

  it('catch up after a long sleep with one step, and the one that slept too long is not used at once', async () => {
    await turn();
    const next = await one('next');
    now += 400 * DAY;
    await turn();
    expect(await one('active')).toBe(next);
    const after = await one('next');
    await turn();
    expect([await one('active'), await one('next')]).toEqual([next, after]);
  });

  it('leave no private key behind when they retire', async () => {
    await turn();
    const first = await one('active');
    now += SCHEDULE.period;
    await turn();
    expect((await storage.signingKeys.byKid(first))?.sealedPrivateKey).toBe(`sealed for ${first}`);
    now += SCHEDULE.retention - 1;
    await turn();
    expect(await kidsIn('retiring')).toEqual([first]);
    now += 1;
    await turn();
    expect(await storage.signingKeys.byKid(first)).toMatchObject({ state: 'retired', sealedPrivateKey: '' });
    expect((await keys()).map((key) => key.kid)).not.toContain(first);
    expect(told.map((event) => event.type)).toEqual([
      'key.created',
      'key.created',
      'key.retiring',
      'key.activated',
      'key.created',
      'key.retired',
    ]);
  });

  it('change at once by order, but not before the next one has been published long enough', async () => {
    await turn();
    const [first, second] = [await one('active'), await one('next')];
    now += SCHEDULE.lead - 1;
    const refused = await turn('now').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NextKeyTooYoung);
    expect(refused).toMatchObject({ readyAt: START + SCHEDULE.lead });
    expect([await one('active'), await one('next')]).toEqual([first, second]);
    now += 1;
    await turn('now');
    expect([await one('active'), await one('retiring')]).toEqual([second, first]);
  });

  it('of another algorithm are left alone', async () => {
    await turn();
    const before = await keys();
    await storage.transaction((stores) => rotate(deps, stores, 'ES384', 'due', () => undefined));
    const after = await keys();
    expect(after.filter((key) => key.alg === 'ES256')).toEqual(before);
    expect(after.filter((key) => key.alg === 'ES384')).toHaveLength(2);
  });
});

describe('two nodes that rotate at the same moment', () => {
  it('take turns where transactions do: the second finds nothing to do', async () => {
    await turn();
    now += SCHEDULE.period;
    await Promise.all([turn(), turn()]);
    expect((await keys()).map((key) => key.state).sort()).toEqual(['active', 'next', 'retiring']);
    expect(made).toBe(3);
  });

  it('end in one winner where both have read the same keys: the other changes nothing', async () => {
    await turn();
    now += SCHEDULE.period;
    const seen = await keys();
    await turn();
    const after = await keys();
    const late = storage.transaction((stores) => {
      const stale: Stores = { ...stores, signingKeys: { ...stores.signingKeys, live: async () => seen } };
      return rotate(deps, stale, 'ES256', 'due', () => undefined);
    });
    await expect(late).rejects.toMatchObject({ fault: 'version_conflict' });
    expect(await keys()).toEqual(after);
  });

  it('end in one winner on an empty database, too', async () => {
    await turn();
    const after = await keys();
    const late = storage.transaction((stores) => {
      const stale: Stores = { ...stores, signingKeys: { ...stores.signingKeys, live: async () => [] } };
      return rotate(deps, stale, 'ES256', 'due', () => undefined);
    });
    await expect(late).rejects.toMatchObject({ fault: 'unique_conflict', detail: 'active_alg' });
    expect(await keys()).toEqual(after);
  });
});

describe('a key that somebody else may hold', () => {
  it('signs no more, at once, and the next one takes over without waiting', async () => {
    await turn();
    const [first, second] = [await one('active'), await one('next')];
    expect(await cutOff(first)).toMatchObject({ kid: first, state: 'compromised' });
    expect(await one('active')).toBe(second);
    expect(await one('next')).not.toBe(second);
    expect(await storage.signingKeys.byKid(first)).toMatchObject({
      state: 'compromised',
      sealedPrivateKey: '',
    });
    expect(told.slice(2).map((event) => event.type)).toEqual([
      'key.compromised',
      'key.activated',
      'key.created',
    ]);
  });

  it('is replaced when it was the next one', async () => {
    await turn();
    const [first, second] = [await one('active'), await one('next')];
    await cutOff(second);
    expect(await one('active')).toBe(first);
    expect(await one('next')).not.toBe(second);
  });

  it('is gone when it was on its way out', async () => {
    await turn();
    const first = await one('active');
    now += SCHEDULE.period;
    await turn();
    await cutOff(first);
    expect(await kidsIn('retiring')).toEqual([]);
    now += DAY;
    await turn();
    expect(await storage.signingKeys.byKid(first)).toMatchObject({ state: 'compromised' });
  });

  it('cannot be made so twice, nor when it is retired or unknown', async () => {
    await turn();
    const first = await one('active');
    await cutOff(first);
    const before = await keys();
    expect([await cutOff(first), await cutOff('key_unknown')]).toEqual([undefined, undefined]);
    expect(await keys()).toEqual(before);
  });

  it('may be one after the other: there is always one that signs', async () => {
    await turn();
    const used = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const kid = await one(i % 3 === 0 ? 'next' : 'active');
      used.add(kid);
      await cutOff(kid);
      await one('active');
      await one('next');
      expect(used.has(await one('active'))).toBe(false);
    }
  });
});

describe('keys of another algorithm', () => {
  const ensure = (alg: 'RS256' | 'ES256'): Promise<void> =>
    storage.transaction((stores) => ensureSigningKey(deps, stores, alg, (event) => told.push(event)));
  const due = (): Promise<void> =>
    storage.transaction((stores) => rotateAll(deps, stores, (event) => told.push(event)));
  const statesOf = async (alg: string): Promise<string[]> =>
    (await keys()).filter((key) => key.alg === alg).map((key) => key.state);

  it('are made with the first who asks, once, and beside those that are there', async () => {
    await due();
    await ensure('RS256');
    await ensure('RS256');
    await ensure('ES256');
    for (const alg of ['RS256', 'ES256']) expect((await statesOf(alg)).sort()).toEqual(['active', 'next']);
  });

  it('rotate under the same schedule, and stay published until their last token has expired', async () => {
    await due();
    await ensure('RS256');
    now += SCHEDULE.period;
    await due();
    for (const alg of ['RS256', 'ES256']) {
      expect((await statesOf(alg)).sort()).toEqual(['active', 'next', 'retiring']);
    }
    now += SCHEDULE.retention - 1;
    await due();
    expect(await statesOf('RS256')).toContain('retiring');
    now += 1;
    await due();
    expect((await statesOf('RS256')).sort()).toEqual(['active', 'next']);
  });
});
