// A session and the tokens that come and go while it lives: RFC 9202 §3.4, §4, §5; RFC 9200 §5.10.2, §5.10.3.
import { describe, expect, it } from 'vitest';
import { TOKEN_BODIES } from '../access/authz-info.ts';
import { createTokenStore, type HeldToken } from '../access/token-store.ts';
import type { DtlsSession } from '../dtls/session.ts';
import { Bodies } from '../message/block1.ts';
import {
  CODE,
  type CoapMessage,
  numberOption,
  OPTION,
  readCoap,
  TYPE,
  writeCoap,
} from '../message/coap-message.ts';
import { GuardedSession, type SessionNews } from './guarded-session.ts';
import { handlerUpstream } from './handler-upstream.ts';
import type { OpenUpstream } from './upstream.ts';

const KID = Buffer.from('kid');

function token(scope: string, change: Partial<HeldToken['claims']> = {}): HeldToken {
  const claims = {
    iss: 'i',
    sub: 'lamp',
    aud: 'a',
    exp: 100,
    iat: 1,
    cti: Buffer.from(scope),
    kid: KID,
    crd: 'c',
    acs: 'b',
  };
  return { claims: { ...claims, scope, ...change }, key: new Uint8Array(32), kids: [] };
}

/** A session of a client whose token is `first`; the server behind hears what it hears. */
function openScene(first: HeldToken, upstream?: OpenUpstream) {
  let now = 10;
  const store = createTokenStore();
  store.add(first, 'a');
  const sent: CoapMessage[] = [];
  const heard: CoapMessage[] = [];
  const released: CoapMessage[] = [];
  const news: SessionNews[] = [];
  const brought: (HeldToken | 'malformed')[] = [];
  let fromServer: (bytes: Uint8Array) => void = () => undefined;
  let budget = 3;
  const dtls = {
    peer: { address: 'a', port: 1 },
    holder: first,
    cipherSuite: '',
    send: (bytes: Uint8Array) => void sent.push(readCoap(Uint8Array.from(bytes)) as CoapMessage),
    close: () => undefined,
  } satisfies DtlsSession<HeldToken>;
  const session = new GuardedSession(
    {
      permissions: {
        read: [
          ['/door', ['GET', 'FETCH']],
          ['/time', ['GET']],
        ],
        time: [['/time', ['GET']]],
        write: [['/*', ['PUT']]],
      },
      hints: { tokenEndpoint: 'https://auth.test/oauth/token', audience: 'a' },
      verifier: { fallen: ({ claims }) => (now >= claims.exp ? 'expired' : undefined) },
      store,
      authzInfo: {
        verifier: { verify: () => Promise.resolve(brought.shift() ?? 'malformed') },
        store,
        refused: () => undefined,
      },
      tokenBodies: new Bodies(TOKEN_BODIES, () => now),
      tokenBudget: { take: () => budget-- > 0 },
      openUpstream:
        upstream ??
        ((_claims, deliver) => {
          fromServer = deliver;
          return {
            forward: (message) => void heard.push(message),
            release: (observed) => void released.push(...observed),
            close: () => undefined,
          };
        }),
      told: (what) => void news.push(what),
      ended: () => undefined,
    },
    dtls,
  );
  let nextId = 0;
  return {
    store,
    sent,
    heard,
    released,
    news,
    session,
    at: (seconds: number) => (now = seconds),
    ask(code: number, path: string, options: CoapMessage['options'] = [], payload = ''): void {
      const segments = path
        .split('/')
        .slice(1)
        .map((text) => ({ number: OPTION.uriPath, value: Buffer.from(text) }));
      const all = [...options, ...segments].toSorted((a, b) => a.number - b.number);
      nextId++;
      const head = { type: TYPE.confirmable, code, messageId: nextId, token: Uint8Array.of(nextId) };
      session.message(writeCoap({ ...head, options: all, payload: Buffer.from(payload) }));
    },
    notify(
      of: number,
      options: CoapMessage['options'] = [numberOption(OPTION.observe, 5)],
      code: number = CODE.content,
    ): void {
      const head = { type: TYPE.nonConfirmable, code, messageId: 500 + of, token: Uint8Array.of(of) };
      fromServer(writeCoap({ ...head, options, payload: Buffer.from('x') }));
    },
    async bring(next: HeldToken | 'malformed'): Promise<void> {
      brought.push(next);
      this.ask(CODE.post, '/authz-info', [], 'token');
      await new Promise((resolve) => setImmediate(resolve));
    },
    codes: () => sent.splice(0).map(({ code }) => code),
  };
}

