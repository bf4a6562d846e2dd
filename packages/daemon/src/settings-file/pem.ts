// Whether files for TLS hold what they are named for: PEM, RFC 7468. A problem goes on from the name of the file: `is empty`.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** OpenSSL knows them by three names. */
const IS_CERTIFICATE = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

/** Every one of them is read: OpenSSL leaves out, without a word, those behind one that it cannot read. */
export function problemOfCertificates(text: string): string | undefined {
  const all = text.split(/(?=-----BEGIN )/).filter((block) => IS_CERTIFICATE.test(block));
  if (all.length === 0) return 'holds no certificate in PEM';
  const wrong = all.findIndex((block) => !isReadable(block));
  return wrong === -1 ? undefined : `holds a certificate that cannot be read (number ${wrong + 1})`;
}

function isReadable(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).raw.length > 0;
  } catch {
    return false;
  }
}

/** @param certificates such as have no problem */
export function problemOfKey(
  text: string,
  certificates: { readonly path: string; readonly text: string },
): string | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    return text.includes('ENCRYPTED')
      ? 'holds a private key under a passphrase: write it without one'
      : 'holds no private key in PEM';
  }
  if (!new X509Certificate(certificates.text).checkPrivateKey(key)) {
    return `is not the key of the certificate in ${certificates.path}`;
  }
  try {
    createSecureContext({ cert: certificates.text, key: text });
  } catch (error) {
    return `cannot be used for TLS with the certificate in ${certificates.path} (${(error as NodeJS.ErrnoException).code})`;
  }
  return undefined;
}
