// tls_client_auth: a certificate that an authority of the client's own issued, RFC 8705 §2.1.
import { generateKeyPairSync } from 'node:crypto';
import { BUILT_IN_CA, certificateRule, type CertificateRule } from '../../registry/certificate-rule.ts';
import { credentialFault } from '../../registry/effective-access.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { type Trust, validatePath } from '../../x509/path-validation.ts';
import { signatureFault } from '../../x509/signature.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import {
  type CertificateProof,
  isSelfSigned,
  type PresentedCertificate,
  presentedCertificate,
} from './client-certificate.ts';
import type { ClientAuthMethod } from './method.ts';
import { PATH_REASONS } from './path-reasons.ts';

/** What is known of one credential; goes with the record, hence with every change of it. */
interface Known {
  readonly rule: CertificateRule;
  /** By digest of the chain: when its path holds, epoch milliseconds. */
  readonly held: Map<string, { readonly from: number; readonly to: number }>;
}

/** Chains that held, for each credential: one for each machine that shares it, and its renewals. */
const MOST_HELD = 64;
/** An identity has at most 50 live credentials; those beyond are revoked ones, of which the newest come first. */
const MOST_TRIED = 64;

const NOBODY: Trust = { authorities: [], revocation: undefined };

/** `builtIn`: whose certificates count for credentials of the deployment's own authority; the same object until that changes. */
export function tlsClientAuth(
  builtIn: () => Trust = () => NOBODY,
): ClientAuthMethod<PresentedCertificate['proof']> {
  const known = new WeakMap<CredentialRecord, Known>();

  function knownOf(credential: CredentialRecord): Known | undefined {
    const { material } = credential;
    if (material.type !== 'tls_client_auth') return undefined;
    const trust = material.ca === BUILT_IN_CA ? builtIn() : undefined;
    let entry = known.get(credential);
    if (entry === undefined || (trust !== undefined && entry.rule.trust !== trust)) {
      const own = trust && { trust, credentialId: credential.id };
      entry = { rule: certificateRule(material, own), held: new Map() };
      known.set(credential, entry);
    }
    return entry;
  }

  return {
    name: 'tls_client_auth',

    present(request, form) {
      const presented = presentedCertificate(request, form);
      return presented === undefined || isSelfSigned(presented.proof) ? undefined : presented;
    },

    verify({ proof }, credentials, now) {
      const leaf = proof.certificates?.[0];
      if (leaf === undefined) throw new Refusal('certificate_malformed');
      let matched: CredentialRecord | undefined;
      let fault: RefusalReason | undefined;
      let tried = 0;
      for (const credential of credentials) {
        const entry = knownOf(credential);
        if (entry === undefined || ++tried > MOST_TRIED) continue;
        const found = faultOf(entry, proof, leaf, now);
        if (found === undefined) {
          proof.keep?.();
          // Of several that match, as while one replaces the other, the one that may be used.
          if (credentialFault(credential, now) === undefined) return credential;
          matched ??= credential;
        } else if (fault === undefined || fault === 'certificate_subject_mismatch') fault = found;
      }
      if (matched !== undefined) return matched;
      // For a client that does not exist, or that nobody's certificate could match, a signature is checked all the same.
      if (fault === undefined || fault === 'certificate_subject_mismatch') checkInVain(leaf);
      if (credentials.length === 0) return undefined;
      throw new Refusal(fault ?? 'certificate_subject_mismatch');
    },
  };
}

/** Every request is judged anew, on resumed TLS sessions too: what is remembered is only how long the path holds. */
function faultOf(
  { rule, held }: Known,
  { digest, certificates }: CertificateProof,
  leaf: Certificate,
  now: number,
): RefusalReason | undefined {
  if (!rule.match(leaf)) return 'certificate_subject_mismatch';
  // Before the path: whether the name is believed does not matter for who is not.
  if (rule.isRevoked(leaf)) return 'certificate_revoked';
  const remembered = held.get(digest);
  if (remembered !== undefined && now >= remembered.from && now <= remembered.to) return undefined;
  held.delete(digest);
  const result = validatePath(certificates ?? [], rule.trust, now);
  if (!result.ok) return PATH_REASONS[result.fault];
  held.set(digest, result);
  for (const [oldest] of held) {
    if (held.size <= MOST_HELD) break;
    held.delete(oldest);
  }
  return undefined;
}

const nobody = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;

function checkInVain({ tbs, signature }: Certificate): void {
  signatureFault(tbs, { id: '1.2.840.10045.4.3.2', parameters: undefined }, signature, {
    key: nobody,
    kind: 'ec',
  });
}