const OBSERVE = [numberOption(OPTION.observe, 0)];

describe('a token that is brought for the same key', () => {
  it('opens more without a new session', async () => {
    const scene = openScene(token('read'));
    scene.ask(CODE.put, '/door');
    expect(scene.codes()).toEqual([CODE.methodNotAllowed]);
    await scene.bring(token('read write', { iat: 2 }));
    expect(scene.codes()).toEqual([CODE.created]);
    scene.ask(CODE.put, '/door');
    expect([scene.codes(), scene.heard.length]).toEqual([[], 1]);
  });

  it('opens less at once, and ends what is observed and not covered any more', async () => {
    const scene = openScene(token('read'));
    scene.ask(CODE.get, '/door', OBSERVE);
    scene.ask(CODE.get, '/time', OBSERVE);
    scene.notify(1);
    scene.notify(2);
    expect(scene.codes()).toEqual([CODE.content, CODE.content]);
    await scene.bring(token('time', { iat: 2 }));
    expect(scene.sent.map(({ code, token: of }) => [code, of[0]])).toEqual([
      [CODE.forbidden, 1],
      [CODE.created, 3],
    ]);
    expect(scene.released.map(({ token: of }) => of[0])).toEqual([1]);
    scene.codes();
    scene.ask(CODE.get, '/door');
    expect(scene.codes()).toEqual([CODE.forbidden]);
    scene.notify(2);
    expect(scene.codes()).toEqual([CODE.content]);
  });

  it('that anybody else brought, counts just so', () => {
    const scene = openScene(token('read'));
    scene.ask(CODE.get, '/door', OBSERVE);
    scene.store.add(token('time', { iat: 2 }), 'somewhere else');
    scene.session.look();
    expect(scene.codes()).toEqual([CODE.forbidden]);
  });

  it('keeps the session past the end of the first, and ends it with its own', async () => {
    const scene = openScene(token('read', { exp: 20 }));
    await scene.bring(token('read', { iat: 2, exp: 40 }));
    scene.codes();
    scene.at(30);
    scene.ask(CODE.get, '/door', OBSERVE);
    expect(scene.heard.length).toBe(1);
    scene.at(40);
    scene.session.look();
    expect(scene.codes()).toEqual([CODE.unauthorized]);
    expect(scene.news).toEqual([{ kind: 'ended', sub: 'lamp', why: 'expired' }]);
  });

  it('does not give way to the one before, not even when it is over first', async () => {
    const scene = openScene(token('read write', { exp: 90 }));
    await scene.bring(token('time', { iat: 2, exp: 20 }));
    await scene.bring(token('read write', { exp: 90 }));
    expect(scene.codes()).toEqual([CODE.created, CODE.unauthorized]);
    scene.at(20);
    scene.store.sweep(({ claims }) => claims.exp <= 20);
    scene.ask(CODE.put, '/door');
    expect(scene.codes()).toEqual([CODE.unauthorized]);
    expect(scene.heard).toEqual([]);
  });

  it('of another client changes nothing', async () => {
    const scene = openScene(token('read'));
    await scene.bring(token('write', { iat: 2, sub: 'thief' }));
    scene.ask(CODE.put, '/door');
    expect(scene.codes()).toEqual([CODE.unauthorized, CODE.methodNotAllowed]);
  });

  it('is one of so many: then 4.29 says when to come again', async () => {
    const scene = openScene(token('read'));
    for (let i = 0; i < 4; i++) await scene.bring('malformed');
    expect(scene.sent.map(({ code }) => code)).toEqual([0x80, 0x80, 0x80, CODE.tooManyRequests]);
    expect(scene.sent.at(-1)?.options).toEqual([numberOption(OPTION.maxAge, 1)]);
  });
});

