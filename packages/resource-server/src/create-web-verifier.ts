// The verifier on Web Crypto: RFC 9068 §4.
import type { VerifierOptions } from './options.ts';
import { webPlatform } from './platform/web.ts';
import { openVerifier, type Verifier } from './verifier.ts';

/**
 * Makes a verifier for one API. Nothing is fetched before `ready` or the first `verify`.
 * @throws VerifierOptionError, for `certificateHeader` too, which only Node can read · JwksError for a given key set that
 * cannot be used
 */
export function createVerifier(options: VerifierOptions): Verifier {
  return openVerifier(options, webPlatform);
}
