// The verifier on Node's own cryptography: RFC 9068 §4.
import type { VerifierOptions } from './options.ts';
import { nodePlatform } from './platform/node.ts';
import { openVerifier, type Verifier } from './verifier.ts';

/**
 * Makes a verifier for one API. Nothing is fetched before `ready` or the first `verify`.
 * @throws VerifierOptionError · JwksError for a given key set that cannot be used
 */
export function createVerifier(options: VerifierOptions): Verifier {
  return openVerifier(options, nodePlatform);
}
