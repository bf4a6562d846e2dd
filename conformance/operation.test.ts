import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, freePort, startAuthority, type RunningAuthority } from './authority-process.ts';
import { openAdmin } from './wire/admin.ts';
import { send } from './wire/exchange.ts';
import { expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { openRaw } from './wire/raw-socket.ts';
import { seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { askToken, basic, FORM, formBody } from './wire/token-request.ts';

// How the server is run: ready file, health, metrics, drain. In a process of its own, so that it may be stopped.
const COMMAND = fileURLToPath(new URL('../packages/cli/bin/countersign.js', import.meta.url));

describe.runIf(mayStartServers())('operation (needs the countersign command)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-operation-'));
  let authority: RunningAuthority;

  beforeAll(async () => {
    authority = await startAuthority({ folder, port: await freePort() });
  });
  afterAll(async () => {
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function get(path: string): ReturnType<typeof send> {
    return send(`${authority.target.issuer}${path}`, { ca: authority.target.ca });
  }

  test('the ready file has the members of the interface and is for its owner alone', () => {
    const { ready } = authority;
    expect(ready).toMatchObject({
      pid: authority.child.pid,
      version: expect.any(String),
      issuer: expect.stringMatching(/^https:\/\/localhost:\d+$/),
      token_endpoint: `${ready.issuer}/oauth/token`,
      jwks_uri: `${ready.issuer}/oauth/jwks`,
      ca_file: expect.any(String),
      admin: {
        client_id: expect.any(String),
        client_secret: expect.stringMatching(/^csk_/),
        resource: `${ready.issuer}/v1`,
        api: `${ready.issuer}/v1`,
      },
    });
    expect(statSync(authority.readyFile).mode & 0o777).toBe(0o600);
  });

  test('nothing that others on the machine may read lies in the data directory', () => {
    expect(statSync(authority.dataDir).mode & 0o077).toBe(0);
  });

  test('/healthz and /readyz are 200, need no token and tell nothing of the inside', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await get(path);
      expect(answer.status, path).toBe(200);
      expect(answer.text.length).toBeLessThan(500);
      expect(answer.text).not.toMatch(/\/|sqlite|node_modules/i);
    }
  });

  test('/metrics is Prometheus text on loopback and counts tokens', async () => {
    const scene = await seedScene('metrics', authority.target);
    const total = async (): Promise<number> => {
      const answer = await get('/metrics');
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toMatch(/^text\/plain/);
      const lines = answer.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      for (const line of lines) expect(line).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? \S+( \d+)?$/);
      return lines
        .filter((line) => /^countersign_\w*tokens?\w*issued\w*_total/.test(line))
        .reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
    };
    const before = await total();
    for (let at = 0; at < 3; at++)
      expectToken(await askToken({ target: authority.target, client: scene.client }));
    expect(await total()).toBe(before + 3);
  });

  test('every answer of every endpoint has a Request-Id, and they differ', async () => {
    const ids = new Set<string>();
    const paths = [
      '/healthz',
      '/readyz',
      '/metrics',
      '/oauth/jwks',
      '/oauth/token',
      '/.well-known/oauth-authorization-server',
      '/openapi.json',
      '/v1/identities',
      '/audit/events',
      '/no-such-path',
      '/',
    ];
    for (const path of paths) {
      const answer = await get(path);
      expect(answer.headers['request-id'], path).toMatch(/^req_[0-9a-z]+$/);
      ids.add(String(answer.headers['request-id']));
    }
    expect(ids.size).toBe(paths.length);
  });

  test('a Request-Id of the caller is not taken over', async () => {
    const answer = await send(`${authority.target.issuer}/healthz`, {
      ca: authority.target.ca,
      headers: [['Request-Id', 'req_mine']],
    });
    expect(answer.headers['request-id']).not.toBe('req_mine');
  });

  test('an unknown flag or setting is refused by name, and the exit code says usage or failure', () => {
    const flag = spawnSync(process.execPath, [COMMAND, 'dev', '--no-such-flag'], {
      cwd: folder,
      env: cleanEnvironment(),
      timeout: 20_000,
      encoding: 'utf8',
    });
    expect(flag.status).toBe(2);
    expect(flag.stderr).toContain('no-such-flag');
    const setting = spawnSync(
      process.execPath,
      [COMMAND, 'dev', '--port', '0', '--data-dir', join(folder, 'x')],
      {
        cwd: folder,
        env: cleanEnvironment({ COUNTERSIGN_UNHEARD_OF: '1' }),
        timeout: 20_000,
        encoding: 'utf8',
      },
    );
    expect([1, 2]).toContain(setting.status);
    expect(setting.stderr).toMatch(/unheard_of/i);
  });

  test('serve without a certificate and without a declared proxy is refused, with the fix', () => {
    const serve = spawnSync(
      process.execPath,
      [COMMAND, 'serve', '--port', '0', '--data-dir', join(folder, 'y'), '--issuer', 'https://a.example'],
      {
        cwd: folder,
        env: cleanEnvironment(),
        timeout: 20_000,
        encoding: 'utf8',
      },
    );
    expect([1, 2]).toContain(serve.status);
    expect(serve.stderr).toMatch(/tls[-_]cert/i);
  });

  test('SIGTERM: not ready, what is in flight is finished and recorded, exit 0; a restart keeps everything', async () => {
    const box = mkdtempSync(join(folder, 'drain-'));
    const port = await freePort();
    const first = await startAuthority({ folder: box, port });
    const scene = await seedScene('drain', first.target);
    const body = formBody({ grant_type: 'client_credentials' });
    const head = [
      `POST /oauth/token HTTP/1.1`,
      `Host: localhost:${port}`,
      `Authorization: ${basic(scene.client)}`,
      `Content-Type: ${FORM}`,
      `Content-Length: ${body.length}`,
      '',
      '',
    ].join('\r\n');
    const socket = await openRaw(first.target);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.write(head + body.slice(0, 5));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const stopped = first.stop('SIGTERM', 15_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const ready = await send(`${first.target.issuer}/readyz`, { ca: first.target.ca, timeoutMs: 2000 }).catch(
      () => undefined,
    );
    if (ready !== undefined) expect(ready.status).toBe(503);
    socket.write(body.slice(5));
    expect(await stopped).toBe(0);
    await closed;
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    const token = /"access_token":"([^"]+)"/.exec(text)?.[1] as string;
    const jti = String(decodeJwt(token).claims['jti']);

    const second = await startAuthority({
      folder: box,
      port,
      adminSecret: first.target.admin?.client.secret,
    });
    try {
      expect(second.ready.admin?.client_secret).toBeUndefined();
      const admin = openAdmin(second.target);
      const events = await admin.all(`${second.target.issuer}/audit/events?jti=${jti}`);
      expect(events.map((event) => event['type'])).toEqual(['token.issued']);
      expectToken(await askToken({ target: second.target, client: scene.client }));
    } finally {
      expect(await second.stop()).toBe(0);
    }
  });

  test('SIGTERM with idle keep-alive connections does not wait for them', async () => {
    const box = mkdtempSync(join(folder, 'idle-'));
    const running = await startAuthority({ folder: box });
    const agent = new Agent({ keepAlive: true, ca: running.target.ca });
    await Promise.all(
      Array.from({ length: 10 }, () =>
        send(`${running.target.issuer}/healthz`, { agent, ca: running.target.ca }),
      ),
    );
    const started = Date.now();
    expect(await running.stop('SIGTERM', 20_000)).toBe(0);
    expect(Date.now() - started).toBeLessThan(3000);
    agent.destroy();
  });

  test('SIGTERM with connections that never spoke, and with one that stopped in the middle, ends in bounded time', async () => {
    const box = mkdtempSync(join(folder, 'silent-'));
    const running = await startAuthority({ folder: box });
    const sockets = await Promise.all(Array.from({ length: 5 }, () => openRaw(running.target)));
    for (const socket of sockets) socket.on('error', () => undefined);
    sockets[0]?.write('POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    const started = Date.now();
    expect(await running.stop('SIGTERM', 30_000)).toBe(0);
    expect(Date.now() - started).toBeLessThan(20_000);
    for (const socket of sockets) socket.destroy();
  });

  test('the log is one JSON object a line, without a secret in it', () => {
    const lines = readFileSync(authority.logFile, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'));
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(readFileSync(authority.logFile, 'utf8')).not.toMatch(/csk_[A-Za-z0-9]{8}_[A-Za-z0-9]{38}/);
  });
});
