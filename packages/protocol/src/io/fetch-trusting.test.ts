import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIssuer } from '../server-metadata.ts';
import { type BoundedFetchOptions, fetchBounded } from './bounded-fetch.ts';
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
          else if (request.url === '/cut') {
            response.writeHead(200, { 'content-length': '1000' }).write('x'.repeat(10));
            setTimeout(() => response.destroy(), 20);
          } else if (request.url === '/large') response.end('x'.repeat(2000));
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

    it('leaves plain http to the global fetch', async () => {
      const plain = createPlainServer((request, response) => {
        request.pipe(response.writeHead(200, { 'x-seen': `${request.method} ${request.headers['x-own']}` }));
      });
      await new Promise<void>((resolve) => {
        plain.listen(0, '127.0.0.1', resolve);
      });
      const url = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
      const init = { method: 'POST', headers: { 'x-own': 'y' }, body: 'a' };
      const fetch = fetchTrusting(ca);
      for (const response of [
        await fetch(url, init),
        await fetch(new URL(url), init),
        await fetch(new Request(url, init)),
      ]) {
        expect([response.headers.get('x-seen'), await response.text()]).toEqual(['POST y', 'a']);
      }
      await expect(fetch('no url')).rejects.toThrow(TypeError);
      plain.closeAllConnections();
      plain.close();
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

    describe.each([
      ['with what it brings beside itself', (fetch: typeof globalThis.fetch) => fetch],
      [
        'as any other fetch',
        (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
          (...of) =>
            fetch(...of),
      ],
    ])('serves exchanges that are bounded, %s', (_, through) => {
      const bounded = (path: string, more: Partial<BoundedFetchOptions> = {}) =>
        fetchBounded(new URL(path, base).href, {
          fetch: through(fetchTrusting(ca)),
          timeoutMs: 5000,
          maxBytes: 1000,
          ...more,
        });

      it('from the request to the answer', async () => {
        const { status, headers, body } = await bounded('/', {
          method: 'POST',
          headers: { 'x-own': 'y', 'content-type': 'text/plain' },
          body: 'ö',
        });
        expect([status, headers.get('x-seen'), headers.getSetCookie()]).toEqual([201, 'y', ['a=1', 'b=2']]);
        expect(new TextDecoder().decode(body)).toBe('POST text/plain ö');
        expect((await bounded('/empty')).status).toBe(204);
        expect(new TextDecoder().decode((await bounded('/')).body)).toBe('GET undefined ');
      });

      it.each([
        ['/redirect', {}, 'network'],
        ['/cut', {}, 'network'],
        ['/large', {}, 'too_large'],
        ['/never', { timeoutMs: 30 }, 'timeout'],
        ['/', { headers: { 'x-own': 'a\r\nb: c' } }, 'network'],
        ['/never', { signal: AbortSignal.abort() }, 'aborted'],
      ] as const)('and says why not: %s %j', async (path, more, code) => {
        await expect(bounded(path, more)).rejects.toMatchObject({ name: 'FetchFailure', code });
      });

      it('and ends with its signal', async () => {
        const abort = new AbortController();
        setTimeout(() => abort.abort(new Error('enough')), 20);
        await expect(bounded('/never', { signal: abort.signal })).rejects.toMatchObject({
          code: 'aborted',
          cause: { message: 'enough' },
        });
      });

      it('and trusts nothing else', async () => {
        const stranger = bounded('/', { fetch: through(fetchTrusting(strangerCa)) });
        await expect(stranger).rejects.toMatchObject({ code: 'untrusted_certificate' });
        const elsewhere = bounded(base.replace('localhost', '127.0.0.1'));
        await expect(elsewhere).rejects.toMatchObject({ code: 'bad_certificate' });
      });

      it('over one connection', async () => {
        let connections = 0;
        const count = (): number => connections++;
        server.on('secureConnection', count);
        const fetch = through(fetchTrusting(ca));
        for (const path of ['/', '/empty', '/', '/large']) await bounded(path, { fetch, maxBytes: 4000 });
        server.off('secureConnection', count);
        expect(connections).toBe(1);
      });
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
