// Revocation lists as this authority makes them: complete, version 2, RFC 5280 §5.1.
import { type CertificateSigner, extension, signatureAlgorithm, signedBy } from './certificate-writer.ts';
import { enumerated, implicit, integer, sequence, smallInteger, tagged, time } from './der-writer.ts';

/** RFC 5280 §5.3.1; `unspecified` is left out of a list, as it says. */
export const REVOCATION_REASONS = {
  unspecified: 0,
  key_compromise: 1,
  affiliation_changed: 3,
  superseded: 4,
  cessation_of_operation: 5,
  certificate_hold: 6,
} as const;
export type RevocationReason = keyof typeof REVOCATION_REASONS;

export interface RevokedEntry {
  /** Hexadecimal, as in the certificate. */
  readonly serialNumber: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly reason: RevocationReason;
}

export interface RevocationListContent {
  /** DER of the issuer's name, as in its certificate. */
  readonly issuer: Uint8Array;
  readonly keyIdentifier: Uint8Array;
  /** RFC 5280 §5.2.3: higher with each list. */
  readonly number: number;
  /** Epoch milliseconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly entries: readonly RevokedEntry[];
}

/** The DER of the list. */
export function writeRevocationList(content: RevocationListContent, signer: CertificateSigner): Uint8Array {
  const entries = content.entries.map(writeEntry);
  const tbs = sequence(
    smallInteger(1),
    signatureAlgorithm(signer),
    content.issuer,
    time(content.thisUpdate),
    time(content.nextUpdate),
    // RFC 5280 §5.1.2.6: absent where nobody is revoked.
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    tagged(
      0,
      sequence(
        extension('2.5.29.35', sequence(implicit(0, content.keyIdentifier)), false),
        extension('2.5.29.20', smallInteger(content.number), false),
        // RFC 5280 §5.2.5: onlyContainsUserCerts. Without a place of its own: certificates without a distribution point are in it, too.
        extension('2.5.29.28', sequence(implicit(1, Uint8Array.of(0xff))), true),
      ),
    ),
  );
  return signedBy(signer, tbs);
}

function writeEntry({ serialNumber, at, reason }: RevokedEntry): Uint8Array {
  const code = REVOCATION_REASONS[reason];
  return sequence(
    integer(Buffer.from(serialNumber, 'hex')),
    time(at),
    ...(code === 0 ? [] : [sequence(extension('2.5.29.21', enumerated(code), false))]),
  );
}
