import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type SecureVersion } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testCertificate, type TestCertificate } from '../../test/client-certificate.ts';
import { createPeerCertificates, type PeerCertificates } from './peer-certificate.ts';
import type { ClientCertificate } from './request.ts';

const server = testCertificate({ subject: 'localhost' });
const authority = testCertificate({ subject: 'an authority', ca: true });
const leaf = testCertificate({ issuer: { subject: 'an authority', certificate: authority } });
const other = testCertificate({ issuer: { subject: 'an authority', certificate: authority } });

let listening: Server;
let port: number;
let reader: PeerCertificates;
let seen: { readonly certificate: ClientCertificate | undefined; readonly resumed: boolean }[];

async function open(certificates: PeerCertificates, asking = true): Promise<void> {
  reader = certificates;
  const settings = { cert: server.pem, key: server.key, requestCert: asking, rejectUnauthorized: false };
  listening = createServer(settings, (message, response) => {
    const socket = message.socket as unknown as { isSessionReused(): boolean };
    const read = reader(message.socket);
    expect(reader(message.socket)).toBe(read);
    if (message.url === '/good') read?.keep?.();
    const certificate = read && { chain: read.chain, source: read.source };
    seen.push({ certificate, resumed: socket.isSessionReused() });
    response.end();
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  port = (listening.address() as AddressInfo).port;
}

beforeEach(() => {
  seen = [];
});
afterEach(() => new Promise((resolve) => listening.close(resolve)));

/** One request on a connection of its own; gives the session to resume. */
async function call(
  shown: TestCertificate | undefined,
  {
    session,
    version = 'TLSv1.3',
    path = '/',
  }: { session?: Buffer | undefined; version?: SecureVersion; path?: string } = {},
): Promise<Buffer | undefined> {
  const own = shown === undefined ? {} : { cert: `${shown.pem}\n${authority.pem}`, key: shown.key };
  let latest: Buffer | undefined;
  await new Promise<void>((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      maxVersion: version,
      ...own,
      ...(session === undefined ? {} : { session }),
    });
    socket.on('session', (given) => (latest = given));
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
  return latest;
}

describe('the certificate of a TLS peer', () => {
  it('is its chain, leaf first, as it was shown', async () => {
    await open(createPeerCertificates());
    await call(leaf);
    expect(seen[0]?.certificate).toEqual({ chain: [leaf.der, authority.der], source: 'tls' });
  });

  it('is cut off behind eight, however long the chain is that was shown', async () => {
    const chain: TestCertificate[] = [testCertificate({ subject: 'authority 0', ca: true })];
    for (let depth = 1; depth < 10; depth++) {
      const issuer = { subject: `authority ${depth - 1}`, certificate: chain[0] as TestCertificate };
      chain.unshift(testCertificate({ subject: `authority ${depth}`, ca: depth < 9, issuer }));
    }
    const [own, ...rest] = chain as [TestCertificate, ...TestCertificate[]];
    await open(createPeerCertificates());
    await call({ ...own, pem: [own, ...rest].map(({ pem }) => pem).join('\n') });
    expect(seen[0]?.certificate?.chain).toEqual(chain.slice(0, 8).map(({ der }) => der));
  });

  it('is absent where none was shown, or asked for', async () => {
    await open(createPeerCertificates());
    await call(undefined);
    listening.close();
    await open(createPeerCertificates(), false);
    await call(leaf);
    expect(seen.map(({ certificate }) => certificate)).toEqual([undefined, undefined]);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is whole after a session is resumed with %s', async (version) => {
    await open(createPeerCertificates());
    const session = await call(leaf, { version });
    await call(leaf, { version, session });
    expect(seen.map(({ resumed }) => resumed)).toEqual([false, true]);
    expect(seen[1]?.certificate).toEqual({ chain: [leaf.der, authority.der], source: 'tls' });
  });

  it('is the leaf alone where the handshake that a session comes from is forgotten', async () => {
    await open(createPeerCertificates(1));
    const session = await call(leaf);
    await call(other);
    await call(leaf, { session });
    expect(seen[2]).toEqual({ certificate: { chain: [leaf.der], source: 'tls' }, resumed: true });
  });

  it('that was found good is whole after a session is resumed, however many strangers have come since', async () => {
    await open(createPeerCertificates(1));
    const session = await call(leaf, { path: '/good' });
    await call(other);
    await call(leaf, { session });
    expect(seen[2]).toEqual({
      certificate: { chain: [leaf.der, authority.der], source: 'tls' },
      resumed: true,
    });
  });

  it('is the leaf alone where the chain was longer than anybody needs', async () => {
    const wordy = testCertificate({ subject: 'a long name '.repeat(1400), ca: true });
    const shown = { ...leaf, pem: `${leaf.pem}\n${wordy.pem}` };
    await open(createPeerCertificates());
    const session = await call(shown, { path: '/good' });
    await call(shown, { session });
    expect(seen.map(({ certificate, resumed }) => [resumed, certificate?.chain.length])).toEqual([
      [false, 3],
      [true, 1],
    ]);
  });

  it('is never another one than that of its own session', async () => {
    await open(createPeerCertificates());
    const session = await call(leaf);
    // What is shown on resumption is not looked at: the session says who it is.
    await call(other, { session });
    expect(seen[1]).toEqual({
      certificate: { chain: [leaf.der, authority.der], source: 'tls' },
      resumed: true,
    });
  });
});
