// COSE_Sign1: RFC 9052 §4.2 and §4.4, with the signatures of RFC 9053 §2.
import { type KeyObject, verify } from 'node:crypto';
import { SIGNATURE_ALGORITHMS } from './cose-algorithm.ts';
import { algorithmOf, type CoseMessage, coseStructure, HEADER, writeCose } from './cose-message.ts';
import { encodeCbor } from './strict-cbor.ts';

/** A public key and the one algorithm it is for (RFC 8725 §3.1 says it for JOSE). */
export interface CoseVerificationKey {
  readonly alg: number;
  readonly key: KeyObject;
}

/** True when `key` made the signature. Never throws. */
export function verifySign1(
  message: CoseMessage,
  { alg, key }: CoseVerificationKey,
  externalAad?: Uint8Array,
): boolean {
  const algorithm = SIGNATURE_ALGORITHMS.get(alg);
  if (algorithm === undefined || message.kind !== 'sign1' || algorithmOf(message) !== alg) return false;
  if (algorithm.length !== undefined && message.seal.length !== algorithm.length) return false;
  const input = coseStructure(message, externalAad);
  try {
    return verify(algorithm.hash, input, { key, dsaEncoding: 'ieee-p1363' }, message.seal);
  } catch {
    return false;
  }
}

/** What is to be signed for a token: algorithm and key id under the signature, nothing beside it. */
export interface Sign1Draft {
  /** Sig_structure. */
  readonly toBeSigned: Uint8Array;
  /** The whole message around a signature (r‖s for ECDSA). */
  finish(signature: Uint8Array): Uint8Array;
}

export function draftSign1(alg: number, kid: string, payload: Uint8Array): Sign1Draft {
  const headers = new Map<number, number | Uint8Array>([
    [HEADER.alg, alg],
    [HEADER.kid, new TextEncoder().encode(kid)],
  ]);
  const protectedBytes = encodeCbor(headers);
  const message = {
    kind: 'sign1',
    protectedBytes,
    unprotected: new Map<number, never>(),
    body: payload,
  } as const;
  return {
    toBeSigned: coseStructure(message),
    finish: (signature) => writeCose({ ...message, seal: signature }),
  };
}
