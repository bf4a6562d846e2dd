import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, type TestContext } from 'vitest';
import { freePort, type RunningAuthority, startAuthority } from './authority-process.ts';
import { askByCertificate, registerCertificate } from './wire/certificate-client.ts';
import { selfSigned } from './wire/certificates.ts';
import { send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { type SeededScene, seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { basic } from './wire/token-request.ts';

const PROXY = '127.0.0.3';

interface Nginx {
  readonly tokenEndpoint: string;
  /** PEM of what it shows. */
  readonly ca: string;
  stop(): Promise<void>;
}

// RFC 8705 behind a real nginx, configured as docs/operate/client-certificates.md says.
describe.runIf(mayStartServers() && process.platform === 'linux')(
  'nginx in front (needs the countersign command)',
  () => {
    let folder: string;
    let authority: RunningAuthority;
    let scene: SeededScene;
    let running: Nginx | undefined;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'countersign-nginx-'));
      const args = ['--trusted-proxy', PROXY, '--set', 'client-cert-header=nginx'];
      authority = await startAuthority({ folder, args });
      scene = await seedScene('nginx', authority.target);
    }, 60_000);
    afterEach(async () => {
      await running?.stop();
      running = undefined;
      await authority?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('a client proves itself by its certificate, and by nothing that it writes into a header', async (context) => {
      const own = selfSigned(context, 'payments');
      const other = selfSigned(context, 'payments');
      await registerCertificate(scene, own.cert);
      running = await startNginx(context, folder, authority.target.issuer);
      const { tokenEndpoint, ca } = running;
      const client = { ...scene, target: { ...scene.target, ca } };
      const ask = (more: Parameters<typeof askByCertificate>[2]) =>
        askByCertificate(tokenEndpoint, client, more);

      expectToken(await ask({ shown: own }));
      expectOAuthError(await ask({ shown: other }), 401, 'invalid_client');
      expectOAuthError(await ask({}), 401, 'invalid_client');
      const forged = encodeURIComponent(own.cert);
      // nginx puts its own in the place of this one, or removes it; the others it does not know and passes on.
      expectOAuthError(await ask({ headers: [['X-SSL-Client-Cert', forged]] }), 401, 'invalid_client');
      expectOAuthError(
        await ask({ shown: other, headers: [['X-SSL-Client-Cert', forged]] }),
        401,
        'invalid_client',
      );
      expectToken(await ask({ shown: own, headers: [['X-SSL-Client-Cert', 'junk']] }));
      for (const name of ['ssl-client-cert', 'Client-Cert', 'X-Forwarded-Client-Cert']) {
        expectOAuthError(await ask({ headers: [[name, forged]] }), 401, 'invalid_client');
        expectOAuthError(await ask({ shown: own, headers: [[name, forged]] }), 401, 'invalid_client');
      }
      // Around nginx.
      const around = { shown: own, headers: [['X-SSL-Client-Cert', forged]] as const };
      expectOAuthError(
        await askByCertificate(authority.target.tokenEndpoint, scene, around),
        401,
        'invalid_client',
      );
      // Who has another proof needs no certificate.
      expectToken(await ask({ headers: [['Authorization', basic(scene.client)]] }));
    }, 60_000);

    test('a token is bound to the certificate of the client, not of nginx', async (context) => {
      const own = selfSigned(context, 'payments');
      await registerCertificate(scene, own.cert);
      const path = `/resource-servers/${scene.resourceServerId}`;
      await scene.admin.change('PATCH', path, { sender_constraint: 'mtls' });
      running = await startNginx(context, folder, authority.target.issuer);
      const client = { ...scene, target: { ...scene.target, ca: running.ca } };
      const { token } = expectToken(await askByCertificate(running.tokenEndpoint, client, { shown: own }));
      const claims = JSON.parse(
        Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
      ) as object;
      expect(claims).toMatchObject({ cnf: { 'x5t#S256': own.thumbprint } });
    }, 60_000);
  },
);

async function startNginx(context: TestContext, folder: string, issuer: string): Promise<Nginx> {
  const program = process.env['COUNTERSIGN_TEST_NGINX'];
  if (program === undefined || program === '') {
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('COUNTERSIGN_TEST_NGINX is not set');
    return context.skip('nginx: COUNTERSIGN_TEST_NGINX is not set');
  }
  const shown = selfSigned(context, 'localhost');
  const home = join(folder, 'nginx');
  mkdirSync(home);
  writeFileSync(join(home, 'cert.pem'), shown.cert);
  writeFileSync(join(home, 'key.pem'), shown.key, { mode: 0o600 });
  const port = await freePort();
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off; ${user} worker_processes 1; pid nginx.pid; error_log error.log;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    ssl_verify_client optional_no_ca;
    location / {
      proxy_pass ${issuer.replace('localhost', '127.0.0.1')};
      proxy_bind ${PROXY};
      proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`,
  );
  const child = spawn(program, ['-p', home, '-c', join(home, 'nginx.conf')], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
  };
  const base = `https://localhost:${port}`;
  for (let tries = 0; ; tries++) {
    const answer = await send(`${base}/healthz`, { ca: shown.cert }).catch(() => undefined);
    if (answer?.status === 200) return { tokenEndpoint: `${base}/oauth/token`, ca: shown.cert, stop };
    if (tries > 100 || child.exitCode !== null) {
      await stop();
      throw new Error(`nginx did not start (${String(answer?.status)})`);
    }
    await sleep(50);
  }
}
