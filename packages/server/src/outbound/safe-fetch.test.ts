import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../http/development-ca.ts';

import { parseOutboundAllow } from './address.ts';
import { OutboundRefusal } from './outbound-refusal.ts';
import {
  createSafeFetch,
  FETCH_MAX_BYTES,
  FETCH_MAX_CONCURRENT,
  FETCH_MAX_TO_ONE_HOST,
  FETCH_MAX_WAITING,
  type SafeFetch,
  type SafeFetchDeps,
} from './safe-fetch.ts';

const JSON_ONLY = { accept: ['application/json'] };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server on loopback that counts the connections that reach it. */
async function canary(
  answer: RequestListener = (_, response) => response.setHeader('content-type', 'application/json').end('{}'),
) {
  const server = createServer(answer);
  let connections = 0;
  server.on('connection', () => connections++);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => (server.close(), server.closeAllConnections()));
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

function fetcher(allowed: readonly string[], more: Partial<SafeFetchDeps> = {}): SafeFetch {
  const read = parseOutboundAllow(allowed);
  if (!read.ok) throw new Error(read.entry);
  return createSafeFetch({ allow: read.allow, plainLoopback: true, ...more });
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => 'fetched',
    (reason: unknown) => reason,
  );
  if (!(error instanceof OutboundRefusal)) throw error;
  return error.reason;
}

describe('what a URL may not reach', () => {
  const SPELLINGS = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '127.0.0.1.',
    '１２７.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '0.0.0.0',
    '0',
    '[::]',
    'localhost',
    'localhost.',
    'LOCALHOST',
  ];
  for (const scheme of ['http', 'https']) {
    it(`no packet goes to loopback by any spelling, over ${scheme}`, async () => {
      const target = await canary();
      const fetch = fetcher([]);
      for (const host of SPELLINGS) {
        const reason = await refusal(fetch(`${scheme}://${host}:${target.port}/jwks`, JSON_ONLY));
        expect([host, ['address_not_allowed', 'name_not_resolved'].includes(reason)]).toEqual([host, true]);
      }
      expect(target.connections()).toBe(0);
    });
  }

  it('no packet goes to a name that resolves to what is not public, also beside a public address', async () => {
    for (const address of [
      '127.0.0.1',
      '10.0.0.1',
      '172.16.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::1',
      'fe80::1',
      'fe80::1%lo',
      'fc00::1',
      'fd00:ec2::254',
      '::ffff:127.0.0.1',
      '2002:7f00:1::',
      '2001::1',
      'ff02::1',
    ]) {
      for (const addresses of [[address], ['8.8.8.8', address]]) {
        const fetch = fetcher([], { resolve: async () => addresses });
        expect([address, await refusal(fetch('https://issuer.example/', JSON_ONLY))]).toEqual([
          address,
          'address_not_allowed',
        ]);
      }
    }
  });

  it('the address that was checked is the one connected to, and the name is resolved once', async () => {
    const target = await canary();
    let asked = 0;
    const answers = [['127.0.0.1'], ['169.254.169.254']];
    const fetch = fetcher(['127.0.0.1'], { resolve: async () => answers[asked++] ?? [] });
    await fetch(`http://rebinding.example:${target.port}/`, JSON_ONLY);
    expect([asked, target.connections()]).toEqual([1, 1]);
    expect(await refusal(fetch(`http://rebinding.example:${target.port}/`, JSON_ONLY))).toBe(
      'address_not_allowed',
    );
    expect(target.connections()).toBe(1);
  });

  it('a name that is let through still does not reach the instance metadata of a cloud', async () => {
    const fetch = fetcher(['issuer.example'], { resolve: async () => ['169.254.169.254'] });
    expect(await refusal(fetch('https://issuer.example/', JSON_ONLY))).toBe('address_not_allowed');
  });

  it('another port than 443 is for what is let through', async () => {
    const fetch = fetcher([], { resolve: async () => ['8.8.8.8'] });
    expect(await refusal(fetch('https://issuer.example:8443/', JSON_ONLY))).toBe('port_not_allowed');
  });

  it('without TLS nothing is fetched but from loopback in dev', async () => {
    const target = await canary();
    const url = `http://127.0.0.1:${target.port}/`;
    expect(await refusal(fetcher(['127.0.0.1'], { plainLoopback: false })(url, JSON_ONLY))).toBe(
      'scheme_not_allowed',
    );
    const elsewhere = fetcher(['10.0.0.0/8'], { resolve: async () => ['10.0.0.1'] });
    expect(await refusal(elsewhere('http://issuer.example/', JSON_ONLY))).toBe('scheme_not_allowed');
    expect(target.connections()).toBe(0);
    expect((await fetcher(['127.0.0.1'])(url, JSON_ONLY)).toString()).toBe('{}');
  });

  it('a URL with a user, a fragment, another scheme or none is refused', async () => {
    const fetch = fetcher(['127.0.0.1']);
    for (const [url, reason] of [
      ['https://user@127.0.0.1/', 'url_malformed'],
      ['https://user:word@127.0.0.1/', 'url_malformed'],
      ['https://127.0.0.1/#', 'url_malformed'],
      ['/jwks', 'url_malformed'],
      [`https://127.0.0.1/${'a'.repeat(2048)}`, 'url_malformed'],
      ['file:///etc/passwd', 'scheme_not_allowed'],
      ['data:application/json,{}', 'scheme_not_allowed'],
      ['gopher://127.0.0.1/', 'scheme_not_allowed'],
    ] as const) {
      expect([url, await refusal(fetch(url, JSON_ONLY))]).toEqual([url, reason]);
    }
  });

  it('the message of a refusal has no path and no query', async () => {
    const error: unknown = await fetcher([])('https://127.0.0.1/path?key=word', JSON_ONLY).catch(
      (e: unknown) => e,
    );
    expect(String(error)).toBe('OutboundRefusal: address_not_allowed: 127.0.0.1');
  });
});

