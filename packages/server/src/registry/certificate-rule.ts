import { createHash } from 'node:crypto';
import type { CredentialMaterial } from '../storage/credentials.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { keyOf, type Trust } from '../x509/path-validation.ts';
import { readPem } from '../x509/pem.ts';
import { isOf, revocationOf } from '../x509/revocation.ts';
import { parseRevocationList, type RevocationList } from '../x509/revocation-list.ts';
import { type SubjectMatch, subjectMatch } from '../x509/subject-match.ts';
import { RegistryRefusal } from './refusal.ts';

export type CertificateMaterial = Extract<CredentialMaterial, { type: 'tls_client_auth' }>;

/** Which certificates authenticate a client: RFC 8705 §2.1. */
export interface CertificateRule {
  readonly trust: Trust;
  readonly lists: readonly RevocationList[];
  readonly match: SubjectMatch;
}

const MOST_AUTHORITIES = 16;
const MOST_LISTS = 8;

/** Reads what a credential holds. Throws `RegistryRefusal` for what could never authenticate anybody. */
export function certificateRule({ field, value, ca, crl }: CertificateMaterial): CertificateRule {
  const subject = subjectMatch(field, value);
  if (!subject.ok) throw unacceptable(`/${field}`, subject.fault);
  const authorities = readAuthorities(ca);
  const lists = crl === undefined ? [] : readLists(crl, authorities);
  return { trust: { authorities, revocation: revocationOf(lists) }, lists, match: subject.match };
}

function readAuthorities(pem: string): readonly Certificate[] {
  const blocks = readPem(pem, 'CERTIFICATE');
  if (blocks === undefined || blocks.length === 0) throw unacceptable('/ca', 'must be PEM certificates');
  if (blocks.length > MOST_AUTHORITIES) {
    throw unacceptable('/ca', `must be at most ${MOST_AUTHORITIES} certificates`);
  }
  return blocks.map((der) => {
    const read = parseCertificate(der);
    if (!read.ok) throw unacceptable('/ca', `has a certificate that cannot be read: ${read.fault}`);
    // RFC 5280 §6.1.4 (k): whoever may issue certificates says so in its own.
    if (!read.certificate.ca)
      throw unacceptable('/ca', 'has a certificate that is not an authority’s (CA:true)');
    const key = keyOf(read.certificate);
    if (typeof key === 'string') throw unacceptable('/ca', `has an authority whose key is ${key}`);
    return read.certificate;
  });
}

function readLists(pem: string, authorities: readonly Certificate[]): readonly RevocationList[] {
  const blocks = readPem(pem, 'X509 CRL');
  if (blocks === undefined || blocks.length === 0) throw unacceptable('/crl', 'must be PEM (X509 CRL)');
  if (blocks.length > MOST_LISTS) throw unacceptable('/crl', `must be at most ${MOST_LISTS} lists`);
  return blocks.map((der) => {
    const read = parseRevocationList(der);
    if (!read.ok) throw unacceptable('/crl', `has a list that cannot be used: ${read.fault}`);
    const { list } = read;
    const named = authorities.filter(({ subject }) => subject.key === list.issuer.key);
    // A list of an authority below those in `ca` is checked when that one comes along with a certificate.
    if (named.length > 0 && !named.some((authority) => isOf(list, authority))) {
      throw unacceptable('/crl', 'has a list that the authority in ca did not sign');
    }
    return list;
  });
}

/** Lists that hold for no moment from `now` on (epoch ms) would refuse everybody. */
export function requireCurrent({ lists }: CertificateRule, now: number): void {
  if (lists.some(({ nextUpdate }) => nextUpdate < now)) {
    throw unacceptable('/crl', 'has a list that is outdated (nextUpdate)');
  }
}

/** A newer list takes the place of an older one, never the other way round: who was revoked stays so. */
export function requireNewer(before: CertificateRule, after: CertificateRule): void {
  const older = after.lists.some((list) =>
    before.lists.some((each) => each.issuer.key === list.issuer.key && each.thisUpdate > list.thisUpdate),
  );
  if (older) throw unacceptable('/crl', 'has a list that is older than the one that is here');
}

/** SHA-256 of each certificate or list, base64url: what they are called where their text would be too long. */
export function thumbprints(pem: string, label: 'CERTIFICATE' | 'X509 CRL'): string[] {
  return (readPem(pem, label) ?? []).map((der) => createHash('sha256').update(der).digest('base64url'));
}

function unacceptable(pointer: string, message: string): RegistryRefusal {
  return new RegistryRefusal('unacceptable_certificate', message, { pointer });
}
