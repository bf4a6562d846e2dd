// A private key under a passphrase: EncryptedPrivateKeyInfo (RFC 5958 §3) with PBES2 (RFC 8018 §6.2). Written here, because the platform
// stretches a passphrase no more than 2,048 times; `openssl pkey` and `createPrivateKey` read it.
import { createCipheriv, type KeyObject, pbkdf2Sync } from 'node:crypto';
import { element, objectIdentifier, octetString, sequence, smallInteger } from './der-writer.ts';
import { TAG } from './der.ts';
import { writePem } from './pem.ts';

/** OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA256; NIST SP 800-132 §5.2 asks for as many as can be borne. */
export const ITERATIONS = 600_000;
/** RFC 8018 §4.1 wants at least 8. */
export const SALT_BYTES = 16;
export const IV_BYTES = 16;

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const HMAC_SHA256 = '1.2.840.113549.2.9';
const AES_256_CBC = '2.16.840.1.101.3.4.1.42';

/** PEM, `ENCRYPTED PRIVATE KEY`. `salt` and `iv` are random, `SALT_BYTES` and `IV_BYTES` long, and of one use. Takes some 0.2 s of CPU time. */
export function encryptPrivateKey(
  key: KeyObject,
  passphrase: string,
  { salt, iv }: { readonly salt: Uint8Array; readonly iv: Uint8Array },
): string {
  const plain = key.export({ format: 'der', type: 'pkcs8' });
  const stretched = pbkdf2Sync(passphrase, salt, ITERATIONS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', stretched, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  plain.fill(0);
  stretched.fill(0);
  const prf = sequence(objectIdentifier(HMAC_SHA256), element(TAG.null, new Uint8Array()));
  const derivation = sequence(
    objectIdentifier(PBKDF2),
    sequence(octetString(salt), smallInteger(ITERATIONS), prf),
  );
  const scheme = sequence(objectIdentifier(AES_256_CBC), octetString(iv));
  const algorithm = sequence(objectIdentifier(PBES2), sequence(derivation, scheme));
  return writePem(sequence(algorithm, octetString(encrypted)), 'ENCRYPTED PRIVATE KEY');
}
