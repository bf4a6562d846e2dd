// What a client proves itself with, read once: RFC 6749 §2.3.1, RFC 7523 §2, RFC 8705 §2.
import { ClientOptionError } from './errors.ts';
import type { ClientOptions } from './options.ts';
import { type Signer, signerOf } from './signing-key.ts';
import { isSubjectToken, type SubjectTokenSource } from './subject-token/source.ts';

export interface ProofSettings {
  /** Empty where there is a key or a certificate instead. */
  readonly clientSecret: string;
  readonly signer: Signer | undefined;
  readonly keyId: string | undefined;
  /** Undefined: the client proves itself. */
  readonly subjectToken: SubjectTokenSource | undefined;
}

/** One way to prove who asks, and no second beside it. @throws ClientOptionError */
export function readProof(options: ClientOptions): ProofSettings {
  const { subjectToken } = options;
  return subjectToken === undefined
    ? { ...readOwnProof(options), subjectToken }
    : { ...NO_PROOF, subjectToken: readSource(subjectToken, options) };
}

const NO_PROOF = { clientSecret: '', signer: undefined, keyId: undefined };

/** The value is not repeated in errors: it would end up in a log. */
function readSource(subjectToken: unknown, options: ClientOptions): SubjectTokenSource {
  for (const name of ['clientSecret', 'privateKey', 'keyId', 'clientAuthMethod'] as const) {
    if (options[name] === undefined) continue;
    throw new ClientOptionError('bad_option', 'subjectToken', `takes the place of ${name}: give one of them`);
  }
  // RFC 8705 §2: beside a certificate the client_id asks for a proof by that certificate.
  if (options.clientId !== undefined && options.certificate !== undefined) {
    throw new ClientOptionError('bad_option', 'clientId', 'leave it out beside subjectToken and certificate');
  }
  if (typeof subjectToken === 'function') return subjectToken as SubjectTokenSource;
  if (typeof subjectToken === 'string' && isSubjectToken(subjectToken.trim())) return () => subjectToken;
  throw new ClientOptionError('bad_option', 'subjectToken', 'give the token as text, or a function for it');
}

/** Values are not repeated in errors: they would end up in a log. */
function readOwnProof({
  clientSecret,
  privateKey,
  keyId,
  clientAuthMethod,
  certificate,
}: ClientOptions): Omit<ProofSettings, 'subjectToken'> {
  if (privateKey === undefined && clientSecret === undefined && certificate !== undefined) {
    if (clientAuthMethod !== undefined) {
      throw new ClientOptionError('bad_option', 'clientAuthMethod', 'is for a clientSecret');
    }
    return NO_PROOF;
  }
  if (privateKey === undefined) {
    if (typeof clientSecret !== 'string' || clientSecret === '') {
      throw new ClientOptionError(
        'missing_option',
        'clientSecret',
        'give it as text, or a privateKey or certificate',
      );
    }
    // RFC 6749 appendix A.2.
    if (!/^[\x20-\x7e]+$/.test(clientSecret)) {
      throw new ClientOptionError(
        'bad_option',
        'clientSecret',
        'has characters that no secret has; a line end perhaps',
      );
    }
    return { clientSecret, signer: undefined, keyId: undefined };
  }
  if (clientSecret !== undefined || clientAuthMethod !== undefined) {
    throw new ClientOptionError(
      'bad_option',
      'privateKey',
      'takes the place of clientSecret: give one of them',
    );
  }
  const signer = signerOf(privateKey);
  if (signer === undefined) {
    throw new ClientOptionError(
      'bad_option',
      'privateKey',
      'give a private key for P-256, P-384, Ed25519 or RSA from 2048 bits, as KeyObject, CryptoKey, JWK or PEM',
    );
  }
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '')) {
    throw new ClientOptionError('bad_option', 'keyId', 'give it as text');
  }
  return { clientSecret: '', signer, keyId };
}
