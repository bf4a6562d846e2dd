import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIssuer } from '../server-metadata.ts';
import { discoverServer } from './discovery.ts';
import { fetchTrusting } from './fetch-trusting.ts';

const openssl = (() => {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!openssl)(
  openssl ? 'fetchTrusting' : 'fetchTrusting (absent: openssl, to make a certificate)',
  () => {
    let server: Server;
    let base: string;
    let ca: string;
    let strangerCa: string;

    beforeAll(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-'));
      const make = (name: string) => {
        const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
        const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
        const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
        execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], {
          stdio: 'ignore',
        });
        return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
      };
      const own = make('own');
      ca = own.cert;
      strangerCa = make('stranger').cert;
      rmSync(folder, { recursive: true });
      server = createServer(own, (request, response) => {
        void (async () => {
          let body = '';
          for await (const chunk of request) body += String(chunk);
          if (request.url === '/redirect') response.writeHead(302, { location: '/' }).end();
          else if (request.url === '/empty') response.writeHead(204).end();
          else if (request.url === '/never') return;
          else if (request.url?.startsWith('/.well-known/')) {
            response.end(
              JSON.stringify({ issuer: base, token_endpoint: `${base}/t`, jwks_uri: `${base}/j` }),
            );
          } else {
            response.writeHead(201, {
              'set-cookie': ['a=1', 'b=2'],
              'x-seen': String(request.headers['x-own']),
            });
            response.end(`${request.method} ${request.headers['content-type']} ${body}`);
          }
        })();
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      base = `https://localhost:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });

    it('exchanges requests and responses as fetch does', async () => {
      const fetch = fetchTrusting(ca);
      const response = await fetch(`${base}/`, {
        method: 'POST',
        headers: { 'x-own': 'y' },
        body: new URLSearchParams({ a: 'ö' }),
      });
      expect(response.status).toBe(201);
      expect(response.headers.get('x-seen')).toBe('y');
      expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
      expect(await response.text()).toBe('POST application/x-www-form-urlencoded;charset=UTF-8 a=%C3%B6');
      expect((await fetch(new URL('/empty', base))).status).toBe(204);
      expect(await (await fetch(base)).text()).toBe('GET undefined ');
    });

    it('trusts nothing else, and is what the global fetch does not trust', async () => {
      await expect(fetchTrusting(strangerCa)(base)).rejects.toThrow('fetch failed');
      await expect(globalThis.fetch(base)).rejects.toThrow('fetch failed');
      expect(() => fetchTrusting('/etc/ca.pem')).toThrow(TypeError);
    });

    it('refuses another host name than the certificate has', async () => {
      await expect(fetchTrusting(ca)(base.replace('localhost', '127.0.0.1'))).rejects.toThrow('fetch failed');
    });

    it('follows no redirect', async () => {
      const fetch = fetchTrusting(ca);
      await expect(fetch(`${base}/redirect`)).rejects.toThrow('fetch failed');
      await expect(fetch(`${base}/redirect`, { redirect: 'error' })).rejects.toThrow('fetch failed');
      expect((await fetch(`${base}/redirect`, { redirect: 'manual' })).status).toBe(302);
    });

    it('ends with its signal', async () => {
      const abort = new AbortController();
      const waiting = fetchTrusting(ca)(`${base}/never`, { signal: abort.signal });
      setTimeout(() => abort.abort(new Error('enough')), 20);
      await expect(waiting).rejects.toThrow('enough');
    });

    it('is what discovery asks for where it meets a certificate that it does not trust', async () => {
      await expect(discoverServer(parseIssuer(base)!, { fetch: globalThis.fetch })).rejects.toMatchObject({
        code: 'untrusted_certificate',
        message: `the certificate is not trusted: pass fetch: fetchTrusting(ca): ${base}/.well-known/oauth-authorization-server (DEPTH_ZERO_SELF_SIGNED_CERT)`,
      });
      const elsewhere = base.replace('localhost', '127.0.0.1');
      await expect(
        discoverServer(parseIssuer(elsewhere)!, { fetch: fetchTrusting(ca) }),
      ).rejects.toMatchObject({ code: 'bad_certificate' });
    });

    it('serves discovery', async () => {
      const metadata = await discoverServer(parseIssuer(base)!, { fetch: fetchTrusting(ca) });
      expect(metadata.token_endpoint).toBe(`${base}/t`);
    });
  },
);
