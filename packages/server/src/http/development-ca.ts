import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RandomBytes } from '../ids.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  signCertificate,
  subjectAltName,
  subjectKeyIdentifier,
} from './certificate.ts';

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
const CA_NAME = 'Countersign development CA';
const [DIGITAL_SIGNATURE, KEY_CERT_SIGN, CRL_SIGN] = [0, 5, 6] as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const LOOPBACK = [Uint8Array.of(127, 0, 0, 1), Uint8Array.of(...Array<number>(15).fill(0), 1)];

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
  const caKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serverKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ca = signCertificate(
    {
      serialNumber: serial(random),
      issuer: CA_NAME,
      subject: CA_NAME,
      ...valid(now, CA_DAYS),
      publicKey: caKeys.publicKey,
      extensions: [
        basicConstraints(true),
        keyUsage(KEY_CERT_SIGN, CRL_SIGN),
        // RFC 5280 §4.2.1.1 and §4.2.1.2: strict clients (Python since 3.13) refuse certificates without them.
        subjectKeyIdentifier(caKeys.publicKey),
      ],
    },
    caKeys.privateKey,
  );
  const certificate = signCertificate(
    {
      serialNumber: serial(random),
      issuer: CA_NAME,
      subject: 'localhost',
      ...valid(now, SERVER_DAYS),
      publicKey: serverKeys.publicKey,
      extensions: [
        basicConstraints(false),
        keyUsage(DIGITAL_SIGNATURE),
        extendedKeyUsage(SERVER_AUTH),
        subjectKeyIdentifier(serverKeys.publicKey),
        authorityKeyIdentifier(caKeys.publicKey),
        subjectAltName(['localhost'], LOOPBACK),
      ],
    },
    caKeys.privateKey,
  );
  const privateKey = serverKeys.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  // The CA's own key is never stored: a new server certificate comes with a new CA. In any order: what does not fit
  // together after a crash is not taken.
  await Promise.all([
    replaceFile(caFile, `${ca}\n`, 0o644),
    replaceFile(join(directory, KEY_FILE), privateKey, 0o600),
    replaceFile(join(directory, CERTIFICATE_FILE), `${certificate}\n`, 0o644),
  ]);
  return { caFile, certificate, privateKey };
}

function valid(now: number, days: number): { readonly notBefore: number; readonly notAfter: number } {
  return { notBefore: now - 60_000, notAfter: now + days * DAY_MS };
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

function serial(random: RandomBytes): Uint8Array {
  const bytes = Uint8Array.from(random(16));
  // RFC 5280 §4.1.2.2: positive.
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x01;
  return bytes;
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode, flush: true });
  await rename(`${path}.new`, path);
}
