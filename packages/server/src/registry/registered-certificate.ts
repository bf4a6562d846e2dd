import { X509Certificate } from 'node:crypto';
import { certificateThumbprint } from '@countersign/protocol';
import type { CredentialMaterial, CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import { isSelfIssued, parseCertificate } from '../x509/certificate.ts';
import { keyOf } from '../x509/path-validation.ts';
import { certificateDates } from './certificate-dates.ts';
import type { Tell } from './change-rules.ts';
import { keySubject } from './key-subject.ts';
import { type AgeDeps, addCredential, type NewCredential } from './new-credential.ts';
import type { PolicyStores } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';

export interface NewRegisteredCertificate extends NewCredential {
  /** PEM, not checked yet. */
  readonly certificate: string;
}

type CertificateMaterial = Extract<CredentialMaterial, { type: 'self_signed_tls_client_auth' }>;

/** Registers a certificate that its client keeps the key of (RFC 8705 §2.2). Its dates bound those of the credential. */
export async function createRegisteredCertificate(
  deps: AgeDeps,
  stores: PolicyStores,
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
  const { raw, text, publicKey } = read(pem);
  const parsed = parseCertificate(raw);
  // Read as it will be when its client shows it.
  if (!parsed.ok) throw unacceptable(`cannot be read: ${parsed.fault}`);
  if (!isSelfIssued(parsed.certificate)) {
    throw unacceptable(
      'was issued by somebody else: that is what tls_client_auth is for, with its authority',
    );
  }
  // The thumbprint is of the certificate; that its holder shows it is worth what the key is worth (RFC 9325 §4.5).
  if (typeof keyOf(parsed.certificate) === 'string') {
    throw unacceptable(
      'must have a key on P-256, P-384, P-521, Ed25519 or Ed448, or an RSA key of 2,048 to 8,192 bits, and no weak one',
    );
  }
  return {
    type: 'self_signed_tls_client_auth',
    certificate: text,
    thumbprint: certificateThumbprint(raw),
    subjectKey: keySubject(publicKey),
  };
}

/** `text`: written anew, so that one certificate has one text. */
function read(pem: string): Pick<X509Certificate, 'raw' | 'publicKey'> & { readonly text: string } {
  if (pem.split('-----BEGIN CERTIFICATE-----').length !== 2) throw unacceptable('must be one certificate');
  try {
    const certificate = new X509Certificate(pem);
    return { raw: certificate.raw, text: certificate.toString(), publicKey: certificate.publicKey };
  } catch {
    throw unacceptable('cannot be read');
  }
}

function unacceptable(fault: string): RegistryRefusal {
  return new RegistryRefusal('unacceptable_certificate', `the certificate ${fault}`, {
    pointer: '/certificate',
  });
}