describe('what an answer may be', () => {
  const cases: readonly [string, string, RequestListener][] = [
    [
      'a redirect is not followed',
      'redirected',
      (_, r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    [
      'a status other than 200',
      'status_not_ok',
      (_, r) => r.writeHead(404, { 'content-type': 'application/json' }).end(),
    ],
    [
      'another media type',
      'wrong_content_type',
      (_, r) => r.setHeader('content-type', 'text/html').end('{}'),
    ],
    ['no media type', 'wrong_content_type', (_, r) => r.end('{}')],
    [
      'a compressed body',
      'encoded',
      (_, r) => r.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(),
    ],
    [
      'a body that says that it is too large',
      'too_large',
      (_, r) =>
        r
          .writeHead(200, { 'content-type': 'application/json', 'content-length': FETCH_MAX_BYTES + 1 })
          .write('{'),
    ],
    [
      'a body of 10 MB that does not say so',
      'too_large',
      (_, r) => {
        r.setHeader('content-type', 'application/json');
        for (let i = 0; i < 160; i++) r.write(Buffer.alloc(65_536, 0x20));
        r.end();
      },
    ],
    [
      'a body that breaks off',
      'connection_failed',
      (_, r) => {
        r.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{');
        setTimeout(() => r.destroy(), 20);
      },
    ],
    ['silence', 'timed_out', () => undefined],
    [
      'a body that drips',
      'timed_out',
      (_, r) => {
        r.setHeader('content-type', 'application/json');
        const timer = setInterval(() => r.write(' '), 20);
        r.on('close', () => clearInterval(timer));
      },
    ],
  ];
  for (const [name, reason, answer] of cases) {
    it(`${name}: ${reason}`, async () => {
      const target = await canary(answer);
      const fetch = fetcher(['127.0.0.1'], { timeoutMs: 500, idleMs: 200 });
      expect(await refusal(fetch(`http://127.0.0.1:${target.port}/`, JSON_ONLY))).toBe(reason);
    });
  }

  it('a name that never resolves is not waited for beyond the time', async () => {
    const fetch = fetcher([], { timeoutMs: 50, resolve: () => new Promise(() => undefined) });
    expect(await refusal(fetch('https://issuer.example/', JSON_ONLY))).toBe('timed_out');
  });

  const never = () => new Promise<never>(() => undefined);
  const hosts = (count: number): string[] =>
    Array.from({ length: count }, (_, at) => `https://issuer${at}.example/`);
  const tooBusy = (reasons: readonly string[]): number =>
    reasons.filter((reason) => reason === 'too_busy').length;

  it(`beyond ${FETCH_MAX_CONCURRENT} fetches at once wait, and are refused when it takes too long`, async () => {
    const fetch = fetcher([], { timeoutMs: 300, waitMs: 100, resolve: never });
    const all = hosts(FETCH_MAX_CONCURRENT + 3).map((url) => refusal(fetch(url, JSON_ONLY)));
    expect(tooBusy(await Promise.all(all))).toBe(3);
    expect(await refusal(fetch('https://issuer.example/', JSON_ONLY))).toBe('timed_out');
  });

  it('who waited gets its turn', async () => {
    const target = await canary();
    const fetch = fetcher(['127.0.0.1']);
    const url = `http://127.0.0.1:${target.port}/`;
    await Promise.all(Array.from({ length: 100 }, () => fetch(url, JSON_ONLY)));
    expect(target.connections()).toBe(100);
  });

  it(`a host that does not answer has ${FETCH_MAX_TO_ONE_HOST} fetches at once, and others are not kept waiting`, async () => {
    const target = await canary();
    const fetch = fetcher(['127.0.0.1'], { timeoutMs: 300, waitMs: 100, resolve: never });
    const dead = Array.from({ length: 40 }, () => refusal(fetch('https://issuer.example/', JSON_ONLY)));
    expect((await fetch(`http://127.0.0.1:${target.port}/`, JSON_ONLY)).toString()).toBe('{}');
    expect(tooBusy(await Promise.all(dead))).toBe(40 - FETCH_MAX_TO_ONE_HOST);
  });

  it(`${FETCH_MAX_WAITING} wait, and no more`, async () => {
    const fetch = fetcher([], { timeoutMs: 300, waitMs: 100, resolve: never });
    const all = Array.from({ length: FETCH_MAX_WAITING + FETCH_MAX_TO_ONE_HOST }, () =>
      refusal(fetch('https://issuer.example/', JSON_ONLY)),
    );
    const began = performance.now();
    expect(await refusal(fetch('https://issuer.example/', JSON_ONLY))).toBe('too_busy');
    expect(performance.now() - began).toBeLessThan(90);
    await Promise.all(all);
  });

  it('TLS: the certificate is for the name, from the CA that is given, or nothing is read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'outbound-'));
    const made = await makeCertificate(directory, Date.now(), randomBytes);
    const server = createTlsServer({ cert: made.certificate, key: made.privateKey }, (_, response) =>
      response.setHeader('content-type', 'application/json').end('{"a":1}'),
    );
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    closing.push(() => (server.close(), server.closeAllConnections()));
    const { port } = server.address() as AddressInfo;
    const fetch = fetcher(['127.0.0.1'], { plainLoopback: false, resolve: async () => ['127.0.0.1'] });
    const ca = await readFile(made.caFile, 'utf8');
    expect((await fetch(`https://localhost:${port}/`, { ...JSON_ONLY, ca })).toString()).toBe('{"a":1}');
    expect(await refusal(fetch(`https://localhost:${port}/`, JSON_ONLY))).toBe('certificate_not_trusted');
    const foreign = fetch(`https://issuer.example:${port}/`, { ...JSON_ONLY, ca });
    expect(await refusal(foreign)).toBe('certificate_not_trusted');
  });

  it('no environment variable puts a proxy in between', async () => {
    const [target, proxy] = [await canary(), await canary()];
    const before = { ...process.env };
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = `http://127.0.0.1:${proxy.port}`;
    process.env['NODE_USE_ENV_PROXY'] = '1';
    try {
      await fetcher(['127.0.0.1'])(`http://127.0.0.1:${target.port}/`, JSON_ONLY);
    } finally {
      process.env = before;
    }
    expect([target.connections(), proxy.connections()]).toEqual([1, 0]);
  });
});
