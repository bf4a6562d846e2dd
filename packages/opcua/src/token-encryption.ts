// How a token is encrypted for a server: the legacy token secret of OPC 10000-4 §7.40.2.2, which is what implementations exchange
// where keys are RSA. Its blocks and algorithms are those of the security policy (OPC 10000-7).
import { constants, type KeyObject, publicEncrypt, timingSafeEqual } from 'node:crypto';

export interface TokenEncryption {
  /** `encryptionAlgorithm` of the identity token. */
  readonly algorithm: string;
  readonly oaepHash: 'sha1' | 'sha256';
  /** Bytes of a block that are padding. */
  readonly padding: number;
}

const OAEP_SHA1: TokenEncryption = {
  algorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep',
  oaepHash: 'sha1',
  padding: 42,
};

/** By security policy. Those with PKCS #1 v1.5 or SHA-1 signatures are withdrawn; those of elliptic curves have another format. */
export const TOKEN_ENCRYPTIONS: { readonly [securityPolicyUri: string]: TokenEncryption | undefined } = {
  'http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256': OAEP_SHA1,
  'http://opcfoundation.org/UA/SecurityPolicy#Aes128_Sha256_RsaOaep': OAEP_SHA1,
  'http://opcfoundation.org/UA/SecurityPolicy#Aes256_Sha256_RsaPss': {
    algorithm: 'http://opcfoundation.org/UA/security/rsa-oaep-sha2-256',
    oaepHash: 'sha256',
    padding: 66,
  },
};

const LENGTH_BYTES = 4;

/** What is encrypted: the length of the rest, the token, the server's last nonce. */
export function packSecret(token: Uint8Array, nonce: Uint8Array): Buffer {
  const packed = Buffer.alloc(LENGTH_BYTES + token.length + nonce.length);
  packed.writeUInt32LE(token.length + nonce.length, 0);
  packed.set(token, LENGTH_BYTES);
  packed.set(nonce, LENGTH_BYTES + token.length);
  return packed;
}

/** The token that was packed with exactly this nonce; undefined for anything else. */
export function unpackSecret(packed: Buffer, nonce: Buffer): Buffer | undefined {
  if (nonce.length === 0 || packed.length < LENGTH_BYTES + nonce.length) return undefined;
  const end = LENGTH_BYTES + packed.readUInt32LE(0);
  const tokenEnd = end - nonce.length;
  if (end !== packed.length || tokenEnd <= LENGTH_BYTES) return undefined;
  if (!timingSafeEqual(packed.subarray(tokenEnd, end), nonce)) return undefined;
  return packed.subarray(LENGTH_BYTES, tokenEnd);
}

/** Encrypts block by block with the key of the server's certificate. */
export function encryptSecret(
  packed: Buffer,
  key: KeyObject,
  { oaepHash, padding }: TokenEncryption,
): Buffer {
  const modulus = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const room = modulus - padding;
  if (!(room > 0))
    throw new TypeError('the certificate of the server has no RSA key to encrypt a token with');
  const blocks: Buffer[] = [];
  for (let at = 0; at < packed.length; at += room) {
    const block = packed.subarray(at, at + room);
    blocks.push(publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, block));
  }
  return Buffer.concat(blocks);
}
