// RFC 9440 §2, and the headers that are older.
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CERTIFICATE_HEADER_DIALECTS,
  type CertificateHeaderDialect,
  type CertificateHeaderReading,
  namesCertificate,
  readCertificateHeader,
} from './client-certificate-header.ts';

const leaf = certificate(`-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUb6C4nJxUNLNQwUP/WtDA0k66Zo4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbGVhZjAeFw0yNjExMjkwNzE5MjdaFw0zNjExMjYwNzE5Mjda
MA8xDTALBgNVBAMMBGxlYWYwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATcffzp
UhqvvFvJPvlaN3nRJ6yUBIUG9UT4+3V5iyHc/M2A0KKiycHrtjbt69tHrMsI8qTY
LipGDc/A4uzedVYmo1MwUTAdBgNVHQ4EFgQUpVZmyHC8pd1imUDiV9J7uhD1Zusw
HwYDVR0jBBgwFoAUpVZmyHC8pd1imUDiV9J7uhD1ZuswDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiAx18PDlzn2tduS/FJFTNLMh/TVm3U0E3gGUOPU
qe2Q/wIhANqiSGVw8Ehq258To3HXY1KgoFD/7YEfu0B5cngXEobO
-----END CERTIFICATE-----`);
const middle = certificate(`-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUfM3v1ophi8fEo0iLl5iUsdf8wjMwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbWlkZGxlMB4XDTI2MTEyOTA3MTkyN1oXDTM2MTEyNjA3MTky
N1owETEPMA0GA1UEAwwGbWlkZGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
4YryfAwLDI0clk5JWBXJSC/gmheiZQvNeaaQvrFHOifALE6gPoLbmuqbjOlSHlf0
H3+1ykb7sR4CrTzqmAmbTKNTMFEwHQYDVR0OBBYEFJ/Cv/8S5Jp/4ayPTcdJD/hn
D7HQMB8GA1UdIwQYMBaAFJ/Cv/8S5Jp/4ayPTcdJD/hnD7HQMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgeX0j2Bh6nzxlZF54a6sJRvXpiQA5u0lz
RPwGVBs2bwECIQCBqlHJGAB9kOk1l/Q8fj4ri5Dvrnukuex/DeuuMV0Ldg==
-----END CERTIFICATE-----`);
const top = certificate(`-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIUa/BEkIBaUZGMA5AdinFPeM4YG3QwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDdG9wMB4XDTI2MTEyOTA3MTkyN1oXDTM2MTEyNjA3MTkyN1ow
DjEMMAoGA1UEAwwDdG9wMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpd8AISQ2
yx3s9FIM2GpwkRGy2TKIEodTCJSjvM2SansoSlxnl+bD9a7xlbS4MU1RU1X1Ws05
Cpj3KvchUr69m6NTMFEwHQYDVR0OBBYEFNngYuzd7VMtON05m1+c/Xz5028oMB8G
A1UdIwQYMBaAFNngYuzd7VMtON05m1+c/Xz5028oMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIhANj7W3P1vDpWZN6g3kXLYQ9hsl/yNnz4fV6wvb4B
IjraAiAu6VHjdtZWfkIYq4zQGvF93a+12k5g8Fa+Wf6zJhhj4A==
-----END CERTIFICATE-----`);

interface Shown {
  readonly pem: string;
  readonly der: Uint8Array;
}

function certificate(pem: string): Shown {
  return { pem, der: new X509Certificate(pem).raw };
}

const b64 = ({ der }: { der: Uint8Array }): string => Buffer.from(der).toString('base64');
const escaped = (...certificates: { pem: string }[]): string =>
  encodeURIComponent(certificates.map(({ pem }) => `${pem}\n`).join(''));

function read(dialect: CertificateHeaderDialect, ...lines: string[]): CertificateHeaderReading | undefined {
  const rawHeaders = ['Host', 'localhost', ...lines.flatMap((line) => line.split(/: (.*)/s).slice(0, 2))];
  return readCertificateHeader({ rawHeaders }, dialect);
}

