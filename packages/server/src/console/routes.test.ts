import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import type { HttpResponse } from '../http/response.ts';
import { consoleRoutes } from './routes.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-console-site-'));
const SCRIPT = 'globalThis.started = true;\n';
writeFileSync(join(folder, 'console-AAAA.js'), SCRIPT);
writeFileSync(join(folder, 'style-BBBB.css'), 'body{}');
writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), 'notices');
writeFileSync(join(folder, 'secret.js'), 'not of the console');
writeFileSync(
  join(folder, 'site.json'),
  JSON.stringify({
    script: 'console-AAAA.js',
    style: 'style-BBBB.css',
    files: ['console-AAAA.js', 'style-BBBB.css'],
  }),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Asked {
  readonly issuer?: string;
  readonly people?: string;
  readonly headers?: readonly string[];
}

async function get(
  path: string,
  { issuer = 'https://a.example', people, headers = [] }: Asked = {},
): Promise<HttpResponse> {
  const routes = consoleRoutes({
    issuer,
    folder: pathToFileURL(`${folder}/`),
    peopleIssuer: () => Promise.resolve(people),
  });
  // Literal segments come before others, as the router does it.
  const matches = routes.filter((route) =>
    new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`).test(path),
  );
  const route = matches.sort((a, b) => a.path.split(':').length - b.path.split(':').length)[0];
  if (route === undefined) throw new Error(`no route for ${path}`);
  const file = decodeURIComponent(path.split('/').at(-1) ?? '');
  const request = {
    method: 'GET',
    path,
    query: '',
    rawHeaders: headers,
    body: new Uint8Array(0),
    id: 'req_1',
    source: '127.0.0.1',
  };
  return await route.endpoint(request, { file });
}

const text = ({ body }: HttpResponse): string => Buffer.from(body).toString();

test('every screen has the same page, which loads its own script and style and nothing else', async () => {
  for (const path of ['/console', '/console/', '/console/identities', '/console/identities/payments']) {
    const answer = await get(path);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text(answer)).toContain('src="/console/assets/console-AAAA.js"');
    expect(text(answer)).toContain('href="/console/assets/style-BBBB.css"');
    expect(text(answer)).not.toMatch(/<script>|<style|style=|onload|\bhttp:/);
  }
});

test('nothing inline, nothing from elsewhere, in nobody’s frame, and no text becomes script', async () => {
  const { headers } = await get('/console');
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
      "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  );
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-cache',
  });
});

test('the page may ask the provider of people, where that is elsewhere, and nobody else', async () => {
  const { headers } = await get('/console', { people: 'https://login.example/realms/staff' });
  expect(headers['content-security-policy']).toContain("connect-src 'self' https://login.example;");
  const own = await get('/console', { people: 'https://a.example/dev/people' });
  expect(own.headers['content-security-policy']).toContain("connect-src 'self';");
});

test('below an issuer with a path the page names its files there', async () => {
  expect(text(await get('/console', { issuer: 'https://a.example/t1' }))).toContain(
    'src="/t1/console/assets/console-AAAA.js"',
  );
});

test('a file is kept for ever by its name, sent packed where that is taken, and not sent again where it is known', async () => {
  const plain = await get('/console/assets/console-AAAA.js');
  expect([plain.status, text(plain)]).toEqual([200, SCRIPT]);
  expect(plain.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
  });
  const packed = await get('/console/assets/console-AAAA.js', {
    headers: ['Accept-Encoding', 'br, gzip;q=0.8'],
  });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(packed.body).toString()).toBe(SCRIPT);
  expect(packed.headers['etag']).not.toBe(plain.headers['etag']);
  const again = await get('/console/assets/console-AAAA.js', {
    headers: ['If-None-Match', `"x", ${plain.headers['etag']}`],
  });
  expect([again.status, again.body]).toEqual([304, '']);
  const refused = await get('/console/assets/console-AAAA.js', { headers: ['Accept-Encoding', 'gzip;q=0'] });
  expect(refused.headers['content-encoding']).toBeUndefined();
});

test.each([
  'secret.js',
  'site.json',
  'THIRD-PARTY-NOTICES.txt',
  '..%2Fsite.json',
  '%2e%2e',
  'constructor',
  '__proto__',
])('what the list does not name is not sent: %s', async (name) => {
  expect((await get(`/console/assets/${name}`)).status).toBe(404);
});
