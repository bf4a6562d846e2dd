import { X509Certificate } from 'node:crypto';
import { certificateThumbprint } from '@countersign/protocol';
import type { CredentialMaterial, CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import { certificateDates } from './certificate-dates.ts';
import type { Tell } from './change-rules.ts';
import { type AgeDeps, addCredential, type NewCredential } from './new-credential.ts';
import { RegistryRefusal } from './refusal.ts';

export interface NewRegisteredCertificate extends NewCredential {
  /** PEM, not checked yet. */
  readonly certificate: string;
}

type CertificateMaterial = Extract<CredentialMaterial, { type: 'self_signed_tls_client_auth' }>;

/** Registers a certificate that its client keeps the key of (RFC 8705 §2.2). Its dates bound those of the credential. */
export async function createRegisteredCertificate(
  deps: AgeDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewRegisteredCertificate,
): Promise<CredentialRecord> {
  const material = certificateMaterial(asked.certificate);
  if (certificateDates(material.certificate).notAfter <= deps.clock.now()) throw unacceptable('has expired');
  return await addCredential(deps, stores, tell, identity, asked, {
    material,
    name: material.thumbprint.slice(0, 8),
  });
}

/** True when the record holds just this certificate. Throws for one that could not be registered. */
export function holdsCertificate({ material }: CredentialRecord, certificate: string): boolean {
  return (
    material.type === 'self_signed_tls_client_auth' &&
    material.thumbprint === certificateMaterial(certificate).thumbprint
  );
}

function certificateMaterial(pem: string): CertificateMaterial {
  const certificate = read(pem);
  const { issuer, subject, raw } = certificate;
  if (issuer !== subject) {
    throw unacceptable(
      'was issued by somebody else: that is what tls_client_auth is for, with its authority',
    );
  }
  requireStrongKey(certificate);
  // Written anew, so that one certificate has one text.
  return {
    type: 'self_signed_tls_client_auth',
    certificate: certificate.toString(),
    thumbprint: certificateThumbprint(raw),
  };
}

function read(pem: string): X509Certificate {
  if (pem.split('-----BEGIN CERTIFICATE-----').length !== 2) throw unacceptable('must be one certificate');
  try {
    return new X509Certificate(pem);
  } catch {
    throw unacceptable('cannot be read');
  }
}

const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 8192;
const CURVES: readonly unknown[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/** The thumbprint is of the certificate; that its holder shows it is worth what the key is worth (RFC 9325 §4.5). */
function requireStrongKey({ publicKey }: X509Certificate): void {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: { modulusLength = 0, namedCurve } = {} } = publicKey;
  const isStrong =
    kind === 'ed25519' ||
    (kind === 'ec' && CURVES.includes(namedCurve)) ||
    ((kind === 'rsa' || kind === 'rsa-pss') &&
      modulusLength >= LEAST_RSA_BITS &&
      modulusLength <= MOST_RSA_BITS);
  if (isStrong) return;
  throw unacceptable(
    'must have a key on P-256, P-384, P-521 or Ed25519, or an RSA key of 2,048 to 8,192 bits',
  );
}

function unacceptable(fault: string): RegistryRefusal {
  return new RegistryRefusal('unacceptable_certificate', `the certificate ${fault}`, {
    pointer: '/certificate',
  });
}
