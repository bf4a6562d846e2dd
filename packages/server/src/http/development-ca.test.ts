import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pooledRandom } from '../ids.ts';
import { type DevelopmentCertificate, makeCertificate, presentCertificate } from './development-ca.ts';

const DAY = 86_400_000;
const NOW = Date.now();
const random = pooledRandom();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-ca-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const openssl = spawnSync('openssl', ['version']).status === 0;

describe('the development CA', () => {
  let home: string;
  let made: DevelopmentCertificate;
  let ca: X509Certificate;
  let server: X509Certificate;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'countersign-ca-'));
    made = await makeCertificate(home, NOW, random);
    ca = new X509Certificate(readFileSync(made.caFile));
    server = new X509Certificate(made.certificate);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('signs a certificate for this machine under its local names, and for nothing else', () => {
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.checkPrivateKey(createPrivateKey(made.privateKey))).toBe(true);
    expect(server.checkHost('localhost')).toBe('localhost');
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.checkIP('::1')).toBeDefined();
    expect(server.checkHost('example.com')).toBeUndefined();
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('is good for a year, its certificate for ninety days, both from a minute ago', () => {
    const days = (certificate: X509Certificate): number =>
      Math.round((Date.parse(certificate.validTo) - NOW) / DAY);
    expect([days(ca), days(server)]).toEqual([365, 90]);
    for (const certificate of [ca, server])
      expect(Date.parse(certificate.validFrom)).toBeLessThan(NOW - 55_000);
  });

  it('has serial numbers of their own, positive and random', async () => {
    const other = await makeCertificate(directory, NOW, random);
    const serials = [
      ca,
      server,
      new X509Certificate(other.certificate),
      new X509Certificate(readFileSync(other.caFile)),
    ];
    expect(new Set(serials.map((each) => each.serialNumber)).size).toBe(4);
    for (const { serialNumber } of serials) expect(serialNumber).toMatch(/^[0-7][0-9A-F]{31}$/);
  });

  it('leaves files that its owner alone may read where they are secret, and no key of its own', () => {
    expect(readdirSync(home).sort()).toEqual(['ca.pem', 'server.key', 'server.pem']);
    expect(statSync(join(home, 'server.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(home, 'server.key'), 'utf8')).toBe(made.privateKey);
    expect(readFileSync(made.caFile, 'utf8')).not.toContain('PRIVATE');
  });

  async function handshake(servername: string, trust: string | undefined): Promise<string> {
    const listener = createServer({ cert: made.certificate, key: made.privateKey }, (socket) =>
      socket.end('hello'),
    );
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as AddressInfo;
    try {
      return await new Promise<string>((resolve) => {
        const socket: TLSSocket = connect({
          port,
          host: '127.0.0.1',
          servername,
          ...(trust === undefined ? {} : { ca: trust }),
        });
        socket.on('secureConnect', () => resolve(`${socket.authorized} ${socket.getProtocol()}`));
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        socket.resume();
      });
    } finally {
      listener.close();
    }
  }

  it('is trusted by who was given its file, under its name, and by nobody else', async () => {
    const trust = readFileSync(made.caFile, 'utf8');
    expect(await handshake('localhost', trust)).toBe('true TLSv1.3');
    expect(await handshake('example.com', trust)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await handshake('localhost', undefined)).toMatch(
      /UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET_ISSUER/,
    );
  });

  it.skipIf(!openssl)('is found in order by another judge (needs openssl)', () => {
    const verify = (...more: string[]): string =>
      execFileSync(
        'openssl',
        ['verify', '-x509_strict', '-CAfile', made.caFile, ...more, join(home, 'server.pem')],
        {
          encoding: 'utf8',
        },
      );
    expect(verify('-purpose', 'sslserver', '-verify_hostname', 'localhost')).toContain('OK');
    expect(verify('-purpose', 'sslserver', '-verify_ip', '127.0.0.1')).toContain('OK');
    const wrong = spawnSync('openssl', [
      'verify',
      '-CAfile',
      made.caFile,
      '-verify_hostname',
      'example.com',
      join(home, 'server.pem'),
    ]);
    expect(wrong.status).not.toBe(0);
    const client = spawnSync('openssl', [
      'verify',
      '-CAfile',
      made.caFile,
      '-purpose',
      'sslclient',
      join(home, 'server.pem'),
    ]);
    expect(client.status).not.toBe(0);
  });
});

describe('a certificate that is there', () => {
  it('is used again, byte for byte', async () => {
    const made = await makeCertificate(directory, NOW, random);
    expect(await presentCertificate(directory, NOW)).toEqual({
      ...made,
      certificate: `${made.certificate}\n`,
    });
  });

  it('is not used in the last two weeks of its life', async () => {
    await makeCertificate(directory, NOW, random);
    expect(await presentCertificate(directory, NOW + 75 * DAY)).toBeDefined();
    expect(await presentCertificate(directory, NOW + 77 * DAY)).toBeUndefined();
  });

  it.each(['ca.pem', 'server.pem', 'server.key'])('is not used when %s is missing', async (file) => {
    await makeCertificate(directory, NOW, random);
    rmSync(join(directory, file));
    expect(await presentCertificate(directory, NOW)).toBeUndefined();
  });

  it.each(['ca.pem', 'server.pem', 'server.key'])(
    'is not used when %s is of another pair, or no such thing',
    async (file) => {
      await makeCertificate(directory, NOW, random);
      const other = mkdtempSync(join(tmpdir(), 'countersign-ca-'));
      await makeCertificate(other, NOW, random);
      const text = readFileSync(join(other, file), 'utf8');
      rmSync(other, { recursive: true });
      for (const wrong of [text, 'nonsense', '']) {
        writeFileSync(join(directory, file), wrong);
        expect(await presentCertificate(directory, NOW), wrong).toBeUndefined();
      }
    },
  );
});
