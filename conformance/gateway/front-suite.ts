import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { type Answer, type HeaderLine, send } from '../wire/exchange.ts';
import { issueSecret } from '../wire/admin.ts';
import { makeKey } from '../wire/client-assertion.ts';
import { accessTokenHash, dpopProof, learnNonce } from '../wire/dpop-proof.ts';
import { expectToken, parseChallenge } from '../wire/expectations.ts';
import { statusesOf } from '../wire/raw-socket.ts';
import { rememberSecret } from '../wire/scene.ts';
import { askToken } from '../wire/token-request.ts';
import { type FrontScene, HOST } from './front-scene.ts';
import { type Seen, valuesOf } from './upstream.ts';

/** A front proxy that runs before the gateway of a scene. */
export interface Front {
  readonly scene: FrontScene;
  /** `127.0.0.1:port` that callers reach. */
  readonly address: string;
}

/** What this front cannot do, or does in its own way. */
export interface FrontTraits {
  /** Status while the gateway is gone. */
  readonly gone: number | readonly number[];
  /** A refusal's body is the gateway's. Default true. */
  readonly relaysBody?: boolean;
}

const IDENTITY = [
  'Countersign-Client-Id',
  'Countersign-Subject',
  'Countersign-Scope',
  'Countersign-Token-Id',
];
const bearer = (token: string): HeaderLine => ['Authorization', `Bearer ${token}`];

