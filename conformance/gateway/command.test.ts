import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { cleanEnvironment, freePort, startAuthority } from '../authority-process.ts';
import { type Answer, type HeaderLine, send } from '../wire/exchange.ts';
import { seedScene } from '../wire/scene.ts';
import { mayStartServers } from '../wire/target.ts';
import { type FrontScene, gatewayConfig, HOST, openFrontScene } from './front-scene.ts';
import { COMMAND, spawnGateway } from './gateway-process.ts';

// Each of these starts servers of its own.
vi.setConfig({ testTimeout: 180_000 });

const run = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
    encoding: 'utf8',
    env: cleanEnvironment(),
  });
  return { status, stdout, stderr };
};

describe.runIf(mayStartServers())('the command countersign-gateway', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-gateway-command-'));
  const scenes: FrontScene[] = [];
  afterAll(async () => {
    for (const scene of scenes) await scene.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async (config?: Parameters<typeof openFrontScene>[1]): Promise<FrontScene> => {
    const scene = await openFrontScene('gateway-command', config);
    scenes.push(scene);
    return scene;
  };

  test('says what is wrong with a file, by its line, and with its flags', () => {
    const file = join(folder, 'gateway.yaml');
    const text = `issuer: https://a.example
listen: {auth: '127.0.0.1:0'}
resources: {a: {audience: 'https://a.example'}}
routes:
  - {path: /a, resource: a, scope: read}
`;
    writeFileSync(file, text);
    expect(run('--config', file, '--check')).toMatchObject({ status: 0, stdout: `${file}: 1 rules\n` });
    writeFileSync(file, text.replace('/a,', '/a/../b,'));
    const wrong = run('--config', file, '--check');
    expect(wrong).toMatchObject({ status: 2, stdout: '' });
    expect(wrong.stderr).toContain(`${file}:5:6: routes[0].path: no request can have this path`);
    expect(run('--config', join(folder, 'none.yaml')).status).toBe(2);
    expect(run('--confg', file).status).toBe(2);
    expect(run().stderr).toMatch(/^--config is missing\n\nusage: /);
    expect(run('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('counts what it decides, tells why it refused, and keeps tokens to itself', async () => {
    const { gateway, token: tokenOf } = await open();
    const token = await tokenOf();
    const ask = (path: string, headers: readonly HeaderLine[]): Promise<Answer> =>
      send(`${gateway.ready.auth}/auth/nginx`, {
        headers: [
          ['X-Original-Method', 'GET'],
          ['X-Original-URI', path],
          ['X-Original-Host', HOST],
          ...headers,
        ],
      });
    expect((await ask('/orders/7', [['Authorization', `Bearer ${token}`]])).status).toBe(200);
    expect(
      (await ask('/orders/7?key=hidden', [['Authorization', `Bearer ${token.slice(0, -4)}AAAA`]])).status,
    ).toBe(401);
    const { text } = await send(`${gateway.ready.operation}/metrics`);
    expect(text).toContain('countersign_gateway_decisions_total{front="nginx",outcome="allowed"} 1\n');
    expect(text).toContain('countersign_gateway_decisions_total{front="nginx",outcome="bad_signature"} 1\n');
    expect((await send(`${gateway.ready.operation}/healthz`)).text).toBe('ok\n');
    expect((await send(`${gateway.ready.operation}/other`)).status).toBe(404);
    for (let i = 0; i < 50 && !gateway.log().includes('bad_signature'); i++) await sleep(20);
    expect(gateway.log()).toContain('"reason":"bad_signature"');
    expect(gateway.log()).not.toContain(token.slice(-40));
    expect(gateway.log()).not.toContain('hidden');
    expect(statSync(gateway.readyFile).mode & 0o777).toBe(0o600);
  });

  test('answers nobody but the declared front proxies', async () => {
    const { gateway } = await open();
    const strange = await send(`${gateway.ready.auth}/auth/forward`, { localAddress: '127.0.0.2' });
    expect(strange.status).toBe(403);
    expect((await send(`${gateway.ready.auth}/auth/forward`)).status).toBe(500);
    const twice: HeaderLine[] = [
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Uri', '/public'],
      ['X-Forwarded-Uri', '/admin'],
      ['X-Forwarded-Host', HOST],
    ];
    expect((await send(`${gateway.ready.auth}/auth/forward`, { headers: twice })).status).toBe(400);
    for (const path of ['/', '/auth', '/auth/envoy', '/auth/other', '/constructor']) {
      expect((await send(`${gateway.ready.auth}${path}`)).status, path).toBe(404);
    }
  });

  test('ends what is in flight when it is told to end, and takes nothing new', async () => {
    const scene = await open((parts) =>
      gatewayConfig(parts, { listen: "proxy: '127.0.0.1:0'", upstream: parts.upstream.address }),
    );
    const { gateway, upstream } = scene;
    const headers: HeaderLine[] = [['Host', HOST]];
    upstream.delayMs = 700;
    const slow = send(`${gateway.ready.proxy}/public`, { headers });
    await sleep(200);
    const ended = gateway.stop();
    await sleep(100);
    await expect(send(`${gateway.ready.proxy}/public`, { headers })).rejects.toBeInstanceOf(Error);
    expect((await slow).status).toBe(200);
    expect(await ended).toBe(0);
    expect(existsSync(gateway.readyFile)).toBe(false);
  });

  test('listens before the authority is there, refuses with 503, and is ready once it is', async () => {
    const home = mkdtempSync(join(folder, 'late-'));
    const port = await freePort();
    const before = await startAuthority({ folder: home, port });
    const parts = { authority: before, scene: await seedScene('gateway-late', before.target) };
    await before.stop();
    const [auth, operation] = [await freePort(), await freePort()];
    const config = gatewayConfig(parts, { listen: `auth: '127.0.0.1:${auth}'` }).replace(
      "operation: '127.0.0.1:0'",
      `operation: '127.0.0.1:${operation}'`,
    );
    const starting = spawnGateway(home, config);
    const readyz = () => send(`http://127.0.0.1:${operation}/readyz`).catch(() => undefined);
    for (let i = 0; i < 200 && (await readyz()) === undefined; i++) await sleep(25);
    expect((await readyz())?.status).toBe(503);
    const asked = await send(`http://127.0.0.1:${auth}/auth/forward`, {
      headers: [
        ['X-Forwarded-Method', 'GET'],
        ['X-Forwarded-Uri', '/orders/7'],
        ['X-Forwarded-Host', HOST],
        ['Authorization', 'Bearer a.b.c'],
      ],
    });
    // Junk is junk with or without keys.
    expect([401, 503]).toContain(asked.status);
    const after = await startAuthority({
      folder: home,
      port,
      adminSecret: before.ready.admin?.client_secret,
    });
    const gateway = await starting.ready();
    expect((await readyz())?.status).toBe(200);
    await gateway.stop();
    await after.stop();
  });
});
