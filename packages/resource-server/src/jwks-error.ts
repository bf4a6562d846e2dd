// What is wrong with a key set, and how large one may be: RFC 7517 §5.

export const MAX_JWKS_BYTES = 262_144;

/** The set could not be used. */
export class JwksError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JwksError';
  }
}
