import type { KeyObject } from 'node:crypto';
import type { KeyAlgorithm } from '../storage/signing-keys.ts';

/** A key that signs, wherever it lives. */
export interface SigningHandle {
  /** The JWS signature over `signingInput` (a byte a character), base64url; with HS256 the HMAC, which anybody with the key can make. */
  sign(signingInput: string): string;
  /** The signature over any bytes as it stands in a certificate: of ECDSA the DER of RFC 3279 §2.2.3. */
  signBytes(bytes: Uint8Array): Uint8Array;
}

/** Where private keys come from and where they rest: adapters in signers/. */
export interface Signer {
  /** A new key pair; `sealedPrivateKey` means something to this signer only. Rejects `KeyNotPrepared`. */
  generate(
    alg: KeyAlgorithm,
    kid: string,
  ): Promise<{
    readonly publicJwk: Readonly<Record<string, string>>;
    readonly sealedPrivateKey: string;
  }>;
  /** Throws when the key cannot be opened. */
  open(alg: KeyAlgorithm, kid: string, sealedPrivateKey: string): SigningHandle;
  /** The private key itself, for whoever takes it away from here. Throws when it cannot be opened, or does not leave where it is. */
  reveal(alg: KeyAlgorithm, kid: string, sealedPrivateKey: string): KeyObject;
  publicKey(publicJwk: Readonly<Record<string, string>>): KeyObject;
}

/**
 * A key that takes long to make was asked for and is not there. Making one inside a transaction would hold the database
 * up, making it at once would hold everybody up: it is made on another thread, and what needed it begins anew
 * (prepared-keys.ts).
 */
export class KeyNotPrepared extends Error {
  /** Resolves when there are keys to begin anew with. */
  readonly prepare: () => Promise<void>;
  constructor(prepare: () => Promise<void>) {
    super('the signing key is still being made');
    this.name = 'KeyNotPrepared';
    this.prepare = prepare;
  }
}
