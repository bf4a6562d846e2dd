import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  askToken,
  BUILT,
  type Ended,
  killAll,
  runCommand,
  type RunningServer,
  send,
  startServer,
} from '../test/server-process.ts';
import { DurableFile } from './audit/durable-file.ts';
import { systemClock } from './clock.ts';
import { compose, type ComposeDeps, type Composition } from './compose.ts';
import { toDeployment } from './config/deployment.ts';
import { loadSettings } from './config/load.ts';
import { openSqliteStorage } from './database/sqlite.ts';
import type { HttpRequest } from './http/request.ts';
import { pooledRandom } from './ids.ts';
import { createLogger } from './telemetry/logger.ts';
import { VERSION } from './version.ts';

/** When what is declared here ends. */
const END = new Date(Date.now() + 86_400_000 * 300).toISOString();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-main-'));
});
afterEach(() => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe.skipIf(!BUILT)('countersign dev (needs a build)', () => {
  const dev = (more: readonly string[] = ['--http']): Promise<RunningServer> => {
    rmSync(join(folder, 'ready.json'), { force: true });
    const args = ['dev', '--port', '0', '--data-dir', 'data', '--ready-file', 'ready.json', ...more];
    return startServer(folder, join(folder, 'ready.json'), args);
  };

  it('starts on nothing over TLS, says where it is, and is gone on SIGTERM', async () => {
    const first = await dev(['--mtls-port', '0']);
    const { issuer } = first.ready;
    expect(issuer).toMatch(/^https:\/\/localhost:\d+$/);
    expect(first.ready).toEqual({
      pid: first.child.pid,
      version: VERSION,
      issuer,
      token_endpoint: `${issuer}/oauth/token`,
      jwks_uri: `${issuer}/oauth/jwks`,
      mtls_base: expect.stringMatching(/^https:\/\/localhost:\d+$/),
      ca_file: join(folder, 'data/ca.pem'),
      admin: {
        client_id: 'admin',
        client_secret: expect.stringMatching(/^csk_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$/),
        resource: `${issuer}/v1`,
        api: `${issuer}/v1`,
      },
    });
    expect(first.ready.mtls_base).not.toBe(issuer);
    const secret = first.ready.admin.client_secret as string;
    for (const file of [
      'ready.json',
      'data/admin.secret',
      'data/master.key',
      'data/registry.db',
      'data/server.key',
    ])
      expect(mode(join(folder, file)), file).toBe('600');
    expect(mode(join(folder, 'data'))).toBe('700');
    expect(readFileSync(join(folder, 'data/admin.secret'), 'utf8')).toBe(`${secret}\n`);

    const token = await askToken(first.ready, 'admin', secret);
    expect(token.status).toBe(200);
    const page = await send(first.ready, `${issuer}/v1/identities`, {
      headers: { authorization: `Bearer ${token.json.access_token as string}` },
    });
    expect(page.json.items).toMatchObject([{ client_id: 'admin' }]);
    const overMtls = await send(first.ready, `${first.ready.mtls_base as string}/oauth/jwks`);
    expect(overMtls.text).toBe((await send(first.ready, first.ready.jwks_uri)).text);

    const ended = await first.stop();
    expect([ended.code, ended.out]).toEqual([0, '']);
    expect(ended.err).not.toContain(secret);
    expect(existsSync(join(folder, 'ready.json'))).toBe(false);
  });

  it('knows its admin at the second start, tells the secret no more, and takes no second authority beside it', async () => {
    const first = await dev();
    const secret = first.ready.admin.client_secret as string;
    expect((await first.stop()).code).toBe(0);
    const second = await dev();
    expect(second.ready.admin).toEqual({
      client_id: 'admin',
      resource: expect.any(String),
      api: expect.any(String),
    });
    expect((await askToken(second.ready, 'admin', secret)).status).toBe(200);

    const beside = await runCommand(folder, [
      'dev',
      '--http',
      '--port',
      '0',
      '--data-dir',
      'data',
      '--ready-file',
      'other.json',
    ]).ended;
    expect(beside.code).not.toBe(0);
    expect(beside.err).toMatch(/another authority runs on this data/i);
    const reset = await runCommand(folder, ['admin', 'reset', '--data-dir', 'data']).ended;
    expect(reset.code).not.toBe(0);
    expect(reset.err).toMatch(/another authority runs on this data/i);
    expect((await askToken(second.ready, 'admin', secret)).status).toBe(200);
    await second.stop();
  });

  it('does not start on a registry that its log knows better, unless that is meant', async () => {
    const first = await dev();
    const secret = first.ready.admin.client_secret as string;
    await first.stop();
    copyFileSync(join(folder, 'data/registry.db'), join(folder, 'copy.db'));
    const second = await dev();
    const token = await askToken(second.ready, 'admin', secret);
    const made = await send(second.ready, `${second.ready.issuer}/v1/identities`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token.json.access_token as string}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        name: 'payments',
        kind: 'service',
        environment: 'dev',
        purpose: 'pays',
        owner: { person: 'ada', team: 'core' },
        expires_at: END,
      }),
    });
    expect(made.status, made.text).toBe(201);
    await second.stop();
    for (const name of ['registry.db-wal', 'registry.db-shm'])
      rmSync(join(folder, 'data', name), { force: true });
    copyFileSync(join(folder, 'copy.db'), join(folder, 'data/registry.db'));
    const args = ['dev', '--http', '--port', '0', '--data-dir', 'data'];
    const refused = await runCommand(folder, args).ended;
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain(`identity.created ${made.json.id as string}`);
    const until = /\(COUNTERSIGN_LOST_CHANGES_UNTIL\) to (\d+)/.exec(refused.err)?.[1] as string;
    const meant = await startServer(
      folder,
      join(folder, 'ready.json'),
      [...args, '--ready-file', 'ready.json'],
      {
        COUNTERSIGN_LOST_CHANGES_UNTIL: until,
      },
    );
    expect((await askToken(meant.ready, 'admin', secret)).status).toBe(200);
    await meant.stop();
  }, 90_000);

  it('serves everything below the path of its issuer, and probes where probes look', async () => {
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const issuer = `${origin}/machines`;
    const ready = join(folder, 'ready.json');
    const server = await startServer(folder, ready, [
      'dev',
      '--http',
      '--data-dir',
      'data',
      '--ready-file',
      'ready.json',
      '--port',
      String(port),
      '--issuer',
      issuer,
    ]);
    const token = await askToken(server.ready, 'admin', server.ready.admin.client_secret as string);
    expect(token.status).toBe(200);
    const headers = { authorization: `Bearer ${token.json.access_token as string}` };
    expect((await send(server.ready, `${issuer}/v1/identities`, { headers })).status).toBe(200);
    for (const url of [
      `${origin}/.well-known/oauth-authorization-server/machines`,
      `${issuer}/.well-known/openid-configuration`,
    ]) {
      const metadata = await send(server.ready, url);
      expect(metadata.json, url).toMatchObject({ issuer, token_endpoint: `${issuer}/oauth/token` });
      expect((await send(server.ready, metadata.json.jwks_uri as string)).status).toBe(200);
    }
    const resource = await send(server.ready, `${origin}/.well-known/oauth-protected-resource/machines/v1`);
    expect(resource.json).toMatchObject({ resource: `${issuer}/v1`, authorization_servers: [issuer] });
    expect((await send(server.ready, `${origin}/oauth/jwks`)).status).toBe(404);
    expect((await send(server.ready, `${origin}/healthz`)).status).toBe(200);
    await server.stop();
  });

  it('gives the admin a new secret on the host, which moves nothing but that', async () => {
    const first = await dev();
    const old = first.ready.admin.client_secret as string;
    await first.stop();
    const reset = await runCommand(folder, ['admin', 'reset', '--data-dir', 'data']).ended;
    expect(reset.code, reset.err).toBe(0);
    const made = readFileSync(join(folder, 'data/admin.secret'), 'utf8').trim();
    expect(made).not.toBe(old);
    expect(reset.out + reset.err).not.toContain(made);
    const database = await openSqliteStorage({ path: join(folder, 'data/registry.db'), clock: systemClock });
    const { items } = await database.resourceServers.list({}, { limit: 10 });
    await database.close();
    expect(items.map(({ identifier }) => identifier)).toEqual([first.ready.admin.resource]);
    const second = await dev();
    expect((await askToken(second.ready, 'admin', old)).status).toBe(401);
    expect((await askToken(second.ready, 'admin', made)).status).toBe(200);
    await second.stop();
  });

  it('applies declared objects before it is ready, and keeps the secrets that it makes for them', async () => {
    const declared = [
      [
        'Identity',
        'payments',
        `{kind: service, environment: dev, purpose: pays, owner: {person: ada, team: core}, expires_at: ${END}}`,
      ],
      [
        'ResourceServer',
        'fraud',
        '{identifier: "https://fraud.test", scopes: [{name: fraud:read, description: reads}]}',
      ],
      [
        'Access',
        'payments-fraud',
        `{identity: payments, resource_server: "https://fraud.test", scopes: [fraud:read], justification: scores, expires_at: ${END}}`,
      ],
      ['Credential', 'first', '{identity: payments, type: client_secret, secretFile: payments.secret}'],
    ].map(
      ([kind, name, spec]) =>
        `apiVersion: countersign/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`,
    );
    writeFileSync(join(folder, 'declared.yaml'), declared.join('---\n'));
    const apply = ['--http', '--apply', 'declared.yaml'];
    const first = await dev(apply);
    const file = join(folder, 'payments.secret');
    expect(mode(file)).toBe('600');
    const secret = readFileSync(file, 'utf8').trim();
    const token = await askToken(first.ready, 'payments', secret);
    expect(token.json).toMatchObject({ scope: 'fraud:read' });
    const ended = await first.stop();
    expect(ended.out + ended.err).not.toContain(secret);

    const second = await dev(apply);
    expect(readFileSync(file, 'utf8').trim()).toBe(secret);
    expect((await askToken(second.ready, 'payments', secret)).status).toBe(200);
    await second.stop();
    // The same secret on another database: what a file names is taken, not made anew.
    rmSync(join(folder, 'data'), { recursive: true });
    const third = await dev(apply);
    expect((await askToken(third.ready, 'payments', secret)).status).toBe(200);
    await third.stop();
  });

  it('answers who waits for news when it has to stop, and waits for nobody', async () => {
    const server = await dev();
    const { issuer } = server.ready;
    const cursor = JSON.parse(
      Buffer.from(
        (await send(server.ready, `${issuer}/oauth/cutoffs`)).text.split('.')[1] as string,
        'base64url',
      ).toString(),
    ) as { cursor: number };
    const waiting = send(server.ready, `${issuer}/oauth/cutoffs?after=${cursor.cursor}&wait=25`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const begin = performance.now();
    const [answer, ended] = await Promise.all([waiting, server.stop()]);
    expect([answer.status, ended.code]).toEqual([200, 0]);
    expect(performance.now() - begin).toBeLessThan(5000);
  });
});

