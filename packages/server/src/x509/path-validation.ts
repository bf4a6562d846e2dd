// Certification path validation: RFC 5280 §6, from the client's certificate to one of the authorities that are given, and
// to no other. Stricter than the RFC where it leaves a choice: see docs/decisions/0017-own-path-validation.md.
import { type Certificate, isSelfIssued } from './certificate.ts';
import { CLIENT_AUTH, KEY_USAGE } from './extensions.ts';
import { allows, constrainedNames } from './name-constraints.ts';
import { type UsableKey, usableKey } from './public-key.ts';
import { type Revocation, revocationFault, type RevocationFault } from './revocation.ts';
import { signatureFault } from './signature.ts';

/** Why no path holds. */
export type PathFault =
  /** No authority that is trusted here issued it. */
  | 'untrusted'
  /** A signature in it is not its issuer's. */
  | 'bad_signature'
  | 'not_yet_valid'
  | 'expired'
  /** SHA-1 or older, RSA below 2048 bits. */
  | 'weak'
  /** A key or signature of a kind that nobody here can check. */
  | 'unusable'
  /** It, or an authority above it, is not for client authentication; or it is an authority itself. */
  | 'wrong_purpose'
  /** Somebody in the path signed who is no authority, or not for so long a path. */
  | 'not_an_authority'
  | 'outside_constraints'
  | 'unknown_critical_extension'
  | RevocationFault;

export type PathResult =
  | {
      readonly ok: true;
      /** From the leaf to the authority. */
      readonly path: readonly Certificate[];
      /** When it holds, whoever asks again: epoch milliseconds, `from` and `to` inclusive. */
      readonly from: number;
      readonly to: number;
    }
  | { readonly ok: false; readonly fault: PathFault };

/** Certificates in a path, leaf and authority among them. */
const MAX_PATH = 8;
/** Signatures that are checked for one request: what strangers can make us compute. */
const MAX_SIGNATURES = 16;

interface Search {
  readonly trust: Trust;
  readonly presented: readonly Certificate[];
  /** Epoch milliseconds. */
  readonly now: number;
  signatures: number;
  fault: PathFault;
}

export interface Trust {
  /** Trusted as they are, whoever signed them. */
  readonly authorities: readonly Certificate[];
  /** Undefined: nobody said who is revoked. */
  readonly revocation: Revocation | undefined;
}

/** `chain`: the leaf, then whatever came with it, in any order. Never throws. */
export function validatePath(chain: readonly Certificate[], trust: Trust, now: number): PathResult {
  const [leaf, ...presented] = chain;
  if (leaf === undefined) return { ok: false, fault: 'untrusted' };
  const own = leafFault(leaf, now);
  if (own !== undefined) return { ok: false, fault: own };
  const search: Search = { trust, presented, now, signatures: 0, fault: 'untrusted' };
  const path = climb(search, [leaf]);
  if (path === undefined) return { ok: false, fault: search.fault };
  return { ok: true, path, ...lifetime(path, trust) };
}

/** RFC 5280 §6.1.3 and §4.2.1, for the certificate that authenticates. */
function leafFault(leaf: Certificate, now: number): PathFault | undefined {
  if (leaf.ca) return 'wrong_purpose';
  // RFC 8446 §4.4.2.4: what signs a handshake has to be allowed to.
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.has(KEY_USAGE.digitalSignature)) return 'wrong_purpose';
  const key = keyOf(leaf);
  if (typeof key === 'string') return key;
  return commonFault(leaf, now);
}

function commonFault(certificate: Certificate, now: number): PathFault | undefined {
  if (certificate.unknownCritical) return 'unknown_critical_extension';
  const { extendedKeyUsage } = certificate;
  // RFC 5280 §4.2.1.12; for authorities it limits what they issue, as every validator in use has it.
  if (extendedKeyUsage !== undefined && !extendedKeyUsage.has(CLIENT_AUTH)) return 'wrong_purpose';
  // RFC 5280 §4.1.2.5: both ends are part of it; whole seconds.
  const second = Math.floor(now / 1000) * 1000;
  if (second < certificate.notBefore) return 'not_yet_valid';
  return second > certificate.notAfter ? 'expired' : undefined;
}

