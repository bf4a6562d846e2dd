import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RandomBytes } from '../ids.ts';

/** A certificate authority for a laptop: made on the spot, trusted by nobody who was not handed its file. */
export interface DevelopmentCertificate {
  /** PEM file of the CA, for clients to trust. */
  readonly caFile: string;
  readonly certificate: string;
  readonly privateKey: string;
}

const CA_FILE = 'ca.pem';
const CERTIFICATE_FILE = 'server.pem';
const KEY_FILE = 'server.key';
const CA_DAYS = 365;
const SERVER_DAYS = 90;
const RENEW_BEFORE_DAYS = 14;
const DAY_MS = 86_400_000;
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/**
 * The CA and the certificate for localhost that lie in `directory`, or undefined where something is missing, near its
 * end, or does not fit the rest, as after a start that died while it wrote them.
 */
export async function presentCertificate(
  directory: string,
  now: number,
): Promise<DevelopmentCertificate | undefined> {
  const caFile = join(directory, CA_FILE);
  const files = [caFile, join(directory, CERTIFICATE_FILE), join(directory, KEY_FILE)];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8'))).catch(() => undefined);
  if (texts === undefined) return undefined;
  const [ca, certificate, privateKey] = texts as [string, string, string];
  return stillGood(ca, certificate, privateKey, now) ? { caFile, certificate, privateKey } : undefined;
}

/** Makes both anew. */
export async function makeCertificate(
  directory: string,
  now: number,
  random: RandomBytes,
): Promise<DevelopmentCertificate> {
  const caFile = join(directory, CA_FILE);
  const certFile = join(directory, CERTIFICATE_FILE);
  const keyFile = join(directory, KEY_FILE);
  // Loaded only now: it is large, and needed once in a quarter.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const caKeys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']);
  const serverKeys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']);
  const validFrom = (days: number) => ({
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + days * DAY_MS),
  });
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial(random),
      name: 'CN=Countersign development CA',
      ...validFrom(CA_DAYS),
      signingAlgorithm: EC,
      keys: caKeys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        // RFC 5280 §4.2.1.1 and §4.2.1.2: strict clients (Python since 3.13) refuse certificates without them.
        await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const server = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial(random),
      subject: 'CN=localhost',
      issuer: ca.subject,
      ...validFrom(SERVER_DAYS),
      signingAlgorithm: EC,
      publicKey: serverKeys.publicKey,
      signingKey: caKeys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1']),
        await x509.SubjectKeyIdentifierExtension.create(serverKeys.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
      ],
    },
    webcrypto,
  );
  const privateKey = await toPem(serverKeys.privateKey);
  const certificate = server.toString('pem');
  // The CA's own key is never stored: a new server certificate comes with a new CA.
  await replaceFile(caFile, `${ca.toString('pem')}\n`, 0o644);
  await replaceFile(keyFile, privateKey, 0o600);
  await replaceFile(certFile, `${certificate}\n`, 0o644);
  return { caFile, certificate, privateKey };
}

function stillGood(ca: string, certificate: string, privateKey: string, now: number): boolean {
  try {
    const [issuer, server] = [new X509Certificate(ca), new X509Certificate(certificate)];
    return (
      [issuer, server].every(
        ({ validTo }) => new Date(validTo).getTime() - now > RENEW_BEFORE_DAYS * DAY_MS,
      ) &&
      server.verify(issuer.publicKey) &&
      server.checkPrivateKey(createPrivateKey(privateKey))
    );
  } catch {
    return false;
  }
}

function serial(random: RandomBytes): string {
  const bytes = Buffer.from(random(16));
  // RFC 5280 §4.1.2.2: positive.
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x01;
  return bytes.toString('hex');
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string;
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode, flush: true });
  await rename(`${path}.new`, path);
}
