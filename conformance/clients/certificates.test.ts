import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { type RunningAuthority, startAuthority } from '../authority-process.ts';
import type { ToolchainName } from '../foreign/install.ts';
import { type Outcome, prepare, printed, runCommand, runForeign } from '../foreign/run.ts';
import { accessBody, openAdmin } from '../wire/admin.ts';
import { certificateAuthority, FOR_AUTHORITIES } from '../wire/certificate-authority.ts';
import { registerCertificate, registerIssuer } from '../wire/certificate-client.ts';
import { selfSigned, type ShownCertificate } from '../wire/certificates.ts';
import { decodeJwt } from '../wire/jwt.ts';
import { type SeededScene, seedScene } from '../wire/scene.ts';
import { mayStartServers } from '../wire/target.ts';

const CURL = process.env['COUNTERSIGN_TEST_CURL'] ?? 'curl';

// RFC 8705 with programs that nobody here wrote: each proves itself by a certificate, and uses its token with it.
describe.runIf(mayStartServers())('clients with a certificate (needs the countersign command)', () => {
  let folder: string;
  let authority: RunningAuthority;
  let scene: SeededScene;

  for (const toolchain of ['node', 'python', 'go'] as const) prepare(toolchain);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-certificates-'));
    authority = await startAuthority({ folder, args: ['--mtls-port', '0'] });
    scene = await seedScene('certificates', authority.target);
    const resource = authority.target.admin?.resource ?? '';
    const access = accessBody(scene.machine.identityId, resource, ['identities:read']);
    await openAdmin(authority.target).must('POST', '/access', access);
  }, 60_000);
  afterAll(async () => {
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function environmentOf(shown: ShownCertificate): Record<string, string> {
    const files = { CERT_FILE: join(folder, 'client.pem'), KEY_FILE: join(folder, 'client.key') };
    writeFileSync(files.CERT_FILE, shown.cert);
    writeFileSync(files.KEY_FILE, shown.key, { mode: 0o600 });
    const base = String(authority.ready.mtls_base);
    const { admin, caFile = '' } = authority.target;
    return {
      ...files,
      ISSUER: authority.target.issuer,
      TOKEN_ENDPOINT: `${base}/oauth/token`,
      CLIENT_ID: scene.machine.id,
      CLIENT_SECRET: '',
      RESOURCE: String(admin?.resource),
      SCOPE: 'identities:read',
      API_URL: `${base}/v1/identities?limit=1`,
      CA_FILE: caFile,
      NODE_EXTRA_CA_CERTS: caFile,
    };
  }

  test.for<[string, ToolchainName, string[], Record<string, string>]>([
    ['openid-client', 'node', ['openid-client-certificate.mjs'], {}],
    ['oauth4webapi', 'node', ['oauth4webapi-certificate.mjs'], {}],
    ['Authlib', 'python', ['certificate_client.py'], { LIBRARY: 'authlib' }],
    ['requests-oauthlib', 'python', ['certificate_client.py'], { LIBRARY: 'requests-oauthlib' }],
    ['golang.org/x/oauth2/clientcredentials', 'go', [], { AUTH_STYLE: 'params' }],
  ])('%s gets a token and calls the API', async ([, toolchain, args, more], context) => {
    await expectCertified(context, (env) => runForeign(context, toolchain, args, { ...env, ...more }));
  });

  test('curl --cert gets a token and calls the API', async (context) => {
    if (spawnSync(CURL, ['--version']).status !== 0) {
      if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('curl is not installed');
      context.skip('curl is not installed');
    }
    await expectCertified(context, async (env) => {
      const shown = ['--cert', String(env['CERT_FILE']), '--key', String(env['KEY_FILE'])];
      const curl = (...args: string[]): Promise<Outcome> =>
        runCommand(
          [CURL, '-sS', '--fail', '--max-time', '10', '--cacert', String(env['CA_FILE']), ...shown, ...args],
          {},
        );
      const form = ['-d', 'grant_type=client_credentials', '-d', `client_id=${env['CLIENT_ID']}`];
      const what = ['--data-urlencode', `resource=${env['RESOURCE']}`, '-d', `scope=${env['SCOPE']}`];
      const got = await curl(...form, ...what, String(env['TOKEN_ENDPOINT']));
      if (got.code !== 0) return got;
      const { access_token: token, scope } = JSON.parse(got.stdout) as {
        access_token: string;
        scope: string;
      };
      const call = await curl(
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '--oauth2-bearer',
        token,
        String(env['API_URL']),
      );
      return { ...call, stdout: JSON.stringify({ token, scope, status: Number(call.stdout) }) };
    });
  });

  /** It works with the registered certificate, with one of the registered authority, and with no other one. */
  async function expectCertified(
    context: TestContext,
    run: (env: Record<string, string>) => Promise<Outcome>,
  ): Promise<void> {
    const own = selfSigned(context, 'payments');
    const refused = await run(environmentOf(own));
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/invalid_client|401|Unauthorized/);
    const credential = await registerCertificate(scene, own.cert);
    const outcome = printed(await run(environmentOf(own)));
    expect(outcome).toMatchObject({ scope: 'identities:read', status: 200 });
    expect(decodeJwt(String(outcome['token'])).claims['crd']).toBe(credential);
    const clients = certificateAuthority(context, '/CN=clients');
    const between = clients.issue('/CN=between', FOR_AUTHORITIES);
    const issuer = await registerIssuer(scene, { subject_dn: 'CN=payments,O=Example', ca: clients.pem });
    const issued = printed(await run(environmentOf(between.issue('/O=Example/CN=payments'))));
    expect(issued).toMatchObject({ scope: 'identities:read', status: 200 });
    expect(decodeJwt(String(issued['token'])).claims['crd']).toBe(issuer);
  }
});
