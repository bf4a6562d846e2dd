import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, type RunningAuthority, startAuthority } from './authority-process.ts';
import { type AssertingClient, type AssertionKey, giveKey, makeKey } from './wire/client-assertion.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';

// RFC 7591 section 2, jwks_uri: clients that publish their keys themselves, and publishers that mean no good.
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe.runIf(mayStartServers())('keys at a jwks_uri (needs the countersign command)', () => {
  let folder: string;
  let authority: RunningAuthority;
  let publisher: Server;
  let base: string;
  const answers = new Map<string, Answer>();
  const requests: string[] = [];
  let connections = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-jwks-uri-'));
    const port = await freePort();
    const first = await startAuthority({ folder, port });
    const adminSecret = first.target.admin?.client.secret;
    await first.stop();
    // The publisher shows the certificate for localhost that the authority has made for itself.
    const file = (name: string): string => join(first.dataDir, name);
    authority = await startAuthority({
      folder,
      port,
      adminSecret,
      env: { NODE_EXTRA_CA_CERTS: file('ca.pem'), COUNTERSIGN_OUTBOUND_ALLOW: 'localhost' },
    });
    const tls = { key: readFileSync(file('server.key')), cert: readFileSync(file('server.pem')) };
    publisher = createServer(tls, (request, response) => {
      requests.push(request.url ?? '');
      answers.get(request.url ?? '')?.(request, response);
    });
    publisher.on('connection', () => connections++);
    await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve));
    base = `https://localhost:${(publisher.address() as AddressInfo).port}`;
  }, 60_000);
  afterAll(async () => {
    publisher?.closeAllConnections();
    publisher?.close();
    await authority?.stop('SIGKILL').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  });

  const json =
    (value: unknown): Answer =>
    (_, response) =>
      void response.setHeader('Content-Type', 'application/jwk-set+json').end(JSON.stringify(value));

  /** A client of its own, whose keys are published so. */
  async function publishing(
    path: string,
    answer: Answer | undefined,
    key = makeKey(),
    host = base,
  ): Promise<AssertingClient> {
    if (answer !== undefined) answers.set(path, answer);
    const scene = await seedScene('jwks-uri', authority.target);
    return giveKey(scene, key, { jwk: undefined, jwks_uri: `${host}${path}` });
  }
  const publicJwk = (key: AssertionKey, kid?: string): object => ({ ...key.jwk, kid, use: 'sig' });

  test('a published key proves its client, and is fetched once', async () => {
    const key = makeKey();
    const client = await publishing(
      '/good',
      json({ keys: [publicJwk(makeKey(), 'a'), publicJwk(key, 'b')] }),
      key,
    );
    for (const header of [{ kid: 'b' }, {}]) expectToken(await client.ask(client.assertion({}, header)));
    expect(requests.filter((path) => path === '/good')).toHaveLength(1);
  });

  test('a key that is not published proves nothing, and a flood of them asks the publisher no more than once again', async () => {
    const client = await publishing('/other', json({ keys: [publicJwk(makeKey(), 'a')] }));
    const tries = Array.from({ length: 20 }, (_, at) => client.ask(client.assertion({}, { kid: `k${at}` })));
    for (const answer of await Promise.all(tries)) expect([401, 429]).toContain(answer.status);
    expect(requests.filter((path) => path === '/other').length).toBeLessThanOrEqual(2);
  });

  test('threat 20: a publisher that sends too much, too slowly, elsewhere or nonsense lets nobody in', async () => {
    const key = makeKey();
    const good = publicJwk(key, 'a');
    const set = JSON.stringify({ keys: [good] });
    let sent = 0;
    const hostile: Record<string, Answer> = {
      '/10-MB': (_, response) => {
        response.setHeader('Content-Type', 'application/json');
        const more = (): void => {
          while (sent < 10_000_000 && response.write(' '.repeat(65_536))) sent += 65_536;
          if (sent >= 10_000_000) response.end(set);
        };
        response.on('drain', more);
        more();
      },
      '/10-MB-announced': (_, response) => {
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '10000000' });
        response.write(set);
      },
      '/10000-keys': json({
        keys: Array.from({ length: 10_000 }, (_, at) => ({ kty: 'EC', kid: `k${at}` })),
      }),
      '/101-keys': json({
        keys: [good, ...Array.from({ length: 100 }, (_, at) => ({ kty: 'EC', kid: `k${at}` }))],
      }),
      '/drip': (_, response) => {
        response.setHeader('Content-Type', 'application/json');
        const timer = setInterval(() => response.write(' '), 500);
        response.on('close', () => clearInterval(timer));
      },
      '/silence': () => undefined,
      '/redirect': (_, response) => void response.writeHead(302, { Location: `${base}/good` }).end(),
      '/error': (_, response) => void response.writeHead(500).end(set),
      '/html': (_, response) => void response.setHeader('Content-Type', 'text/html').end(set),
      '/no-keys': json({}),
      '/private': json({ keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: 'a' }] }),
      '/symmetric': json({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'a', alg: 'HS256' }] }),
      '/twice': json({ keys: [good, good] }),
    };
    const clients = await Promise.all(
      Object.entries(hostile).map(([path, answer]) => publishing(path, answer, key)),
    );
    const started = Date.now();
    // As many at once as one host is asked: more would only wait for their turn.
    for (let at = 0; at < clients.length; at += 4) {
      const four = clients.slice(at, at + 4);
      const asking = four.map((client) => client.ask(client.assertion({}, { kid: 'a' })));
      const other = await giveKey(await seedScene('jwks-uri', authority.target));
      expectToken(await other.ask());
      for (const answer of await Promise.all(asking)) expectOAuthError(answer, 401, 'invalid_client');
    }
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(sent).toBeLessThan(5_000_000);
  }, 30_000);

  test('threat 32: no packet goes to an address that nobody has allowed', async () => {
    const before = connections;
    const { port } = new URL(base);
    for (const host of [
      `https://127.0.0.1:${port}`,
      `https://[::1]:${port}`,
      `https://2130706433:${port}`,
      `https://0x7f.1:${port}`,
      `https://[::ffff:127.0.0.1]:${port}`,
      'https://169.254.169.254',
      'https://10.0.0.1',
    ]) {
      await expect(publishing('/good', undefined, makeKey(), host), host).rejects.toThrow(/400/);
    }
    expect(connections).toBe(before);
  });

  test('threat 2: that the keys of a client are fetched for a forged assertion does not tell that it exists', async () => {
    // Of its own: what others do in this file takes longer.
    const own = mkdtempSync(join(tmpdir(), 'countersign-jwks-time-'));
    const quiet = await startAuthority({
      folder: own,
      env: {
        NODE_EXTRA_CA_CERTS: join(folder, 'data', 'ca.pem'),
        COUNTERSIGN_OUTBOUND_ALLOW: 'localhost',
      },
    });
    try {
      const fetchTakes = 400;
      const scene = await seedScene('jwks-time', quiet.target);
      const publish = async (path: string): Promise<AssertingClient> => {
        const set = { keys: [publicJwk(makeKey(), 'a')] };
        answers.set(
          path,
          (request, response) => void setTimeout(() => json(set)(request, response), fetchTakes),
        );
        const client = await seedScene('jwks-time', quiet.target);
        return giveKey(client, makeKey(), { jwk: undefined, jwks_uri: `${base}${path}` });
      };
      const took = async (client: AssertingClient, claims: object = {}): Promise<number> => {
        const assertion = client.assertion(claims, { kid: 'a' });
        const began = performance.now();
        const answer = await client.ask(assertion, {}, { localAddress: `127.0.1.${addresses++}` });
        const ended = performance.now() - began;
        expectOAuthError(answer, 401, 'invalid_client');
        return ended;
      };
      let addresses = 1;
      const registered = await giveKey(scene);
      await took(await publish('/first'));
      const times = { fetched: [] as number[], unknown: [] as number[], registered: [] as number[] };
      for (let i = 0; i < 7; i++) {
        times.fetched.push(await took(await publish(`/timed-${i}`)));
        const sub = `nobody-${i}`;
        times.unknown.push(await took(registered, { iss: sub, sub }));
        times.registered.push(await took({ ...registered, assertion: forged(registered) }));
      }
      const median = (of: number[]): number => of.toSorted((a, b) => a - b)[3] as number;
      expect(median(times.fetched)).toBeGreaterThan(fetchTakes);
      for (const others of [times.unknown, times.registered])
        expect(Math.abs(median(others) - median(times.fetched))).toBeLessThan(fetchTakes / 2);
      // Who is right does not wait.
      const began = performance.now();
      expectToken(await registered.ask());
      expect(performance.now() - began).toBeLessThan(fetchTakes);
    } finally {
      await quiet.stop();
      rmSync(own, { recursive: true, force: true });
    }
  }, 60_000);

  /** Assertions of a client that somebody else signed. */
  function forged(client: AssertingClient): AssertingClient['assertion'] {
    return (claims = {}, header = {}) => {
      const [head, payload] = client.assertion(claims, header).split('.');
      return `${head}.${payload}.${'A'.repeat(86)}`;
    };
  }

  test('a client whose set cannot be had is explained to the operator', async () => {
    const client = await publishing('/gone', (_, response) => void response.writeHead(404).end());
    const id = String((await client.ask()).headers['request-id']);
    await expect
      .poll(async () => (await client.scene.admin.call('GET', `/explain/${id}`)).text, { timeout: 5000 })
      .toContain('client_assertion_keys_unavailable');
  });
});
