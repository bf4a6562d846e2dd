// COSE_Encrypt0: RFC 9052 §5.2 and §5.3, with the ciphers of RFC 9053 §4.
import { type CipherCCMTypes, type CipherGCMTypes, createDecipheriv } from 'node:crypto';
import { CONTENT_ALGORITHMS } from './cose-algorithm.ts';
import { algorithmOf, type CoseMessage, coseStructure, HEADER, isBytes } from './cose-message.ts';
import type { CoseSecretKey } from './mac0.ts';

/** The plaintext; undefined when `key` did not seal it. Never throws. */
export function openEncrypt0(
  message: CoseMessage,
  { alg, key }: CoseSecretKey,
  externalAad?: Uint8Array,
): Uint8Array | undefined {
  const algorithm = CONTENT_ALGORITHMS.get(alg);
  if (algorithm === undefined || message.kind !== 'encrypt0' || algorithmOf(message) !== alg)
    return undefined;
  const { cipher, keyBytes, nonceBytes, tagBytes } = algorithm;
  const nonce = message.protected.get(HEADER.iv) ?? message.unprotected.get(HEADER.iv);
  if (!isBytes(nonce) || nonce.length !== nonceBytes || key.length !== keyBytes) return undefined;
  const sealed = message.body;
  if (sealed.length < tagBytes) return undefined;
  const text = sealed.subarray(0, sealed.length - tagBytes);
  // The same call for both families: CCM needs the length of the text beforehand, GCM does not mind.
  const options = { authTagLength: tagBytes };
  const decipher = createDecipheriv(cipher as CipherCCMTypes & CipherGCMTypes, key, nonce, options);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  decipher.setAAD(coseStructure(message, externalAad), { plaintextLength: text.length });
  try {
    return Buffer.concat([decipher.update(text), decipher.final()]);
  } catch {
    return undefined;
  }
}
