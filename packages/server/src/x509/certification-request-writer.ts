// Certification requests (PKCS #10) of an authority: RFC 2986 §4, with the extensions that it asks for (RFC 2985 §5.4.2), so that
// whoever signs it with openssl has but to copy them.
import { type CertificateSigner, signedBy } from './certificate-writer.ts';
import { objectIdentifier, sequence, setOfOne, smallInteger, tagged } from './der-writer.ts';

export interface RequestContent {
  /** DER of the name. */
  readonly subject: Uint8Array;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** The DER of the request; `signer` has the key in it. */
export function writeCertificationRequest(content: RequestContent, signer: CertificateSigner): Uint8Array {
  const { subject, publicKey, extensions } = content;
  const attribute = sequence(objectIdentifier(EXTENSION_REQUEST), setOfOne(sequence(...extensions)));
  // Version 1, which is written 0.
  return signedBy(signer, sequence(smallInteger(0), subject, publicKey, tagged(0, attribute)));
}