describe.skipIf(!BUILT)('a start that is refused (needs a build)', () => {
  const run = (...args: string[]): Promise<Ended> => runCommand(folder, args).ended;
  let busy: ReturnType<typeof createServer>;
  let port: number;
  beforeAll(async () => {
    busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    ({ port } = busy.address() as AddressInfo);
  });
  afterAll(() => busy.close());
  const DEV = ['dev', '--http', '--port', '0', '--data-dir', 'data'];
  const SERVE = ['serve', '--port', '0', '--data-dir', 'data', '--trusted-proxy', '10.0.0.1'];

  it.each<[string, string[], string]>([
    ['a time out of its bounds', [...DEV, '--set', 'token-lifetime=1s'], 'token-lifetime'],
    ['a setting of nobody', [...DEV, '--set', 'token-lifetim=1h'], 'token-lifetim'],
    ['a proxy that is none', [...DEV, '--trusted-proxy', '10.0.0.0/'], 'trusted-proxy'],
    ['certificates asked for without TLS', [...DEV, '--mtls-port', '0'], 'mtls-port'],
    ['declared objects that are not there', [...DEV, '--apply', 'none.yaml'], 'none.yaml'],
    ['a settings file that is not there', [...DEV, '--config', 'none.yaml'], 'none.yaml'],
    ['a ready file whose folder is not there', [...DEV, '--ready-file', 'none/r.json'], 'ready-file names '],
    ['a host for others', [...DEV, '--host', '0.0.0.0'], 'host'],
    [
      'a certificate that is not there',
      ['dev', '--port', '0', '--data-dir', 'data', '--tls-cert', 'a.pem', '--tls-key', 'b.pem'],
      'a.pem',
    ],
    ['serving without issuer', [...SERVE, '--master-key-file', 'm'], 'issuer'],
    ['serving without master key', [...SERVE, '--issuer', 'https://id.test'], 'master-key-file'],
    [
      'serving with one that is not there',
      [...SERVE, '--issuer', 'https://id.test', '--master-key-file', 'm'],
      'm',
    ],
    [
      'serving in the clear',
      ['serve', '--port', '0', '--data-dir', 'data', '--issuer', 'https://id.test', '--master-key-file', 'm'],
      'tls-cert',
    ],
    ['a reset where there is no authority', ['admin', 'reset', '--data-dir', 'data'], 'holds no authority'],
  ])('for %s ends with 2 and says which', async (_, args, named) => {
    const ended = await run(...args);
    expect([ended.code, ended.out], ended.err).toEqual([2, '']);
    expect(ended.err).toContain(named);
    expect(ended.err).not.toMatch(/\n\s+at /);
  });

  it('after it made the admin, the next start tells another secret: the first one reached nobody', async () => {
    writeFileSync(join(folder, 'm'), 'ab'.repeat(32), { mode: 0o600 });
    writeFileSync(join(folder, 'bad.yaml'), 'kind: Nonsense\n');
    const serve = [
      ...SERVE,
      '--issuer',
      'https://id.test',
      '--master-key-file',
      'm',
      '--ready-file',
      'r.json',
    ];
    expect((await run(...serve, '--apply', 'bad.yaml')).code).toBe(2);
    const next = await startServer(folder, join(folder, 'r.json'), serve);
    expect(next.ready.admin.client_secret).toMatch(/^csk_/);
    await next.stop();
    const third = await startServer(folder, join(folder, 'r.json'), serve);
    expect(third.ready.admin.client_secret).toBeUndefined();
    await third.stop();
  });

  it('for declared objects that are wrong ends with 2 and says file, line and column', async () => {
    writeFileSync(
      join(folder, 'bad.yaml'),
      `apiVersion: countersign/v1
kind: ResourceServer
metadata: { name: fraud }
spec:
  identifier: https://fraud.example
  scopes: [{ name: fraud:read }]
---
apiVersion: countersign/v1
kind: Access
metadata: { name: a }
spec:
  identity: nobody
  resource_server: https://fraud.example
  scopes: []
  expires_in: 9d
  justification: scores
`,
    );
    const members = await run(...DEV, '--apply', 'bad.yaml');
    expect([members.code, members.err]).toEqual([
      2,
      'error: bad.yaml:14:3: spec.scopes: must not be empty\n',
    ]);
    const whole = readFileSync(join(folder, 'bad.yaml'), 'utf8');
    writeFileSync(join(folder, 'bad.yaml'), whole.replace('scopes: []', 'scopes: [fraud:read]'));
    const unknown = await run(...DEV, '--apply', 'bad.yaml');
    expect([unknown.code, unknown.err]).toEqual([
      2,
      expect.stringContaining('bad.yaml:12:3: spec.identity: '),
    ]);
    writeFileSync(join(folder, 'bad.yaml'), 'kind: A\nmetadata: {name: a\n');
    const yaml = await run(...DEV, '--apply', 'bad.yaml');
    expect([yaml.code, yaml.err]).toEqual([
      2,
      expect.stringMatching(/bad\.yaml:\d+:\d+, which is not YAML: \w/),
    ]);
    expect(yaml.err).not.toContain('^');
  });

  it('for a master key that others may read ends with 2', async () => {
    writeFileSync(join(folder, 'm'), 'ab'.repeat(32), { mode: 0o644 });
    const ended = await run(...SERVE, '--issuer', 'https://id.test', '--master-key-file', 'm');
    expect([ended.code, ended.err]).toEqual([2, expect.stringContaining('chmod 600')]);
  });

  it.each<[string, (folder: string) => string[], RegExp]>([
    ['a port that is taken', () => ['dev', '--http', '--port', String(port), '--data-dir', 'data'], /port/i],
    [
      'a second port that is taken',
      () => ['dev', '--port', '0', '--mtls-port', String(port), '--data-dir', 'data'],
      /port/i,
    ],
    [
      'objects that make no sense',
      (place) => {
        writeFileSync(join(place, 'bad.yaml'), 'kind: Nonsense\n');
        return [...DEV, '--apply', 'bad.yaml'];
      },
      /kind/,
    ],
  ])('for %s ends by itself, and leaves nothing in the way of the next', async (_, args, said) => {
    const ended = await run(...args(folder));
    expect(ended.code).toBeGreaterThan(0);
    expect(ended.err).toMatch(said);
    const next = await startServer(folder, join(folder, 'r.json'), [...DEV, '--ready-file', 'r.json']);
    expect((await next.stop()).code).toBe(0);
  });

  it('for another master key says so, and takes the right one again', async () => {
    const ready = ['--ready-file', 'r.json'];
    const first = await startServer(folder, join(folder, 'r.json'), [...DEV, ...ready]);
    await first.stop();
    const right = readFileSync(join(folder, 'data/master.key'));
    writeFileSync(join(folder, 'data/master.key'), 'ab'.repeat(32));
    const ended = await run(...DEV);
    expect(ended.code).toBeGreaterThan(0);
    expect(ended.err).toContain('not the one the database was made with');
    writeFileSync(join(folder, 'data/master.key'), right);
    const again = await startServer(folder, join(folder, 'r.json'), [...DEV, ...ready]);
    await again.stop();
  });
});

