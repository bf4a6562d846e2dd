import { JWT_BEARER } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertionForm, assertionOf, clientKey } from '../../../test/client-assertion.ts';
import { NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';

let scene: TokenScene;
/** What the budget of strangers was told: when the request came. */
let arrivals: number[];
beforeEach(async () => {
  arrivals = [];
  scene = await openTokenScene();
});
afterEach(() => scene.close());

const headers = ['Countersign-Instance', 'boot-7'];

describe('the instance a caller says it is', () => {
  it('stands in the record of a client that was refused something', async () => {
    await scene.ask('resource=https://nobody.test', { headers });
    expect(scene.log.events.at(-1)).toMatchObject({ type: 'token.refused', instance: 'boot-7' });
  });

  it('does not stand in that of a stranger: anybody can say it', async () => {
    await scene.ask('', { headers, authorization: 'Basic bm9ib2R5Om5vdGhpbmc=' });
    await scene.ask('', { headers, body: 'nonsense' });
    expect(scene.strangers.map(({ event }) => [event.type, event.instance])).toEqual([
      ['token.refused', undefined],
      ['token.refused', undefined],
    ]);
  });
});

it('a stranger is answered by when the request came, not by when it was refused', async () => {
  const { facts } = scene.deps;
  const slow = await openTokenScene({
    strangers: {
      refused: async (_, __, arrivedAt) => void arrivals.push(arrivedAt),
      summarise: async () => undefined,
      close: () => undefined,
    },
    facts: {
      byKeyId: (publicId) => facts.byKeyId(publicId),
      byClientId: (clientId) => {
        slow.clock.set(NOW + 15);
        return facts.byClientId(clientId);
      },
    },
  });
  await slow.ask('', { authorization: 'Basic bm9ib2R5Om5vdGhpbmc=' });
  await slow.close();
  expect([slow.clock.now(), arrivals]).toEqual([NOW + 15, [NOW]]);
});

describe('where the keys of others are fetched', () => {
  const find = (): Promise<undefined> => Promise.resolve(undefined);
  const tookFor = async (slowestMs: number, ask: (s: TokenScene) => Promise<unknown>): Promise<number> => {
    const held = await openTokenScene({ jwks: { find, slowestMs } });
    const began = performance.now();
    await ask(held);
    const took = performance.now() - began;
    await held.close();
    return took;
  };
  const asserting = (s: TokenScene) =>
    s.ask(assertionForm(assertionOf(clientKey('ES256'), Math.floor(NOW / 1000))), { authorization: null });
  const assertingAsGrant = (s: TokenScene) =>
    s.ask('', {
      authorization: null,
      body: new URLSearchParams({ grant_type: JWT_BEARER, assertion: 'x' }).toString(),
    });

  it('a refused assertion waits as long as the slowest fetch took, and at most a second', async () => {
    for (const ask of [asserting, assertingAsGrant]) {
      expect(await tookFor(150, ask)).toBeGreaterThanOrEqual(195);
    }
    expect(await tookFor(60_000, asserting)).toBeLessThan(10_000);
  });

  it('nobody else waits, and no assertion where nothing was fetched yet', async () => {
    const stranger = (s: TokenScene) => s.ask('', { authorization: 'Basic bm9ib2R5Om5vdGhpbmc=' });
    expect(await tookFor(60_000, stranger)).toBeLessThan(950);
    expect(await tookFor(60_000, (s) => s.ask())).toBeLessThan(950);
    expect(await tookFor(0, asserting)).toBeLessThan(950);
  });
});
