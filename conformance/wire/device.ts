import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import type { ShownCertificate } from './certificates.ts';

/** A key on P-256, as a device makes it for itself. */
export function deviceKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** RFC 2986 section 4, for a key on P-256: version, an empty name, the key, no attributes; ecdsa-with-SHA256. PEM. */
export function requestOf(key: KeyObject, change: { readonly signedBy?: KeyObject } = {}): string {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const info = element(0x30, Buffer.from('0201003000', 'hex'), spki, Buffer.from('a000', 'hex'));
  const signature = sign('sha256', info, change.signedBy ?? key);
  const algorithm = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const der = element(0x30, info, algorithm, element(0x03, Buffer.of(0), signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

/** What a machine shows that has this certificate (PEM, with those above it) for this key. */
export function shownBy(cert: string, key: KeyObject): ShownCertificate {
  const der = new X509Certificate(cert).raw;
  const pem = key.export({ format: 'pem', type: 'pkcs8' }) as string;
  return { cert, key: pem, der, thumbprint: createHash('sha256').update(der).digest('base64url') };
}

/** Does `work` for each, so many at a time. */
export async function forEach<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await work(items[index] as T, index);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
