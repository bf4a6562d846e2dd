import { request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import { type CertificateHeaderDialect, trustedProxies } from '@countersign/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { testCertificate, type TestCertificate } from '../../test/client-certificate.ts';
import { systemClock } from '../clock.ts';
import { createHttpEdge, type HttpEdge } from './fastify-server.ts';
import type { HttpRequest } from './request.ts';
import { jsonResponse } from './response.ts';

const server = testCertificate({ subject: 'localhost' });
const own = testCertificate({ subject: 'payments' });
const other = testCertificate({ subject: 'a proxy' });

let edge: HttpEdge;
let port: number;
const seen: Pick<HttpRequest, 'clientCertificate' | 'clientCertificateFault'>[] = [];

/** An edge that asks for certificates, on loopback, where a proxy is or is not. */
async function open(proxy: boolean, dialect?: CertificateHeaderDialect): Promise<void> {
  let requests = 0;
  edge = createHttpEdge({
    proxies: trustedProxies(proxy ? ['127.0.0.1'] : ['192.0.2.1']),
    certificateHeader: dialect,
    nextRequestId: () => `req_${++requests}`,
    report: () => undefined,
    limits: {
      headersTimeout: 5000,
      requestTimeout: 5000,
      keepAliveTimeout: 5000,
      maxHeaderBytes: 16_384,
      maxConnections: 10,
    },
    clearOnlyFromProxies: false,
    clock: systemClock,
  });
  const tls = { cert: server.pem, key: server.key, requestCert: true, rejectUnauthorized: false };
  port = await edge.listen({ host: '127.0.0.1', port: 0, tls });
  const show = async (request: HttpRequest) => {
    const { clientCertificateFault, clientCertificate } = request;
    seen.push({ clientCertificate, clientCertificateFault });
    return jsonResponse(200, {});
  };
  await edge.serve([
    { method: 'POST', path: '/oauth/token', endpoint: show, bodyLimit: 10, errors: 'oauth', fast: true },
    { method: 'POST', path: '/oauth/revoke', endpoint: show, bodyLimit: 10, errors: 'oauth' },
  ]);
}
afterEach(async () => {
  seen.length = 0;
  await edge.drain(0);
});

/** What the endpoints saw of one caller; both ways into the server agree. */
async function call(shown: TestCertificate | undefined, ...headers: string[]) {
  for (const path of ['/oauth/token', '/oauth/revoke']) {
    await new Promise<void>((resolve, reject) => {
      const outgoing = httpsRequest(
        {
          host: '127.0.0.1',
          port,
          path,
          method: 'POST',
          headers: ['Host', 'localhost', 'Content-Length', '0', ...headers],
          rejectUnauthorized: false,
          agent: false,
          ...(shown === undefined ? {} : { cert: shown.pem, key: shown.key }),
        },
        (response) => response.resume().once('end', resolve),
      );
      outgoing.once('error', reject);
      outgoing.end();
    });
  }
  const [fast, slow] = seen.splice(0);
  expect(fast).toEqual(slow);
  return fast;
}

const nginx = ({ pem }: TestCertificate): string[] => ['X-SSL-Client-Cert', encodeURIComponent(`${pem}\n`)];
const rfc9440 = ({ der }: TestCertificate): string[] => [
  'Client-Cert',
  `:${Buffer.from(der).toString('base64')}:`,
];
const by = ({ der }: TestCertificate, source: 'tls' | 'proxy') => ({
  clientCertificate: { chain: [Buffer.from(der)], source },
  clientCertificateFault: undefined,
});
const NOTHING = { clientCertificate: undefined, clientCertificateFault: undefined };
const SPOOFED = { clientCertificate: undefined, clientCertificateFault: 'spoofed' };

describe('the certificate of a caller', () => {
  it('is that of its connection', async () => {
    await open(false);
    expect(await call(own)).toEqual(by(own, 'tls'));
    expect(await call(undefined)).toEqual(NOTHING);
  });

  it('is never what a header says where none is believed', async () => {
    await open(false);
    expect(await call(own, ...nginx(other))).toEqual(by(own, 'tls'));
    expect(await call(undefined, ...nginx(other))).toEqual(NOTHING);
    await edge.drain(0);
    await open(true);
    expect(await call(undefined, ...rfc9440(own))).toEqual(NOTHING);
  });

  it('is what a declared proxy says', async () => {
    await open(true, 'nginx');
    expect(await call(undefined, ...nginx(own))).toEqual(by(own, 'proxy'));
    expect(await call(undefined)).toEqual(NOTHING);
    expect(await call(own, ...nginx(own))).toEqual(by(own, 'proxy'));
  });

  it('is never the one of a declared proxy itself', async () => {
    await open(true, 'nginx');
    expect(await call(other)).toEqual(NOTHING);
    await edge.drain(0);
    await open(true);
    expect(await call(other)).toEqual(NOTHING);
  });
});

describe('CVE-2026-46579: a header that names a certificate', () => {
  it('is refused from who is no declared proxy, whatever the connection shows', async () => {
    await open(false, 'nginx');
    expect(await call(undefined, ...nginx(own))).toEqual(SPOOFED);
    expect(await call(own, ...nginx(own))).toEqual(SPOOFED);
    expect(await call(own, ...rfc9440(own))).toEqual(SPOOFED);
    expect(await call(own, 'X-SSL-Client-Verify', 'SUCCESS')).toEqual(SPOOFED);
    expect(await call(own)).toEqual(by(own, 'tls'));
  });

  it('is refused from an address that a caller only claims to come from', async () => {
    await open(false, 'nginx');
    expect(await call(undefined, 'X-Forwarded-For', '192.0.2.1', ...nginx(own))).toEqual(SPOOFED);
  });

  it('is refused through a declared proxy in another dialect, or twice', async () => {
    await open(true, 'nginx');
    expect(await call(undefined, ...rfc9440(own))).toEqual(SPOOFED);
    expect(await call(undefined, ...nginx(own), ...rfc9440(other))).toEqual(SPOOFED);
    expect(await call(undefined, ...nginx(own), ...nginx(own))).toEqual({
      clientCertificate: undefined,
      clientCertificateFault: 'malformed',
    });
  });

  it('is refused beside the certificate of somebody else at the address of the proxy', async () => {
    await open(true, 'nginx');
    expect(await call(other, ...nginx(own))).toEqual(SPOOFED);
  });
});

describe('a connection', () => {
  it('keeps the certificate that it began with: TLS 1.2 renegotiation is refused', async () => {
    await open(false);
    const socket = connect({
      host: '127.0.0.1',
      port,
      cert: own.pem,
      key: own.key,
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
    });
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const outcome = await new Promise((resolve) => {
      socket.once('close', () => resolve('closed'));
      socket.renegotiate({}, (error) => resolve(error === null ? 'renegotiated' : 'refused'));
    });
    expect(outcome).not.toBe('renegotiated');
    socket.destroy();
  });
});
