import type { ChangeEvent } from '../audit/change.ts';
import type { Clock } from '../clock.ts';
import { newId, type RandomBytes } from '../ids.ts';
import type { Signer, SigningHandle } from '../keys/signer.ts';
import type {
  CertificateAlgorithm,
  CertificateAuthorityRecord,
  CertificateAuthorityRole,
} from '../storage/certificate-authorities.ts';
import { certificateOf } from '../x509/certificate.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  type CertificateSigner,
  identifierOf,
  keyIdentifierOf,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
  writeCertificate,
  writeName,
} from '../x509/certificate-writer.ts';
import { writeCertificationRequest } from '../x509/certification-request-writer.ts';
import { readPem, writePem } from '../x509/pem.ts';

export interface MakeAuthorityDeps {
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly trustDomain: string;
}

export type Tell = (event: ChangeEvent) => void;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A root is replaced by hand: long enough that nobody has to hurry. */
const ROOT_MS = 3653 * DAY_MS;
/** As long as an issuing one may go on where the root's key is elsewhere and nobody comes with it. */
export const ISSUING_MS: number = 365 * DAY_MS;
/** Clocks of those who check may be a little behind. */
export const BACKDATE_MS: number = 5 * MINUTE_MS;

/** The DER of the one certificate, or of the first, of a PEM that was written here or checked when it was taken. */
export function derOf(pem: string): Uint8Array {
  const [first] = readPem(pem, 'CERTIFICATE') ?? [];
  if (first === undefined) throw new TypeError('an authority without a certificate');
  return first;
}

/** A key pair for an authority, as its record; it has no certificate yet. */
export async function pendingAuthority(
  deps: MakeAuthorityDeps,
  role: CertificateAuthorityRole,
  alg: CertificateAlgorithm,
): Promise<CertificateAuthorityRecord> {
  const now = deps.clock.now();
  const id = newId('cau', deps.random);
  const { publicJwk, sealedPrivateKey } = await deps.signer.generate(alg, id);
  return {
    id,
    role,
    state: 'pending',
    alg,
    publicJwk,
    request: undefined,
    certificate: undefined,
    above: '',
    sealedPrivateKey,
    createdAt: now,
    notAfter: undefined,
    updatedAt: now,
    version: 1,
  };
}

/** Opens the key of one that has it here. Throws where it has not. */
export function openAuthority(
  signer: Pick<Signer, 'open'>,
  { alg, id, sealedPrivateKey }: CertificateAuthorityRecord,
): CertificateSigner {
  if (sealedPrivateKey === undefined) throw new TypeError(`the key of ${id} is not here`);
  const handle: SigningHandle = signer.open(alg, id, sealedPrivateKey);
  return { alg, signBytes: (bytes) => handle.signBytes(bytes) };
}

/** The record of an issuing authority, with the request by which somebody else is asked for its certificate. */
export async function askingAuthority(
  deps: MakeAuthorityDeps,
  alg: CertificateAlgorithm,
): Promise<CertificateAuthorityRecord> {
  const pending = await pendingAuthority(deps, 'issuing', alg);
  const publicKey = spkiOf(deps.signer, pending);
  const content = {
    subject: nameOf(deps, 'issuing', pending),
    publicKey,
    extensions: authorityExtensions(publicKey, 0, [], [`spiffe://${deps.trustDomain}`]),
  };
  const der = writeCertificationRequest(content, openAuthority(deps.signer, pending));
  return { ...pending, request: writePem(der, 'CERTIFICATE REQUEST') };
}

/** The record, with a certificate that it has from itself. */
export function asRoot(
  deps: MakeAuthorityDeps,
  pending: CertificateAuthorityRecord,
): CertificateAuthorityRecord {
  const subject = nameOf(deps, 'root', pending);
  return certified(deps, pending, {
    issuer: subject,
    subject,
    // One more authority may follow, which may be followed by none.
    pathLength: 1,
    notAfter: pending.createdAt + ROOT_MS,
    extensions: [],
    signer: openAuthority(deps.signer, pending),
    above: '',
  });
}

/** The record, with a certificate from this root. */
export function belowRoot(
  deps: MakeAuthorityDeps,
  pending: CertificateAuthorityRecord,
  root: CertificateAuthorityRecord,
): CertificateAuthorityRecord {
  const rootPem = root.certificate ?? '';
  const rootCertificate = certificateOf(derOf(rootPem));
  return certified(deps, pending, {
    issuer: rootCertificate.subjectBytes,
    subject: nameOf(deps, 'issuing', pending),
    pathLength: 0,
    notAfter: Math.min(pending.createdAt + ISSUING_MS, rootCertificate.notAfter),
    extensions: [authorityKeyIdentifier(identifierOf(rootCertificate.der))],
    signer: openAuthority(deps.signer, root),
    above: rootPem,
  });
}

interface Certifying {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly pathLength: number;
  readonly notAfter: number;
  readonly extensions: readonly Uint8Array[];
  readonly signer: CertificateSigner;
  readonly above: string;
}

function certified(
  deps: MakeAuthorityDeps,
  pending: CertificateAuthorityRecord,
  { issuer, subject, pathLength, notAfter, extensions, signer, above }: Certifying,
): CertificateAuthorityRecord {
  const publicKey = spkiOf(deps.signer, pending);
  const end = Math.floor(notAfter / 1000) * 1000;
  const der = writeCertificate(
    {
      serialNumber: newSerialNumber(deps.random),
      issuer,
      subject,
      notBefore: pending.createdAt - BACKDATE_MS,
      notAfter: end,
      publicKey,
      extensions: authorityExtensions(publicKey, pathLength, extensions, [`spiffe://${deps.trustDomain}`]),
    },
    signer,
  );
  return { ...pending, state: 'active', certificate: writePem(der, 'CERTIFICATE'), above, notAfter: end };
}

/** What certificates of authorities say. `uris`: X509-SVID.md §4.1, the ID of their trust domain. */
export function authorityExtensions(
  publicKey: Uint8Array,
  pathLength: number,
  more: readonly Uint8Array[],
  uris: readonly string[],
): readonly Uint8Array[] {
  return [
    basicConstraints(pathLength),
    keyUsage('keyCertSign', 'cRLSign'),
    subjectKeyIdentifier(keyIdentifierOf(publicKey)),
    ...more,
    ...(uris.length === 0 ? [] : [subjectAltName({ uris }, false)]),
  ];
}

export function spkiOf(
  signer: Pick<Signer, 'publicKey'>,
  { publicJwk }: Pick<CertificateAuthorityRecord, 'publicJwk'>,
): Uint8Array {
  return signer.publicKey(publicJwk).export({ format: 'der', type: 'spki' });
}

/** RFC 5280 §A.1: 64 characters at most. The id makes each one's name its own: paths are found by names. */
export function nameOf(
  { trustDomain }: Pick<MakeAuthorityDeps, 'trustDomain'>,
  role: CertificateAuthorityRole,
  { id }: Pick<CertificateAuthorityRecord, 'id'>,
): Uint8Array {
  return writeName({
    organization: trustDomain.slice(0, 64),
    commonName: `Countersign ${role} authority`,
    serialNumber: id,
  });
}

/** 128 random bits; RFC 5280 §4.1.2.2: positive, which the encoding sees to, and not zero. */
export function newSerialNumber(random: RandomBytes): Uint8Array {
  for (;;) {
    const bytes = Uint8Array.from(random(16));
    if (bytes.some((byte) => byte !== 0)) return bytes;
  }
}
