import { describe, expect, it, vi } from 'vitest';
import { verifierScene } from '../test/verifier-scene.ts';
import type { CutoffOptions } from './options.ts';
import { type Verifier } from './verifier.ts';

const scene = verifierScene();
const verifierOf = (cutoffs: CutoffOptions = {}): Verifier => scene.open({ cutoffs });
const reasonOf = async (verifier: Verifier, token: string) => {
  const result = await verifier.verify(token);
  return result.ok ? 'ok' : result.reason;
};
const noFeed = () => {
  scene.tiny.intercept = (request, response) => {
    if (!request.url?.startsWith('/oauth/cutoffs')) return false;
    response.writeHead(500).end();
    return true;
  };
};

describe('a cut-off', () => {
  it.each([
    ['identity', 'payments'],
    ['credential', 'crd_1'],
    ['token', 'jti-1'],
    ['key', 'k1'],
  ] as const)('of a(n) %s is obeyed within moments, for tokens of before', async (kind, id) => {
    const spare = scene.tiny.addKey('k2');
    const verifier = verifierOf();
    await verifier.ready();
    const token = scene.tiny.token({}, {}, kind === 'key' ? undefined : spare);
    expect(await reasonOf(verifier, token)).toBe('ok');
    scene.tiny.bendFeed.key = spare;
    scene.tiny.cut({ kind, id, not_before: scene.now });
    await vi.waitFor(async () => expect(await reasonOf(verifier, token)).toBe('cut_off'), {
      timeout: 2000,
      interval: 10,
    });
    const result = await verifier.verify(token);
    expect(result).toMatchObject({ status: 401, error: 'invalid_token', detail: kind });
    // A key has been stolen from then on; the others may come back.
    const later = scene.tiny.token({ iat: scene.now + 1 }, {}, kind === 'key' ? undefined : spare);
    expect(await reasonOf(verifier, later)).toBe(kind === 'key' ? 'cut_off' : 'ok');
  });

  it('that was ordered before the start is known at the start', async () => {
    scene.tiny.cut({ kind: 'identity', id: 'payments', not_before: scene.now });
    expect(await reasonOf(verifierOf(), scene.tiny.token())).toBe('cut_off');
  });

  it('that comes on a later page of the first answer is known before the first token is judged', async () => {
    scene.tiny.bendFeed.pageSize = 2;
    for (let i = 0; i < 6; i++) scene.tiny.cut({ kind: 'token', id: `other${i}`, not_before: scene.now });
    scene.tiny.cut({ kind: 'identity', id: 'payments', not_before: scene.now });
    expect(await reasonOf(verifierOf(), scene.tiny.token())).toBe('cut_off');
    const verifier = verifierOf();
    await verifier.ready();
    expect(await reasonOf(verifier, scene.tiny.token())).toBe('cut_off');
  });

  it('is known although the feed, restored from an older copy meanwhile, is as long again as it was', async () => {
    const { tiny } = scene;
    const verifier = verifierOf();
    await verifier.ready();
    const [ours, lost] = [tiny.token(), tiny.token({ client_id: 'lost', sub: 'lost' })];
    tiny.cut({ kind: 'identity', id: 'lost', not_before: scene.now });
    tiny.cut({ kind: 'identity', id: 'other', not_before: scene.now });
    await vi.waitFor(async () => expect(await reasonOf(verifier, lost)).toBe('cut_off'));
    await vi.waitFor(() => expect(verifier.feeds()[0]?.cursor).toBe(2));
    let refused = 0;
    tiny.intercept = (request, response) => {
      if (!request.url?.startsWith('/oauth/cutoffs')) return false;
      refused++;
      response.destroy();
      return true;
    };
    tiny.rollBack(2);
    tiny.cut({ kind: 'identity', id: 'payments', not_before: scene.now });
    tiny.cut({ kind: 'identity', id: 'else', not_before: scene.now });
    await vi.waitFor(() => expect(refused).toBeGreaterThan(0), { timeout: 5000 });
    tiny.intercept = () => false;
    await vi.waitFor(async () => expect(await reasonOf(verifier, ours)).toBe('cut_off'), { timeout: 3000 });
    expect(await reasonOf(verifier, lost)).toBe('cut_off');
  });

  it.each([
    ['was away for too long', 11],
    ['missed an answer', 0],
  ])(
    'that comes on a later page of what a verifier catches up with when it %s is waited for',
    async (_, away) => {
      const { tiny } = scene;
      const verifier = verifierOf();
      await verifier.ready();
      const token = tiny.token();
      noFeed();
      let failed = 0;
      const none = tiny.intercept;
      tiny.intercept = (request, response) => none(request, response) && ++failed > 0;
      await vi.waitFor(() => expect(failed).toBeGreaterThan(0), { timeout: 3000 });
      scene.now += away;
      tiny.bendFeed.pageSize = 1;
      tiny.cut({ kind: 'token', id: 'other', not_before: scene.now });
      tiny.cut({ kind: 'identity', id: 'payments', not_before: scene.now });
      // Somebody lets the first page through and none behind it, again and again.
      let pages = 0;
      tiny.intercept = (request, response) => {
        if (!request.url?.startsWith('/oauth/cutoffs')) return false;
        const isFurther = /[?&]after=/.test(request.url);
        if (isFurther) response.destroy();
        else pages++;
        return isFurther;
      };
      await vi.waitFor(() => expect(pages).toBeGreaterThan(1), { timeout: 5000 });
      scene.now += 11 - away;
      await vi.waitFor(() => expect(pages).toBeGreaterThan(3), { timeout: 8000 });
      expect(await reasonOf(verifier, token)).toBe('cutoffs_stale');
      tiny.intercept = () => false;
      await vi.waitFor(async () => expect(await reasonOf(verifier, token)).toBe('cut_off'), {
        timeout: 5000,
      });
      const others = tiny.token({ client_id: 'else', sub: 'else', iat: scene.now });
      await vi.waitFor(async () => expect(await reasonOf(verifier, others)).toBe('ok'), { timeout: 5000 });
    },
  );

  it('stays in force while the authority is away', async () => {
    const verifier = verifierOf({ onStale: { acceptYoungerThan: 60 } });
    scene.tiny.cut({ kind: 'identity', id: 'payments', not_before: scene.now });
    await verifier.ready();
    noFeed();
    scene.now += 3700;
    expect(await reasonOf(verifier, scene.tiny.token({ iat: scene.now - 3700 }))).toBe('cut_off');
  });
});

