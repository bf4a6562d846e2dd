// Certificate revocation lists: RFC 5280 §5. Complete ones of the authority that issued the certificates; not deltas, not
// indirect ones, none that speaks of a part only: such a list would say "not revoked" of what it does not cover. One part
// is taken: all certificates that are not authorities'.
import { readSerialNumber, readSigned, requireSameAlgorithm, type Signed } from './certificate.ts';
import {
  context,
  DerError,
  DerReader,
  onlyElement,
  readInteger,
  readSmallInteger,
  readTime,
  TAG,
} from './der.ts';
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.ts';
import { hex, readRawExtensions } from './extensions.ts';

export interface RevocationList extends Pick<Signed, 'signatureAlgorithm' | 'signature'> {
  readonly der: Uint8Array;
  readonly tbsBytes: Uint8Array;
  readonly issuer: DistinguishedName;
  /** Epoch milliseconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** RFC 5280 §5.2.3, if it has one. */
  readonly number: bigint | undefined;
  readonly authorityKeyIdentifier: string | undefined;
  /** It says nothing of authorities (RFC 5280 §5.2.5, onlyContainsUserCerts). */
  readonly usersOnly: boolean;
  /** Serial numbers, hexadecimal as in certificates. */
  readonly revoked: ReadonlySet<string>;
}

export type RevocationListReading =
  | { readonly ok: true; readonly list: RevocationList }
  /** A few words for operators. */
  | { readonly ok: false; readonly fault: string };

/** Some 20,000 entries. */
export const MAX_REVOCATION_LIST_BYTES: number = 768 * 1024;

/** Reads one list, and nothing may follow it. Never throws. */
export function parseRevocationList(der: Uint8Array): RevocationListReading {
  try {
    if (der.length > MAX_REVOCATION_LIST_BYTES) throw new DerError('too large');
    return { ok: true, list: readList(der) };
  } catch (error) {
    if (error instanceof DerError) return { ok: false, fault: error.message };
    throw error;
  }
}

function readList(der: Uint8Array): RevocationList {
  const signed = readSigned(der);
  const fields = new DerReader(signed.tbs.content);
  const version = fields.optional(TAG.integer);
  if (version !== undefined && readSmallInteger(version) !== 1)
    throw new DerError('a version that is not known');
  requireSameAlgorithm(fields.next(TAG.sequence), signed.algorithmBytes);
  const issuer = readDistinguishedName(fields.inside(TAG.sequence));
  if (issuer.rdns.length === 0) throw new DerError('no issuer');
  const thisUpdate = readTime(fields.next());
  // RFC 5280 §5.1.2.5: required. A list without an end would be believed for ever.
  if (fields.nextTag !== TAG.utcTime && fields.nextTag !== TAG.generalizedTime) {
    throw new DerError('a list without nextUpdate');
  }
  const nextUpdate = readTime(fields.next());
  const entries = fields.optional(TAG.sequence);
  const revoked = entries === undefined ? new Set<string>() : readEntries(new DerReader(entries.content));
  const extensions = fields.optional(context(0, true));
  fields.end();
  // RFC 5280 §5.1.2.1.
  if (extensions !== undefined && version === undefined) throw new DerError('extensions need version 2');
  return {
    der,
    tbsBytes: signed.tbs.whole,
    signatureAlgorithm: signed.signatureAlgorithm,
    signature: signed.signature,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked,
    ...(extensions === undefined
      ? { number: undefined, authorityKeyIdentifier: undefined, usersOnly: false }
      : readAbout(extensions.content)),
  };
}

function readEntries(entries: DerReader): ReadonlySet<string> {
  const revoked = new Set<string>();
  while (!entries.ended) {
    const entry = entries.inside(TAG.sequence);
    revoked.add(readSerialNumber(entry.next(TAG.integer)));
    readTime(entry.next());
    const extensions = entry.optional(TAG.sequence);
    entry.end();
    if (extensions === undefined) continue;
    // RFC 5280 §5.3: among the critical ones is certificateIssuer, by which the entry is about another authority's.
    if (readRawExtensions(new DerReader(extensions.content)).some(({ critical }) => critical)) {
      throw new DerError('an entry with a critical extension');
    }
  }
  return revoked;
}

function readAbout(
  tagged: Uint8Array,
): Pick<RevocationList, 'number' | 'authorityKeyIdentifier' | 'usersOnly'> {
  let usersOnly = false;
  let number: bigint | undefined;
  let authorityKeyIdentifier: string | undefined;
  for (const { id, critical, value } of readRawExtensions(
    new DerReader(onlyElement(tagged, TAG.sequence).content),
  )) {
    if (id === '2.5.29.20') number = BigInt(`0x${hex(readInteger(onlyElement(value, TAG.integer)))}`);
    else if (id === '2.5.29.35') {
      const key = new DerReader(onlyElement(value, TAG.sequence).content).optional(context(0, false));
      authorityKeyIdentifier = key === undefined ? undefined : hex(key.content);
    } else if (id === '2.5.29.27') throw new DerError('a delta list');
    // issuingDistributionPoint: critical, says RFC 5280 §5.2.5; one that is not says the same.
    else if (id === '2.5.29.28') {
      if (Buffer.from(value).toString('hex') !== USERS_ONLY)
        throw new DerError('a list that does not cover everything');
      usersOnly = true;
    } else if (critical) throw new DerError('a list with a critical extension: it does not cover everything');
  }
  return { number, authorityKeyIdentifier, usersOnly };
}

/** IssuingDistributionPoint with onlyContainsUserCerts and nothing else. */
const USERS_ONLY = '30038101ff';
