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
  /** Of the built-in authority: whether just this one counts no more. */
  readonly isRevoked: (leaf: Certificate) => boolean;
}

const MOST_AUTHORITIES = 16;
const MOST_LISTS = 8;

/** In place of authorities: this deployment's own. */
export const BUILT_IN_CA = 'built-in';

/** For a credential of the deployment's own authority: which one that is now, and the credential's id, which its certificates name. */
export interface BuiltInRule {
  readonly trust: Trust;
  readonly credentialId: string;
}

const NO_TRUST: Trust = { authorities: [], revocation: undefined };

/** Reads what a credential holds. Throws `RegistryRefusal` for what could never authenticate anybody. */
export function certificateRule(
  { field, value, ca, crl, revoked = [] }: CertificateMaterial,
  builtIn?: BuiltInRule,
): CertificateRule {
  const subject = subjectMatch(field, value);
  if (!subject.ok) throw unacceptable(`/${field}`, subject.fault);
  if (ca === BUILT_IN_CA) {
    if (field !== 'san_uri')
      throw unacceptable(`/${field}`, 'must be san_uri: what the built-in authority certifies');
    if (crl !== undefined) throw unacceptable('/crl', 'is kept by the built-in authority itself');
    const gone = new Set(revoked.map(({ serialNumber }) => serialNumber));
    return {
      trust: builtIn?.trust ?? NO_TRUST,
      lists: [],
      match: (leaf) => subject.match(leaf) && isOfCredential(leaf, builtIn?.credentialId),
      isRevoked: ({ serialNumber }) => gone.has(serialNumber),
    };
  }
  const authorities = readAuthorities(ca);
  const lists = crl === undefined ? [] : readLists(crl, authorities);
  return {
    trust: { authorities, revocation: revocationOf(lists) },
    lists,
    match: subject.match,
    isRevoked: () => false,
  };
}

/** RFC 3739 §3.1.2: the serialNumber of the subject, written there by this authority alone. */
function isOfCredential({ subject }: Certificate, credentialId: string | undefined): boolean {
  const named = subject.attributes.filter(({ type }) => type === SERIAL_NUMBER);
  return named.length === 1 && credentialId !== undefined && named[0]?.text === credentialId;
}

const SERIAL_NUMBER = '2.5.4.5';

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