describe('a feed that cannot be followed', () => {
  it('makes tokens wait outside by default, once it is stale', async () => {
    const verifier = verifierOf();
    await verifier.ready();
    noFeed();
    await new Promise((resolve) => setTimeout(resolve, 700));
    scene.now += 10;
    expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok');
    scene.now += 1;
    const result = await verifier.verify(scene.tiny.token());
    expect(result).toMatchObject({ status: 503, error: undefined, reason: 'cutoffs_stale' });
    scene.tiny.intercept = () => false;
    await vi.waitFor(async () => expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok'), {
      timeout: 8000,
    });
  });

  it('lets young tokens pass where that is the setting', async () => {
    noFeed();
    const verifier = verifierOf({ onStale: { acceptYoungerThan: 60 } });
    expect(await reasonOf(verifier, scene.tiny.token({ iat: scene.now - 59 }))).toBe('ok');
    expect(await reasonOf(verifier, scene.tiny.token({ iat: scene.now - 60 }))).toBe('cutoffs_stale');
    await verifier.close();
  });

  it.each<[string, () => void]>([
    ['of another issuer', () => void (scene.tiny.bendFeed.claims = { iss: 'https://evil.example' })],
    [
      'from the future',
      () => void (scene.tiny.bendFeed.claims = { iat: scene.now + 6, exp: scene.now + 66 }),
    ],
    [
      'that would be good for too long',
      () => void (scene.tiny.bendFeed.claims = { iat: scene.now, exp: scene.now + 121 }),
    ],
    [
      'that has expired',
      () => void (scene.tiny.bendFeed.claims = { iat: scene.now - 100, exp: scene.now - 50 }),
    ],
    ['that answers another cursor', () => void (scene.tiny.bendFeed.claims = { from: 7, cursor: 9 })],
    ['whose cursor goes back', () => void (scene.tiny.bendFeed.claims = { from: 0, cursor: -1 })],
    ['with a malformed entry', () => void (scene.tiny.bendFeed.claims = { entries: [{ kind: 'x' }] })],
    ['that is an access token', () => void (scene.tiny.bendFeed.header = { typ: 'at+jwt' })],
    [
      'signed by a stranger',
      () => {
        scene.tiny.bendFeed.key = scene.tiny.addKey('stranger');
        scene.tiny.jwks.keys.pop();
      },
    ],
    [
      'signed in the name of a key',
      () => {
        scene.tiny.bendFeed.key = { ...scene.tiny.addKey('other'), kid: 'k1' };
        scene.tiny.jwks.keys.pop();
      },
    ],
    [
      'that is no JWS',
      () => void (scene.tiny.intercept = (q, r) => !!q.url?.startsWith('/oauth/cutoffs') && !!r.end('{}')),
    ],
    [
      'that is a redirect',
      () =>
        void (scene.tiny.intercept = (q, r) =>
          !!q.url?.startsWith('/oauth/cutoffs') && !!r.writeHead(302, { location: '/' }).end()),
    ],
  ])('because it is one %s counts as none', async (_, bend) => {
    bend();
    expect(await reasonOf(verifierOf(), scene.tiny.token())).toBe('cutoffs_stale');
  });

  it('because its key was cut off is not believed when it says that all is well', async () => {
    const verifier = verifierOf();
    await verifier.ready();
    scene.tiny.addKey('k2');
    scene.tiny.cut({ kind: 'key', id: 'k1', not_before: scene.now });
    await vi.waitFor(async () => expect(await reasonOf(verifier, scene.tiny.token())).toBe('cut_off'), {
      timeout: 2000,
      interval: 10,
    });
    // The thief of k1 goes on signing empty pages.
    scene.tiny.bendFeed.claims = { entries: [] };
    await new Promise((resolve) => setTimeout(resolve, 700));
    scene.now += 11;
    const spare = scene.tiny.token({}, {}, scene.tiny.addKey('k3'));
    scene.now += 30;
    expect(await reasonOf(verifier, spare)).toBe('cutoffs_stale');
  });

  it('because somebody repeats an old page of it is as old as that page', async () => {
    const verifier = verifierOf();
    await verifier.ready();
    const said = scene.now;
    scene.tiny.bendFeed.claims = { iat: said, exp: said + 60, from: 0, cursor: 0, entries: [] };
    const pages = async (): Promise<void> => {
      const before = scene.tiny.hits.get('/oauth/cutoffs') ?? 0;
      await vi.waitFor(() => expect(scene.tiny.hits.get('/oauth/cutoffs')).toBeGreaterThan(before + 1), {
        timeout: 8000,
      });
    };
    await pages();
    scene.tiny.cut({ kind: 'identity', id: 'payments', not_before: scene.now });
    // Stale after ten seconds, and the clocks may be five apart.
    scene.now = said + 15;
    await pages();
    expect(await reasonOf(verifier, scene.tiny.token({ iat: said }))).toBe('ok');
    scene.now = said + 16;
    await pages();
    expect(await reasonOf(verifier, scene.tiny.token({ iat: said }))).toBe('cutoffs_stale');
  });

  it('is fresh from an authority whose clock is behind by less than the leeway', async () => {
    scene.tiny.bendFeed.claims = { iat: scene.now - 5, exp: scene.now + 55 };
    const verifier = verifierOf();
    await verifier.ready();
    scene.now += 10;
    expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok');
  });

  it('is not asked without end when the authority does not hold the request', async () => {
    scene.tiny.bendFeed.holdMs = 0;
    const verifier = verifierOf();
    await verifier.ready();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    // Two to begin with, and one in a quarter of a second at the most.
    expect(scene.tiny.hits.get('/oauth/cutoffs')).toBeLessThan(9);
  });

  it('keeps ready() waiting until it comes', async () => {
    noFeed();
    const verifier = verifierOf();
    let ready = false;
    const waiting = verifier.ready().then(() => {
      ready = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(ready).toBe(false);
    scene.tiny.intercept = () => false;
    await waiting;
    expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok');
  });
});

it('closing ends the waiting for ready', async () => {
  noFeed();
  const verifier = verifierOf();
  const waiting = verifier.ready();
  await verifier.close();
  await expect(waiting).rejects.toMatchObject({ code: 'not_ready' });
});
