// RFC 8705 from end to end: a client, an authority and an API that all see certificates, over real TLS.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, createClient } from '@countersign/client';
import { createVerifier, fetchTrusting, requireScope, type Verifier } from '@countersign/resource-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../test/real-authority.ts';

const openssl = process.env['COUNTERSIGN_TEST_OPENSSL'] ?? 'openssl';
const able = spawnSync(openssl, ['version']).status === 0;

describe.skipIf(!able)(
  able ? 'with certificates' : 'with certificates (absent: openssl, to make them)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-mtls-'));
    let authority: RealAuthority;
    let ready: Record<string, string>;
    let ca: string;
    let api: Server;
    let url: string;
    let verifier: Verifier;
    const clients: Client[] = [];

    function pair(name: string): { readonly cert: string; readonly key: string } {
      const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
      const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
      const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
      execFileSync(openssl, ['req', '-x509', ...curve, ...subject, ...files], {
        cwd: folder,
        stdio: 'ignore',
      });
      const read = (end: string): string => readFileSync(join(folder, `${name}.${end}`), 'utf8');
      return { cert: read('pem'), key: read('key') };
    }
    async function run(...args: string[]): Promise<void> {
      const { code, err } = await authority.run(args);
      expect(code, err).toBe(0);
    }
    function clientOf(name: string): Client {
      const { cert, key } = pair(name);
      const certificate = { cert, key, ca: `${ca}\n${readFileSync(join(folder, 'api.pem'), 'utf8')}` };
      const client = createClient({
        issuer: ready['issuer'] ?? '',
        clientId: 'payments',
        resource: url,
        certificate,
      });
      clients.push(client);
      return client;
    }

    beforeAll(async () => {
      authority = await startRealAuthority(folder, ['--mtls-port', '0']);
      ready = JSON.parse(readFileSync(join(folder, '.countersign/ready.json'), 'utf8')) as Record<
        string,
        string
      >;
      ca = readFileSync(ready['ca_file'] ?? '', 'utf8');
      const tls = { ...pair('api'), requestCert: true, rejectUnauthorized: false };
      api = createServer(tls, (request, response) => {
        void requireScope(verifier, request, 'fraud:read').then((result) => {
          response
            .writeHead(result.ok ? 200 : result.status, result.headers)
            .end(result.ok ? 'ok' : result.reason);
        });
      });
      await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
      url = `https://localhost:${(api.address() as AddressInfo).port}/`;
      verifier = createVerifier({
        issuer: ready['issuer'] ?? '',
        audience: url,
        senderConstraint: 'mtls',
        fetch: fetchTrusting(ca),
      });
      const scope = ['--scope', 'fraud:read=read scores', '--sender-constraint', 'mtls'];
      await run('resource-servers', 'create', '--identifier', url, '--name', 'fraud', ...scope);
      const who = ['--kind', 'service', '--environment', 'test', '--purpose', 'a test', '--for', '30d'];
      await run('identities', 'create', '--name', 'payments', '--id', 'payments', '--owner', 'ada', ...who);
      const what = ['--scopes', 'fraud:read', '--justification', 'a test', '--for', '30d'];
      await run('access', 'create', '--identity', 'payments', '--resource-server', url, ...what);
    }, 60_000);

    afterAll(async () => {
      for (const client of clients) await client.close();
      await verifier?.close();
      api?.close();
      api?.closeAllConnections();
      await authority?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('a registered certificate gets a token that nobody else can use', async () => {
      const client = clientOf('payments');
      await expect(client.token()).rejects.toMatchObject({ code: 'refused', error: 'invalid_client' });
      const type = ['--type', 'self_signed_tls_client_auth', '--certificate', 'payments.pem'];
      await run('credentials', 'create', 'payments', ...type);
      const own = await client.fetch(url);
      expect([own.status, await own.text()]).toEqual([200, 'ok']);
      const { accessToken } = await client.token();
      const headers = { authorization: `Bearer ${accessToken}` };
      const without = await fetchTrusting(readFileSync(join(folder, 'api.pem'), 'utf8'))(url, { headers });
      expect([without.status, await without.text()]).toEqual([401, 'certificate_missing']);
      const thief = clientOf('thief');
      await expect(thief.token()).rejects.toMatchObject({ code: 'refused', error: 'invalid_client' });
    }, 30_000);

    test('the token request that connect prints for a certificate works, and no secret is made', async () => {
      pair('by-curl');
      const plan = ['connect', 'by-curl', '--to', 'fraud', '--scopes', 'fraud:read', '--owner', 'ada'];
      const type = ['--type', 'self_signed_tls_client_auth', '--certificate', 'by-curl.pem'];
      const made = await authority.run([...plan, '--for', '30d', ...type, '--language', 'curl']);
      expect(made.code, made.err).toBe(0);
      expect(existsSync(join(folder, 'by-curl.secret'))).toBe(false);
      const [asking = ''] = made.out.split('\n\n');
      const curl = process.env['COUNTERSIGN_TEST_CURL'] ?? 'curl';
      const script = `${asking.replaceAll('  curl ', `  ${curl} `).replace('(curl ', `(${curl} `)}\necho "$TOKEN"`;
      const token = await promisify(execFile)('sh', ['-c', script], { cwd: folder });
      expect(token.stdout.trim().split('.')).toHaveLength(3);
    }, 30_000);
  },
);
