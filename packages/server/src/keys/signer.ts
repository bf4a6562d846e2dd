import type { KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '../storage/resource-servers.ts';

/** A key that signs, wherever it lives. */
export interface SigningHandle {
  /** The JWS signature over `signingInput` (ASCII), base64url. */
  sign(signingInput: string): string;
}

/** Where private keys come from and where they rest: adapters in signers/. */
export interface Signer {
  /** A new key pair; `sealedPrivateKey` means something to this signer only. */
  generate(
    alg: SigningAlgorithm,
    kid: string,
  ): Promise<{
    readonly publicJwk: Readonly<Record<string, string>>;
    readonly sealedPrivateKey: string;
  }>;
  /** Throws when the key cannot be opened. */
  open(alg: SigningAlgorithm, kid: string, sealedPrivateKey: string): SigningHandle;
  publicKey(publicJwk: Readonly<Record<string, string>>): KeyObject;
}