describe.skipIf(!BUILT)('an authority in this process (needs a build)', () => {
  function options(): ComposeDeps {
    const settings = loadSettings({
      mode: 'dev',
      flags: { http: true, 'data-dir': join(folder, 'data') },
      env: {},
    });
    return {
      deployment: toDeployment('dev', settings),
      issuer: 'http://localhost:1',
      mtlsBase: undefined,
      version: VERSION,
      node: 'n1',
      clock: systemClock,
      random: pooledRandom(),
      logger: createLogger('silent', 'n1'),
      draining: () => false,
    };
  }
  async function get({ routes }: Composition, path: string): Promise<unknown> {
    const route = routes.find((each) => each.path === path);
    const answer = await route?.endpoint({ path, query: '', rawHeaders: [] } as unknown as HttpRequest, {});
    return [answer?.status, JSON.parse(String(answer?.body))];
  }

  it('leaves nothing open when its start fails, wherever that is', async () => {
    const whole = await compose(options());
    await whole.ensureAdmin();
    await whole.close();
    const key = join(folder, 'data/master.key');
    const right = readFileSync(key);
    writeFileSync(key, 'ab'.repeat(32));
    await expect(compose(options())).rejects.toThrow('not the one the database was made with');
    writeFileSync(key, right);
    const segment = join(folder, 'data/audit/00000001.log');
    const log = readFileSync(segment);
    writeFileSync(segment, Buffer.concat([log.subarray(0, 9), Buffer.from('X'), log.subarray(10)]));
    await expect(compose(options())).rejects.toThrow(segment);
    writeFileSync(segment, log);
    const again = await compose(options());
    expect((await again.ensureAdmin()).secret).toBeUndefined();
    await again.close();
  });

  it('is ready again by itself when its log takes events again', async () => {
    const running = await compose(options());
    await running.ensureAdmin();
    expect(await get(running, '/readyz')).toMatchObject([200, { ready: true }]);
    const write = vi.spyOn(DurableFile.prototype, 'writeAt').mockRejectedValue(new Error('ENOSPC'));
    await expect(running.resetAdmin()).rejects.toThrow('cannot be written');
    expect(await get(running, '/readyz')).toMatchObject([
      503,
      { checks: { audit_log: false, database: true } },
    ]);
    write.mockRestore();
    expect(await get(running, '/readyz')).toMatchObject([200, { ready: true }]);
    await running.close();
  });
});
