// What the two methods of RFC 8705 share: a certificate authenticates where it is all that a client shows beside its
// client_id (§2). Beside a secret, an assertion or a key it is there to bind the token (§3), and proves nobody.
import { hash } from 'node:crypto';
import type { Form } from '@countersign/protocol';
import { type ClientCertificate, type HttpRequest, header } from '../../http/request.ts';
import { type Certificate, isSelfIssued, parseCertificate } from '../../x509/certificate.ts';

/** A chain as it was shown. */
export interface CertificateProof {
  /** SHA-256 of all of it, to remember what was found out about it. */
  readonly digest: string;
  /** Leaf first; undefined where one of them cannot be read. */
  readonly certificates: readonly Certificate[] | undefined;
}

export interface PresentedCertificate {
  readonly clientId: string;
  readonly proof: CertificateProof & Pick<ClientCertificate, 'keep'>;
}

/** As many as a path may have here, and some that are not needed. */
const MOST_CERTIFICATES = 10;
/** Chains that were read lately, a few kB each. Strangers can push others out, and win nothing by it. */
const MOST_REMEMBERED = 256;

const remembered = new Map<string, CertificateProof>();

/** Undefined: this request does not authenticate by its certificate. */
export function presentedCertificate(request: HttpRequest, form: Form): PresentedCertificate | undefined {
  const clientId = form.get('client_id');
  if (clientId === undefined || provesOtherwise(request, form)) return undefined;
  // Asked last: for most requests the connection is then not asked at all.
  const shown = request.clientCertificate;
  return shown === undefined ? undefined : { clientId, proof: { ...read(shown.chain), keep: shown.keep } };
}

/**
 * RFC 8705 §2.2: a certificate that its own holder issued is for self_signed_tls_client_auth, every other one for
 * tls_client_auth, so that a request has one method. What cannot be read is for the latter, which says so.
 */
export function isSelfSigned({ certificates }: CertificateProof): boolean {
  const leaf = certificates?.[0];
  return leaf !== undefined && isSelfIssued(leaf);
}

function provesOtherwise(request: HttpRequest, form: Form): boolean {
  return (
    form.get('client_secret') !== undefined ||
    (form.get('client_assertion') ?? form.get('client_assertion_type')) !== undefined ||
    header(request, 'authorization').kind !== 'absent' ||
    header(request, 'x-api-key').kind !== 'absent'
  );
}

/** The leaf that a request shows, read; undefined where there is none, or none that can be read. */
export function shownCertificate({ clientCertificate }: HttpRequest): Certificate | undefined {
  return clientCertificate === undefined ? undefined : read(clientCertificate.chain).certificates?.[0];
}

/** A chain that somebody else says was shown: DER, leaf first. */
export function readChain(chain: readonly Uint8Array[]): CertificateProof {
  return recall(chain);
}

/** By the chain of a connection: several steps of one request, and the requests of one connection, read it once. */
const ofConnection = new WeakMap<readonly Uint8Array[], CertificateProof>();

function read(chain: readonly Uint8Array[]): CertificateProof {
  let proof = ofConnection.get(chain);
  if (proof === undefined) {
    proof = recall(chain);
    ofConnection.set(chain, proof);
  }
  return proof;
}

function recall(chain: readonly Uint8Array[]): CertificateProof {
  const [leaf] = chain;
  // Each is DER, which says where it ends: no two chains are the same bytes.
  const whole = leaf !== undefined && chain.length === 1 ? leaf : Buffer.concat(chain);
  const digest = hash('sha256', whole, 'base64url');
  let proof = remembered.get(digest);
  if (proof === undefined) {
    proof = { digest, certificates: certificatesOf(chain) };
    remembered.set(digest, proof);
    for (const [oldest] of remembered) {
      if (remembered.size <= MOST_REMEMBERED) break;
      remembered.delete(oldest);
    }
  }
  return proof;
}

function certificatesOf(chain: readonly Uint8Array[]): readonly Certificate[] | undefined {
  if (chain.length === 0 || chain.length > MOST_CERTIFICATES) return undefined;
  const certificates: Certificate[] = [];
  for (const der of chain) {
    const reading = parseCertificate(der);
    if (!reading.ok) return undefined;
    certificates.push(reading.certificate);
  }
  return certificates;
}
