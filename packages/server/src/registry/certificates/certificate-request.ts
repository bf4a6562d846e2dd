import {
  type CertificationRequest,
  readCertificationRequest,
  type RequestFault,
} from '../../x509/certification-request.ts';
import { readPem } from '../../x509/pem.ts';
import { RegistryRefusal } from '../refusal.ts';

const FAULTS: { readonly [fault in RequestFault]: string } = {
  malformed: 'must be one PKCS #10 request (PEM, CERTIFICATE REQUEST)',
  key_not_allowed:
    'must be for a key on P-256 or P-384, an Ed25519 key, or an RSA key of 2,048 to 4,096 bits with the exponent 65537',
  weak: 'has a weak key, or a signature with SHA-1 or older',
  not_proved: 'is not signed by the key that it shows',
};

/** Reads a request from its PEM. Throws `RegistryRefusal`. */
export function certificationRequestOf(pem: string): CertificationRequest {
  const blocks = readPem(pem, 'CERTIFICATE REQUEST') ?? readPem(pem, 'NEW CERTIFICATE REQUEST');
  const [der] = blocks ?? [];
  if (der === undefined || blocks?.length !== 1) throw refused('malformed');
  const reading = readCertificationRequest(der);
  if (!reading.ok) throw refused(reading.fault);
  return reading.request;
}

function refused(fault: RequestFault): RegistryRefusal {
  return new RegistryRefusal('unacceptable_certificate', `the request ${FAULTS[fault]}`, { pointer: '/csr' });
}