describe('what is observed', () => {
  it('is forgotten when it has ended: by the client, by its answer, by its rejection', () => {
    const scene = openScene(token('read', { exp: 20 }));
    for (let i = 0; i < 4; i++) scene.ask(CODE.get, '/door', OBSERVE);
    // A client that registers with another token goes on with the old one until it says so.
    for (const of of [1, 2, 3, 4]) scene.notify(of);
    scene.notify(1, [], CODE.content);
    scene.notify(2, OBSERVE, 0x84);
    scene.session.message(
      writeCoap({
        type: TYPE.reset,
        code: 0,
        messageId: 503,
        token: new Uint8Array(0),
        options: [],
        payload: new Uint8Array(0),
      }),
    );
    scene.codes();
    scene.at(20);
    scene.session.look();
    expect(scene.sent.map(({ code, token: of }) => [code, of[0]])).toEqual([[CODE.unauthorized, 4]]);
  });

  it('is so much and no more: beyond that there are answers and no notifications', () => {
    const scene = openScene(token('read'));
    for (let i = 0; i < 40; i++) scene.ask(CODE.get, '/door', OBSERVE);
    expect(
      scene.heard.filter(({ options }) => options.some(({ number }) => number === OPTION.observe)).length,
    ).toBe(32);
    expect(scene.heard.length).toBe(40);
  });

  it('may be asked for with FETCH, and what says neither yes nor no is left out', () => {
    const scene = openScene(token('read', { exp: 20 }));
    scene.ask(CODE.fetch, '/door', OBSERVE, 'query');
    scene.ask(CODE.get, '/door', [numberOption(OPTION.observe, 7)]);
    scene.ask(CODE.get, '/door', [...OBSERVE, ...OBSERVE]);
    expect(
      scene.heard.map(({ options }) => options.filter(({ number }) => number === OPTION.observe).length),
    ).toEqual([1, 0, 0]);
    scene.at(20);
    scene.session.look();
    expect(scene.released.map(({ code, payload }) => [code, Buffer.from(payload).toString()])).toEqual([
      [CODE.fetch, 'query'],
    ]);
  });
});

describe('a function in the place of a server', () => {
  function openHandled(first: HeldToken) {
    const served: string[] = [];
    const upstream = handlerUpstream(
      ({ claims, method, payload }) => {
        served.push(`${method} ${claims.scope} ${Buffer.from(payload).toString()}`);
        return { code: CODE.content, payload: 'open', contentFormat: 0 };
      },
      () => undefined,
      () => 0,
    );
    return { ...openScene(first, upstream), served };
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('is told the claims of the token that counts now', async () => {
    const scene = openHandled(token('read'));
    scene.ask(CODE.get, '/door');
    await turn();
    await scene.bring(token('read write', { iat: 2 }));
    scene.ask(CODE.put, '/door', [], 'x');
    await turn();
    expect(scene.served).toEqual(['GET read ', 'PUT read write x']);
  });

  it('is called once for a body in blocks, when the last of them is there', async () => {
    const scene = openHandled(token('write'));
    const block = (value: number) => [numberOption(OPTION.block1, value)];
    scene.ask(CODE.put, '/door', block(0x08), 'sixteen octets .');
    scene.ask(CODE.put, '/door', block(0x18), 'and sixteen more');
    await turn();
    expect([scene.served, scene.codes()]).toEqual([[], [CODE.continue, CODE.continue]]);
    scene.ask(CODE.put, '/door', block(0x20), ', end');
    await turn();
    expect(scene.served).toEqual(['PUT write sixteen octets .and sixteen more, end']);
    expect(scene.sent.map(({ code, options }) => [code, options.at(-1)])).toEqual([
      [CODE.content, numberOption(OPTION.block1, 0x20)],
    ]);
  });

  it('is not called for a part of something, under a condition, or with a critical option that nobody knows', async () => {
    const scene = openHandled(token('write'));
    scene.ask(CODE.put, '/door', [{ number: OPTION.block1, value: Uint8Array.of(0x1a) }], 'x'.repeat(64));
    scene.ask(CODE.put, '/door', [{ number: 5, value: new Uint8Array(0) }], 'x');
    scene.ask(CODE.put, '/door', [{ number: 2053, value: new Uint8Array(0) }], 'x');
    scene.ask(CODE.put, '/door', [{ number: OPTION.block1, value: Uint8Array.of(0x02) }], 'whole');
    await turn();
    expect(scene.codes()).toEqual([
      CODE.requestEntityIncomplete,
      CODE.badOption,
      CODE.badOption,
      CODE.content,
    ]);
    expect(scene.served).toEqual(['PUT write whole']);
  });

  it('gives 4.06 to who wants another format', async () => {
    const scene = openHandled(token('read'));
    scene.ask(CODE.get, '/door', [numberOption(OPTION.accept, 50)]);
    scene.ask(CODE.get, '/door', [numberOption(OPTION.accept, 0)]);
    await turn();
    expect(scene.codes()).toEqual([CODE.notAcceptable, CODE.content]);
  });
});
