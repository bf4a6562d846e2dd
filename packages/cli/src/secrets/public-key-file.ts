import { createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from 'node:crypto';
import { usageError } from '../failure.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/**
 * A public key as a JSON Web Key, from the text of a file that holds one as JWK, as PEM, or in a PEM certificate, whose
 * SHA-256 then goes with it as `x5t#S256`. What is in it beside a JWK is for the authority to judge; a private key is
 * refused here, so that it never leaves the machine.
 * @throws CommandFailure `usage`
 */
export function readPublicKey(text: string, file: string): unknown {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw holdsPrivateKey(file);
  if (text.includes('-----BEGIN CERTIFICATE-----')) return fromCertificate(text, file);
  if (text.includes('-----BEGIN PUBLIC KEY-----')) return fromPem(text, file);
  const jwk = parseJson(text, file);
  if (typeof jwk === 'object' && jwk !== null && PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    throw holdsPrivateKey(file);
  }
  return jwk;
}

function fromCertificate(text: string, file: string): JsonWebKey {
  try {
    const { publicKey, fingerprint256 } = new X509Certificate(text);
    const digest = Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
    return { ...jwkOf(publicKey), 'x5t#S256': digest };
  } catch {
    throw usageError(`${file} holds no certificate that can be read.`);
  }
}

function fromPem(text: string, file: string): JsonWebKey {
  try {
    return jwkOf(createPublicKey(text));
  } catch {
    throw usageError(`${file} holds no public key that can be read.`);
  }
}

/**
 * Throws for what is no key. Node 20 ends its process when it is asked for the JWK of an EC key that is the point at infinity;
 * as DER that is an error like others.
 */
function jwkOf(key: KeyObject): JsonWebKey {
  key.export({ format: 'der', type: 'spki' });
  return key.export({ format: 'jwk' });
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError(`${file} is neither JSON nor PEM.`);
  }
}

function holdsPrivateKey(file: string): Error {
  return usageError(
    `${file} holds a private key, which nobody but its client may have.`,
    `Give the public one: openssl pkey -in ${file} -pubout -out public.pem`,
  );
}
