import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { runCommand, seedCaller, type CallerEnvironment } from '../foreign/run.ts';
import { openAdmin } from '../wire/admin.ts';
import { selfSigned } from '../wire/certificates.ts';
import { jsonOf, send } from '../wire/exchange.ts';
import { currentTarget } from '../wire/target.ts';

// curl: raw Basic, and certificates. The secret comes from a config on standard input in real life; here the command line is the test's own.
const target = currentTarget();
const CURL = process.env['COUNTERSIGN_TEST_CURL'] ?? 'curl';

describe.runIf(target.admin !== undefined)('curl (needs the admin API)', () => {
  let caller: CallerEnvironment;
  const trust = target.caFile === undefined ? [] : ['--cacert', target.caFile];

  beforeAll(async () => {
    caller = await seedCaller('curl');
  });

  function needCurl(context: TestContext): void {
    if (spawnSync(CURL, ['--version']).status === 0) return;
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('curl is not installed');
    context.skip('curl is not installed');
  }

  function curl(args: readonly string[]): ReturnType<typeof runCommand> {
    return runCommand([CURL, '--silent', '--show-error', '--max-time', '10', ...trust, ...args], {});
  }

  test('gets a token and calls the API', async (context) => {
    needCurl(context);
    const got = await curl([
      '--fail',
      '-u',
      `${caller.CLIENT_ID}:${caller.CLIENT_SECRET}`,
      '-d',
      'grant_type=client_credentials',
      '--data-urlencode',
      `resource=${caller.RESOURCE}`,
      '-d',
      'scope=identities:read',
      caller.TOKEN_ENDPOINT,
    ]);
    expect(got.code, got.stderr).toBe(0);
    const token = JSON.parse(got.stdout) as { access_token: string; scope: string };
    expect(token.scope).toBe('identities:read');
    const call = await curl(['--fail', '--oauth2-bearer', token.access_token, caller.API_URL]);
    expect(call.code, call.stderr).toBe(0);
    expect(JSON.parse(call.stdout)).toHaveProperty('items');
  });

  test('gets a token over HTTP/1.0 and with a multipart form gets none', async (context) => {
    needCurl(context);
    const who = ['-u', `${caller.CLIENT_ID}:${caller.CLIENT_SECRET}`];
    const old = await curl([
      '--http1.0',
      // else curl offers the protocol name http/1.0, which servers refuse during the handshake
      '--no-alpn',
      '--fail',
      ...who,
      '-d',
      'grant_type=client_credentials',
      caller.TOKEN_ENDPOINT,
    ]);
    expect(old.code, old.stderr).toBe(0);
    const form = await curl([
      '-w',
      '\n%{http_code}',
      ...who,
      '-F',
      'grant_type=client_credentials',
      caller.TOKEN_ENDPOINT,
    ]);
    expect(form.stdout).toMatch(/\n4(00|15)$/);
  });

  test('--cert and --key prove who it is, at the address for certificates', async (context) => {
    needCurl(context);
    const shown = selfSigned(context, caller.CLIENT_ID);
    const body = { type: 'self_signed_tls_client_auth', certificate: shown.cert };
    await openAdmin(target).must('POST', `/identities/${caller.CLIENT_ID}/credentials`, body);
    const metadata = `${target.issuer}/.well-known/oauth-authorization-server`;
    const { mtls_endpoint_aliases: aliases } = jsonOf(await send(metadata, { ca: target.ca }));
    const folder = mkdtempSync(join(tmpdir(), 'countersign-curl-'));
    try {
      for (const part of ['cert', 'key'] as const)
        writeFileSync(join(folder, part), shown[part], { mode: 0o600 });
      const ask = (...more: string[]): ReturnType<typeof curl> =>
        curl([
          '--fail',
          ...more,
          '-d',
          `grant_type=client_credentials&client_id=${caller.CLIENT_ID}`,
          (aliases as { token_endpoint: string }).token_endpoint,
        ]);
      const got = await ask('--cert', join(folder, 'cert'), '--key', join(folder, 'key'));
      expect(got.code, got.stderr).toBe(0);
      const token = JSON.parse(got.stdout) as { access_token: string; scope: string };
      expect(token.scope).toBe('identities:read');
      expect((await ask()).code).toBe(22);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a wrong secret makes --fail end with 22', async (context) => {
    needCurl(context);
    const wrong = await curl([
      '--fail',
      '-u',
      `${caller.CLIENT_ID}:wrong`,
      '-d',
      'grant_type=client_credentials',
      caller.TOKEN_ENDPOINT,
    ]);
    expect(wrong.code).toBe(22);
  });
});