/** The same requests before every front proxy. What none of them lets through is checked at the application. */
export function testFront(front: () => Promise<Front>, traits: FrontTraits): void {
  beforeAll(async () => {
    await front();
  });
  const ask = async (
    path: string,
    headers: readonly HeaderLine[] = [],
    method = 'GET',
    body?: string,
  ): Promise<{ answer: Answer; seen: Seen | undefined }> => {
    const { scene, address } = await front();
    const before = scene.upstream.seen.length;
    const lines: HeaderLine[] = [['Host', HOST], ...headers];
    const answer = await send(`http://${address}${path}`, {
      method,
      headers: lines,
      ...(body === undefined ? {} : { body }),
    });
    const seen = scene.upstream.seen.slice(before);
    expect(seen.length).toBe(answer.headers['x-upstream'] === undefined ? 0 : 1);
    return { answer, seen: seen[0] };
  };

  test('a token of the right scope goes through; the application learns who called, and not by what proof', async () => {
    const { scene } = await front();
    const token = await scene.token();
    const { answer, seen } = await ask('/orders/7?full=yes', [bearer(token)]);
    expect(answer.status, answer.text).toBe(200);
    expect(seen).toMatchObject({ method: 'GET', url: '/orders/7?full=yes' });
    const { id } = scene.scene.client;
    expect(IDENTITY.map((name) => valuesOf(seen as Seen, name))).toEqual([
      [id],
      [id],
      ['read'],
      [expect.stringMatching(/^.{16,}$/)],
    ]);
    for (const name of ['authorization', 'dpop', 'x-api-key']) {
      expect(valuesOf(seen as Seen, name).filter((value) => value !== '')).toEqual([]);
    }
    expect(valuesOf(seen as Seen, 'host')).toEqual([HOST]);
  });

  test('a body goes through whole, once its sender may write', async () => {
    const { scene } = await front();
    const body = 'x'.repeat(300_000);
    const written = await ask('/orders', [bearer(await scene.token('read write'))], 'POST', body);
    expect(written.answer.status).toBe(200);
    expect(written.seen?.body.length).toBe(300_000);
    const refused = await ask('/orders', [bearer(await scene.token('read'))], 'POST', 'x');
    expect(refused.answer.status).toBe(403);
  });

  test('without a token: 401 with the challenge and no error code', async () => {
    const { answer, seen } = await ask('/orders/7');
    expect([answer.status, seen]).toEqual([401, undefined]);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    if (traits.relaysBody !== false) expect(answer.text).toBe('{}');
  });

  test('with the wrong scope: 403 insufficient_scope, and what it takes', async () => {
    const { scene } = await front();
    const { answer } = await ask('/admin/users', [bearer(await scene.token('read write'))]);
    expect(answer.status).toBe(403);
    expect(parseChallenge(String(answer.headers['www-authenticate']))).toEqual({
      scheme: 'Bearer',
      params: { error: 'insufficient_scope', scope: 'delete' },
    });
  });

  test('with what is no token: 401 invalid_token; with two: 400 invalid_request', async () => {
    const { scene } = await front();
    const token = await scene.token();
    const bad = await ask('/orders/7', [bearer(`${token.slice(0, -4)}AAAA`)]);
    expect(bad.answer.status).toBe(401);
    expect(String(bad.answer.headers['www-authenticate'])).toContain('error="invalid_token"');
    const two = await ask('/orders/7', [bearer(token), bearer(token)]);
    expect(two.answer.status).toBe(400);
    const odd = await ask('/orders/7', [['Authorization', 'Bearer a b']]);
    expect(odd.answer.status).toBe(400);
  });

  test('a token that is bound to a key goes through with its proof, and with each proof once', async () => {
    const { scene } = await front();
    const { target, client, resource } = scene.scene;
    const key = makeKey();
    const asking = { target, client, params: { resource } };
    const nonce = await learnNonce(key, asking);
    const headers: HeaderLine[] = [['DPoP', dpopProof(key, target, { nonce })]];
    const { token } = expectToken(await askToken({ ...asking, headers }), 'DPoP');
    const proof = (change: object = {}): HeaderLine => [
      'DPoP',
      dpopProof(key, target, {
        htm: 'GET',
        htu: `https://${HOST}/orders/7`,
        ath: accessTokenHash(token),
        ...change,
      }),
    ];
    const presented: HeaderLine = ['Authorization', `DPoP ${token}`];
    const once = proof();
    expect((await ask('/orders/7?x=y', [presented, once])).answer.status).toBe(200);
    const wrong = [
      [presented, once],
      [presented],
      [presented, proof({ htm: 'POST' })],
      [presented, proof({ htu: `https://${HOST}/orders/8` })],
      [presented, proof({ htu: `https://other.example/orders/7` })],
      [presented, proof(), proof()],
      [bearer(token)],
    ];
    for (const lines of wrong) {
      const { answer } = await ask('/orders/7', lines);
      expect(answer.status, JSON.stringify(lines)).toBe(401);
      expect(String(answer.headers['www-authenticate'])).toMatch(/^DPoP error="invalid_(dpop_proof|token)"/);
    }
  });

  test('an API key opens what its access does, and goes no further', async () => {
    const { scene } = await front();
    const { admin, machine, target } = scene.scene;
    const { secret } = await issueSecret(admin, machine.identityId, { type: 'api_key' });
    rememberSecret(target, secret);
    const { answer, seen } = await ask('/orders/7', [['X-API-Key', secret]]);
    expect(answer.status, answer.text).toBe(200);
    expect(seen?.lines.flat().join()).not.toContain(secret);
    expect((await ask('/admin/users', [['X-API-Key', secret]])).answer.status).toBe(403);
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`;
    expect((await ask('/orders/7', [['X-API-Key', wrong]])).answer.status).toBe(401);
  });

  test('what no rule names is refused, and so is what a rule refuses', async () => {
    const { scene } = await front();
    const token = bearer(await scene.token());
    for (const [path, method] of [
      ['/', 'GET'],
      ['/other', 'GET'],
      ['/orders/7', 'DELETE'],
      ['/orders/7/items', 'GET'],
      ['/internal/x', 'GET'],
    ] as const) {
      expect((await ask(path, [token], method)).answer.status, `${method} ${path}`).toBe(403);
    }
    const elsewhere = await ask('/orders/7', [token, ['Host', 'other.example']].slice(0, 1) as HeaderLine[]);
    expect(elsewhere.answer.status).toBe(200);
    const { address } = await front();
    const other = await send(`http://${address}/orders/7`, { headers: [['Host', 'other.example'], token] });
    expect(other.status).toBe(403);
  });

  test('identity headers of a caller never reach the application', async () => {
    const { scene } = await front();
    const token = bearer(await scene.token());
    const spellings = [
      ...IDENTITY,
      ...IDENTITY.map((name) => name.toLowerCase()),
      ...IDENTITY.map((name) => name.replaceAll('-', '_')),
      ...IDENTITY.map((name) => name.toUpperCase()),
    ];
    for (const name of spellings) {
      const forged: HeaderLine[] = [
        [name, 'forged'],
        [name, 'forged'],
      ];
      for (const [path, headers] of [
        ['/orders/7', [token, ...forged]],
        ['/orders/7', [...forged, token]],
        ['/public', forged],
      ] as const) {
        const { answer, seen } = await ask(path, headers);
        const what = `${name} at ${path}`;
        if (seen === undefined) expect([400, 403], what).toContain(answer.status);
        else expect(seen.lines.flat().join('\n'), what).not.toContain('forged');
        if (seen !== undefined && path !== '/public') {
          expect(valuesOf(seen, 'Countersign-Client-Id'), what).toEqual([scene.scene.client.id]);
        }
      }
    }
  });

  test('headers that Connection names do not take the identity away', async () => {
    const { scene } = await front();
    const token = bearer(await scene.token());
    for (const name of IDENTITY) {
      const { answer, seen } = await ask('/orders/7', [token, ['Connection', `close, ${name}`]]);
      if (seen === undefined) expect(answer.status).toBe(400);
      else expect(valuesOf(seen, name), name).toEqual([expect.stringMatching(/./)]);
    }
  });

  test('no spelling of a path gets around a rule', async () => {
    const { scene, address } = await front();
    const token = await scene.token('read');
    const before = scene.upstream.seen.length;
    for (const target of TRICKS) {
      const { statuses, text } = await speak(address, [
        `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      ]);
      const reached = scene.upstream.seen.slice(before).map(({ url }) => url);
      expect(reached, `${JSON.stringify(target)} → ${text.slice(0, 200)}`).toEqual([]);
      expect([400, 403], `${JSON.stringify(target)} → ${text.slice(0, 200)}`).toContain(statuses[0]);
    }
  });

  test('headers that ask for another method or path are refused', async () => {
    const { scene } = await front();
    const token = bearer(await scene.token('read'));
    for (const [name, value] of [
      ['X-HTTP-Method-Override', 'DELETE'],
      ['X-HTTP-Method', 'PUT'],
      ['X-Method-Override', 'POST'],
      ['X-Original-URL', '/admin'],
      ['X-Rewrite-URL', '/admin'],
    ] as const) {
      const { answer, seen } = await ask('/orders/7', [token, [name, value]]);
      expect([answer.status, seen], name).toEqual([400, undefined]);
    }
  });

  test('what describes the request to the gateway is the proxy’s, whatever the caller writes', async () => {
    const { scene } = await front();
    const token = bearer(await scene.token('read'));
    const described: HeaderLine[] = [
      ['X-Original-URI', '/orders/7'],
      ['X-Original-Method', 'GET'],
      ['X-Original-Host', HOST],
      ['X-Forwarded-Uri', '/orders/7'],
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Host', HOST],
    ];
    const { answer, seen } = await ask('/admin/users', [token, ...described], 'DELETE');
    expect(seen).toBeUndefined();
    expect([400, 403]).toContain(answer.status);
    const { address } = await front();
    const lines: HeaderLine[] = [['Host', 'other.example'], token, ...described];
    expect([400, 403]).toContain((await send(`http://${address}/orders/7`, { headers: lines })).status);
  });

  test('headers that are too large are the caller’s fault, and the next request is served', async () => {
    const { scene } = await front();
    const token = bearer(await scene.token('read'));
    const many = Array.from({ length: 150 }, (_, i): HeaderLine => [`X-Many-${i}`, 'x']);
    for (const headers of [
      [
        ['X-Large', 'x'.repeat(7000)],
        ['X-Larger', 'x'.repeat(7000)],
        ['X-Last', 'x'.repeat(7000)],
      ],
      [['X-Large', 'x'.repeat(60_000)]],
      [['Authorization', `Bearer ${'x'.repeat(262_144)}`]],
      many,
    ] as HeaderLine[][]) {
      const answer = await ask('/orders/7', [token, ...headers]).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      // A front may end the connection while such a request is still on its way.
      if (answer instanceof Error) expect(['ECONNRESET', 'EPIPE'], answer.message).toContain(answer.code);
      else {
        expect(answer.seen).toBeUndefined();
        expect([400, 413, 431], answer.answer.text).toContain(answer.answer.status);
      }
    }
    expect((await ask('/orders/7', [token])).answer.status).toBe(200);
  });

  test('an identity that is cut off is refused within two seconds', async () => {
    const { scene } = await front();
    const { token, identity } = await scene.disposable();
    expect((await ask('/orders/7', [bearer(token)])).answer.status).toBe(200);
    const ordered = Date.now();
    await scene.scene.admin.must('POST', '/cutoffs', {
      kind: 'identity',
      id: identity,
      reason: 'conformance',
    });
    let answer: Answer;
    do {
      await sleep(50);
      ({ answer } = await ask('/orders/7', [bearer(token)]));
    } while (answer.status === 200 && Date.now() - ordered < 5000);
    expect(answer.status).toBe(401);
    expect(Date.now() - ordered).toBeLessThan(2000);
    expect(String(answer.headers['www-authenticate'])).toContain('invalid_token');
  });
}

/** Runs last: the gateway ends, and nothing goes through any more. */
export function testGatewayGone(front: () => Promise<Front>, { gone }: FrontTraits): void {
  test('while the gateway is gone nothing goes through', async () => {
    const { scene, address } = await front();
    const token = bearer(await scene.token());
    expect(await scene.gateway.stop()).toBe(0);
    const before = scene.upstream.seen.length;
    const answer = await send(`http://${address}/orders/7`, { headers: [['Host', HOST], token] });
    expect([gone].flat()).toContain(answer.status);
    expect(scene.upstream.seen.length).toBe(before);
  });
}

/** Each names, to some server, a path that the token does not open. `/files` is open to it. */
const TRICKS = [
  '/files/../admin/users',
  '/files/..',
  '/files/./../admin',
  '/files/%2e%2e/admin/users',
  '/files/%2E%2e/admin/users',
  '/files/.%2e/admin',
  '/files/%252e%252e/admin',
  '/files/..%2fadmin',
  '/files/%2fadmin',
  '/files/..%5cadmin',
  '/files\\..\\admin',
  '/files/..;/admin/users',
  '/files;/../admin',
  '/files/x;y=1',
  '/files/%3b/x',
  '/files//../admin',
  '//admin/users',
  '/files//admin',
  '/./admin',
  '/files/%00/admin',
  '/files/x%00.txt',
  '/files/x%0d%0aX-A:b',
  '/files/%zz',
  '/files/%',
  '/files/%c0%ae%c0%ae/admin',
  '/files/%ef%bc%8e%ef%bc%8e/admin',
  '/files/%e2%80%a5/admin',
  '/ADMIN/users',
  '/Admin/users',
  '/%61dmin/users',
  '/admin%3fx',
  '/admin%23x',
  '/admin./users',
  '/admin%20/users',
  '/admin/',
  '/admin',
  '/Internal/x',
  '/internal%2fx',
  '/orders/../admin',
  `http://${HOST}/admin/users`,
  'http://other.example/orders/7',
  '*',
  'files/x',
];

/** Sends bytes as they are to an address and reads until the other side ends, or for 5 s. */
export function speak(
  address: string,
  pieces: readonly string[],
): Promise<{ readonly text: string; readonly statuses: readonly number[] }> {
  const [host, port] = address.split(':') as [string, string];
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host, port: Number(port) }, () => {
      for (const piece of pieces) socket.write(Buffer.from(piece, 'latin1'));
    });
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, statuses: statusesOf(text) });
    };
    const timer = setTimeout(done, 5000);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('end', done).on('close', done).on('error', done);
  });
}