describe('a certificate that a proxy names', () => {
  it.each<[string, CertificateHeaderDialect, string[], { der: Uint8Array }[]]>([
    ['RFC 9440', 'rfc9440', [`Client-Cert: :${b64(leaf)}:`], [leaf]],
    [
      'RFC 9440 with a chain',
      'rfc9440',
      [`Client-Cert: :${b64(leaf)}:`, `Client-Cert-Chain: :${b64(middle)}:, :${b64(top)}:`],
      [leaf, middle, top],
    ],
    ['nginx', 'nginx', [`X-SSL-Client-Cert: ${escaped(leaf)}`], [leaf]],
    [
      'nginx beside what it says more',
      'nginx',
      [`X-SSL-Client-Cert: ${escaped(leaf)}`, 'X-SSL-Client-Verify: SUCCESS'],
      [leaf],
    ],
    [
      'ingress-nginx',
      'ingress-nginx',
      [`ssl-client-cert: ${escaped(leaf)}`, 'ssl-client-verify: SUCCESS'],
      [leaf],
    ],
    ['Envoy', 'envoy', [`x-forwarded-client-cert: Hash=${'a'.repeat(64)};Cert="${escaped(leaf)}"`], [leaf]],
    [
      'Envoy with all that it can say',
      'envoy',
      [
        `x-forwarded-client-cert: By=spiffe://a/b;Hash=aa;Cert="${escaped(leaf)}";Chain="${escaped(leaf, middle)}";Subject="CN=\\"a;b,c\\"";URI=spiffe://x;DNS=a.test;DNS=b.test`,
      ],
      [leaf, middle],
    ],
    [
      'Envoy with the chain alone',
      'envoy',
      [`x-forwarded-client-cert: Chain="${escaped(leaf, top)}"`],
      [leaf, top],
    ],
    ['Traefik', 'traefik', [`X-Forwarded-Tls-Client-Cert: ${b64(leaf)},${b64(middle)}`], [leaf, middle]],
    [
      'Traefik, escaped',
      'traefik',
      [`X-Forwarded-Tls-Client-Cert: ${encodeURIComponent(b64(leaf))}`],
      [leaf],
    ],
    [
      'AWS, with +, / and = as they are',
      'aws',
      [
        `X-Amzn-Mtls-Clientcert: ${escaped(leaf, middle).replace(/%2B/g, '+').replace(/%2F/g, '/').replace(/%3D/g, '=')}`,
      ],
      [leaf, middle],
    ],
    [
      'AWS that has verified it',
      'aws-verify',
      [`X-Amzn-Mtls-Clientcert-Leaf: ${escaped(leaf)}`, 'X-Amzn-Mtls-Clientcert-Subject: CN=payments'],
      [leaf],
    ],
  ])('is read as it was shown: %s', (_, dialect, lines, chain) => {
    expect(read(dialect, ...lines)).toEqual({ chain: chain.map(({ der }) => Buffer.from(der)) });
  });

  it.each(CERTIFICATE_HEADER_DIALECTS)('is absent where %s says nothing', (dialect) => {
    expect(read(dialect, 'X-Forwarded-For: 192.0.2.1')).toBeUndefined();
  });

  it.each<[string, CertificateHeaderDialect, string[]]>([
    ['twice', 'rfc9440', [`Client-Cert: :${b64(leaf)}:`, `client-cert: :${b64(leaf)}:`]],
    [
      'two chains',
      'rfc9440',
      [`Client-Cert: :${b64(leaf)}:`, `Client-Cert-Chain: :${b64(top)}:`, `Client-Cert-Chain: :${b64(top)}:`],
    ],
    ['joined into a list', 'rfc9440', [`Client-Cert: :${b64(leaf)}:, :${b64(leaf)}:`]],
    ['not a byte sequence', 'rfc9440', [`Client-Cert: ${b64(leaf)}`]],
    ['base64 with a gap', 'rfc9440', [`Client-Cert: :${b64(leaf).replace(/(.{9})/, '$1 ')}:`]],
    [
      'base64 that is not canonical',
      'rfc9440',
      [`Client-Cert: :${b64({ der: leaf.der.subarray(0, 1) }).replace('=', '')}:`],
    ],
    ['a chain with a hole', 'rfc9440', [`Client-Cert: :${b64(leaf)}:`, `Client-Cert-Chain: :${b64(top)}:,`]],
    ['no certificate', 'rfc9440', ['Client-Cert: :AAAA:']],
    ['empty', 'nginx', ['X-SSL-Client-Cert: ']],
    [
      'bytes behind it',
      'rfc9440',
      [`Client-Cert: :${Buffer.concat([leaf.der, Buffer.from('x')]).toString('base64')}:`],
    ],
    ['PEM that is not escaped whole', 'nginx', [`X-SSL-Client-Cert: ${escaped(leaf)}%zz`]],
    ['words around the PEM', 'nginx', [`X-SSL-Client-Cert: ${encodeURIComponent(`x${leaf.pem}`)}`]],
    [
      'another kind of PEM',
      'nginx',
      [`X-SSL-Client-Cert: ${encodeURIComponent(leaf.pem.replaceAll('CERTIFICATE', 'PUBLIC KEY'))}`],
    ],
    ['what a proxy writes for none', 'nginx', ['X-SSL-Client-Cert: (null)']],
    [
      'Envoy that appends',
      'envoy',
      [`x-forwarded-client-cert: Cert="${escaped(leaf)}",Cert="${escaped(top)}"`],
    ],
    [
      'Envoy with two certificates',
      'envoy',
      [`x-forwarded-client-cert: Cert="${escaped(leaf)}";Cert="${escaped(top)}"`],
    ],
    ['Envoy with the hash alone', 'envoy', ['x-forwarded-client-cert: Hash=aa;Subject="CN=a"']],
    [
      'Envoy with another chain',
      'envoy',
      [`x-forwarded-client-cert: Cert="${escaped(leaf)}";Chain="${escaped(top)}"`],
    ],
    ['Envoy with an open quote', 'envoy', [`x-forwarded-client-cert: Cert="${escaped(leaf)}`]],
    ['Envoy with a semicolon too many', 'envoy', [`x-forwarded-client-cert: Cert="${escaped(leaf)}";`]],
    [
      'nine certificates',
      'aws',
      [`X-Amzn-Mtls-Clientcert: ${escaped(...Array.from({ length: 9 }, () => leaf))}`],
    ],
  ])('is refused: %s', (_, dialect, lines) => {
    expect(read(dialect, ...lines)).toEqual({ fault: 'malformed' });
  });

  it('of eight certificates is taken', () => {
    const eight = Array.from({ length: 8 }, () => leaf);
    expect(read('aws', `X-Amzn-Mtls-Clientcert: ${escaped(...eight)}`)?.chain).toHaveLength(8);
  });

  it('is not believed in another dialect, alone or beside the right one', () => {
    const own = `X-SSL-Client-Cert: ${escaped(leaf)}`;
    const others = [
      'Client-Cert',
      'Client-Cert-Chain',
      'ssl-client-cert',
      'X-Forwarded-Client-Cert',
      'X-Forwarded-Tls-Client-Cert',
      'X-Amzn-Mtls-Clientcert',
      'X-Amzn-Mtls-Clientcert-Leaf',
      'X-Client-Cert',
      'X-SSL-Cert',
      'X-ARR-ClientCert',
      'X-SSL-Client-DER',
      'X-Client-Certificate',
      'X-SSL-Client-Certificate',
      'X-Tls-Client-Cert',
    ];
    for (const other of others) {
      expect(read('nginx', `${other}: x`)).toEqual({ fault: 'spoofed' });
      expect(read('nginx', own, `${other}: x`)).toEqual({ fault: 'spoofed' });
      expect(namesCertificate({ rawHeaders: [other, 'x'] })).toBe(true);
    }
  });

  it('is not believed where only what signed it is named', () => {
    expect(read('rfc9440', `Client-Cert-Chain: :${b64(top)}:`)).toEqual({ fault: 'spoofed' });
  });

  it('whatever is written, is a chain of certificates, a fault or nothing (property)', () => {
    const piece = fc.constantFrom(
      escaped(leaf),
      b64(leaf),
      `:${b64(leaf)}:`,
      'Cert=',
      'Chain=',
      '"',
      ';',
      ',',
      '%',
      '\\',
      ' ',
    );
    const text = fc
      .array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 6 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.constantFrom(...CERTIFICATE_HEADER_DIALECTS), text, (dialect, value) => {
        for (const name of [
          'client-cert',
          'x-ssl-client-cert',
          'x-forwarded-client-cert',
          'x-forwarded-tls-client-cert',
        ]) {
          const reading = readCertificateHeader({ rawHeaders: [name, value] }, dialect);
          for (const der of reading?.chain ?? []) expect(Buffer.compare(der, leaf.der)).toBe(0);
        }
      }),
    );
  });
});

describe('a request names a certificate', () => {
  it.each([
    'x-ssl-client-s-dn',
    'X-SSL-Client-Verify',
    'ssl-client-subject-dn',
    'X-Forwarded-Tls-Client-Cert-Info',
  ])('by %s too', (name) => expect(namesCertificate({ rawHeaders: [name, 'x'] })).toBe(true));
  it.each(['authorization', 'x-forwarded-for', 'x-forwarded-proto', 'user-agent', 'x-ssl', 'client-version'])(
    'and not by %s',
    (name) => expect(namesCertificate({ rawHeaders: [name, 'client-cert'] })).toBe(false),
  );
});