/** Depth first, trusted authorities before presented ones. The fault of the first dead end that says anything stays. */
function climb(search: Search, path: readonly Certificate[]): readonly Certificate[] | undefined {
  const child = path.at(-1) as Certificate;
  for (const authority of search.trust.authorities) {
    if (!mayHaveIssued(authority, child)) continue;
    const whole = [...path, authority];
    if (accept(search, whole) && settle(search, whole)) return whole;
  }
  if (path.length >= MAX_PATH - 1) return undefined;
  for (const issuer of search.presented) {
    if (path.includes(issuer) || !mayHaveIssued(issuer, child)) continue;
    const longer = [...path, issuer];
    const found = accept(search, longer) ? climb(search, longer) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** RFC 5280 §6.1.3 (a)(4), and §4.2.1.1: names match, and key identifiers where both have one. */
function mayHaveIssued(issuer: Certificate, child: Certificate): boolean {
  return (
    issuer.subject.key === child.issuer.key &&
    (issuer.subjectKeyIdentifier === undefined ||
      child.authorityKeyIdentifier === undefined ||
      issuer.subjectKeyIdentifier === child.authorityKeyIdentifier)
  );
}

/** Whether the last of the path may have issued the one before it. */
function accept(search: Search, path: readonly Certificate[]): boolean {
  const fault = issuerFault(search, path);
  if (fault !== undefined && search.fault === 'untrusted') search.fault = fault;
  return fault === undefined;
}

function issuerFault(search: Search, path: readonly Certificate[]): PathFault | undefined {
  const [child, issuer] = path.slice(-2) as [Certificate, Certificate];
  // RFC 5280 §6.1.4 (k), (n).
  if (!issuer.ca || issuer.keyUsage?.has(KEY_USAGE.keyCertSign) === false) return 'not_an_authority';
  // RFC 5280 §6.1.4 (l), (m): those between it and the leaf, self-issued ones apart.
  const between = path.slice(1, -1).filter((each) => !isSelfIssued(each)).length;
  if (issuer.pathLength !== undefined && between > issuer.pathLength) return 'not_an_authority';
  const common = commonFault(issuer, search.now);
  if (common !== undefined) return common;
  const key = keyOf(issuer);
  if (typeof key === 'string') return key;
  if (++search.signatures > MAX_SIGNATURES) return 'untrusted';
  const signature = signatureFault(child.tbs, child.signatureAlgorithm, child.signature, key);
  return signature === 'wrong' ? 'bad_signature' : signature;
}

/** What needs the whole path: constraints from above, and who is revoked. */
function settle(search: Search, path: readonly Certificate[]): boolean {
  const fault = constraintFault(path) ?? revokedIn(path, search);
  if (fault !== undefined) search.fault = fault;
  return fault === undefined;
}

/** RFC 5280 §6.1.3 (b), (c), §6.1.4 (g): for all below it; of the self-issued ones only for the leaf. */
function constraintFault(path: readonly Certificate[]): PathFault | undefined {
  for (const [i, { nameConstraints }] of path.entries()) {
    if (nameConstraints === undefined) continue;
    for (const [j, below] of path.slice(0, i).entries()) {
      if (j > 0 && isSelfIssued(below)) continue;
      if (!allows(nameConstraints, constrainedNames(below.subject, below.subjectAltNames))) {
        return 'outside_constraints';
      }
    }
  }
  return undefined;
}

function revokedIn(path: readonly Certificate[], { trust, now }: Search): PathFault | undefined {
  if (trust.revocation === undefined) return undefined;
  for (const [i, issuer] of path.entries()) {
    const child = path[i - 1];
    if (child === undefined) continue;
    const fault = revocationFault(trust.revocation, child, issuer, now);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function lifetime(path: readonly Certificate[], { revocation }: Trust): { from: number; to: number } {
  return {
    from: Math.max(...path.map(({ notBefore }) => notBefore), revocation?.from ?? 0),
    to: Math.min(...path.map(({ notAfter }) => notAfter), revocation?.to ?? Number.MAX_SAFE_INTEGER),
  };
}

const keys = new WeakMap<Certificate, UsableKey | 'weak' | 'unusable'>();

/** Made once for each certificate that stays: authorities are asked for theirs again and again. */
export function keyOf(certificate: Certificate): UsableKey | 'weak' | 'unusable' {
  let key = keys.get(certificate);
  if (key === undefined) {
    key = usableKey(certificate.publicKey);
    keys.set(certificate, key);
  }
  return key;
}
