// A certificate that somebody else gave an authority of ours: RFC 5280 §6, looked at before it is believed.
import { type Certificate, isSelfIssued, parseCertificate } from '../x509/certificate.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  type CertificateSigner,
  extendedKeyUsage,
  identifierOf,
  keyUsage,
  subjectAltName,
  writeCertificate,
  writeName,
} from '../x509/certificate-writer.ts';
import { CLIENT_AUTH, KEY_USAGE, SERVER_AUTH } from '../x509/extensions.ts';
import { keyOf, validatePath } from '../x509/path-validation.ts';
import { readPem, writePem } from '../x509/pem.ts';
import { signatureFault } from '../x509/signature.ts';
import { AuthorityRefused } from './authority-refused.ts';

/** An authority, those above it, and the root. */
export const MOST_IN_CHAIN = 6;
/** Less time than this before it is no authority to begin with. */
export const LEAST_LEFT_MS: number = 86_400_000;

export interface Offered {
  /** PEM: its certificate, then those above it, each issued by the next; one of our own roots may be left out at the end. */
  readonly pem: string;
  /** SubjectPublicKeyInfo of the request, DER. */
  readonly publicKey: Uint8Array;
  readonly signer: CertificateSigner;
  /** Roots of this deployment. */
  readonly roots: readonly Certificate[];
  /** What the other authorities of this deployment are called (`DistinguishedName.key`). */
  readonly names: ReadonlySet<string>;
  /** Of the machines that it will issue for. */
  readonly trustDomain: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Taken {
  /** PEM of it, and of those above it, the root last. */
  readonly certificate: string;
  readonly above: string;
  readonly root: Certificate;
  /** It and those above it. */
  readonly chain: readonly Certificate[];
  /** When the first of them ends (epoch ms). */
  readonly notAfter: number;
}

/** Throws `AuthorityRefused`. */
export function takeCertificate(offered: Offered): Taken {
  const [own, ...above] = wholeChain(offered);
  requireAuthority(offered, own);
  const root = requireRoot(own, above);
  const probe = parseCertificate(probeBelow(own, offered));
  if (!probe.ok) throw new TypeError(`a certificate written here cannot be read: ${probe.fault}`);
  const between = above.slice(0, -1);
  const found = validatePath(
    [probe.certificate, own, ...between],
    { authorities: [root], revocation: undefined },
    offered.now,
  );
  if (!found.ok) throw new AuthorityRefused({ path: found.fault });
  const notAfter = Math.min(...[own, ...above].map((each) => each.notAfter));
  if (notAfter - offered.now < LEAST_LEFT_MS) throw new AuthorityRefused('ends_too_soon');
  return {
    certificate: pemOf(own),
    above: above.map(pemOf).join(''),
    root,
    chain: [own, ...above],
    notAfter,
  };
}

function wholeChain({ pem, roots }: Offered): readonly [Certificate, ...Certificate[]] {
  const blocks = readPem(pem, 'CERTIFICATE') ?? [];
  if (blocks.length > MOST_IN_CHAIN) throw new AuthorityRefused('too_many_certificates');
  const readings = blocks.map(parseCertificate);
  const chain = readings.flatMap((each) => (each.ok ? [each.certificate] : []));
  const [own, ...above] = chain;
  if (own === undefined || chain.length < readings.length) throw new AuthorityRefused('malformed');
  const last = above.at(-1) ?? own;
  const missing = isSelfIssued(last)
    ? undefined
    : roots.find(({ subject }) => subject.key === last.issuer.key);
  return missing === undefined ? [own, ...above] : [own, ...above, missing];
}

/** RFC 5280 §4.2.1.1, §4.2.1.2, §4.2.1.3, §4.2.1.9: what one must say that signs certificates and lists. */
function requireAuthority({ publicKey, names }: Offered, own: Certificate): void {
  if (Buffer.compare(own.publicKey, publicKey) !== 0) throw new AuthorityRefused('other_key');
  if (!own.ca || own.version !== 3) throw new AuthorityRefused('not_an_authority');
  const { keyUsage: uses, extendedKeyUsage: purposes } = own;
  if (uses?.has(KEY_USAGE.keyCertSign) !== true || !uses.has(KEY_USAGE.cRLSign))
    throw new AuthorityRefused('key_usage');
  if (purposes !== undefined && !(purposes.has(CLIENT_AUTH) && purposes.has(SERVER_AUTH)))
    throw new AuthorityRefused('purposes');
  if (own.subjectKeyIdentifier === undefined || own.authorityKeyIdentifier === undefined)
    throw new AuthorityRefused('key_identifiers');
  if (own.subject.rdns.length === 0 || names.has(own.subject.key)) throw new AuthorityRefused('name');
}

function requireRoot(own: Certificate, above: readonly Certificate[]): Certificate {
  const root = above.at(-1);
  if (root === undefined || !isSelfIssued(root)) throw new AuthorityRefused('no_root');
  const chain = [own, ...above];
  if (above.some((issuer, i) => issuer.subject.key !== chain[i]?.issuer.key))
    throw new AuthorityRefused('out_of_order');
  const key = keyOf(root);
  if (typeof key === 'string') throw new AuthorityRefused({ path: key });
  if (signatureFault(root.tbs, root.signatureAlgorithm, root.signature, key) !== undefined)
    throw new AuthorityRefused('root_signature');
  return root;
}

/** A certificate as it would issue them: constraints, lengths and uses above are for what stands below. Nobody ever sees it. */
function probeBelow(own: Certificate, { publicKey, signer, trustDomain, now }: Offered): Uint8Array {
  return writeCertificate(
    {
      serialNumber: Uint8Array.of(1),
      issuer: own.subjectBytes,
      subject: writeName({ commonName: 'probe', serialNumber: 'crd_00000000000000000000' }),
      notBefore: now - 1000,
      notAfter: now + 1000,
      publicKey,
      extensions: [
        basicConstraints(undefined),
        keyUsage('digitalSignature'),
        extendedKeyUsage(SERVER_AUTH, CLIENT_AUTH),
        authorityKeyIdentifier(identifierOf(own.der)),
        subjectAltName({ uris: [`spiffe://${trustDomain}/service/probe`] }, false),
      ],
    },
    signer,
  );
}

function pemOf({ der }: Certificate): string {
  return writePem(der, 'CERTIFICATE');
}
