import type { CertificateAuthority } from '../../ca/certificate-authority.ts';
import type { ClaimCodeRecord } from '../../storage/claim-codes.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { CertificationRequest } from '../../x509/certification-request.ts';
import {
  issueCertificate,
  type IssueDeps,
  type IssuedCertificate,
  type IssueStores,
} from '../certificates/issue.ts';
import type { Tell } from '../change-rules.ts';
import { keySubject } from '../key-subject.ts';
import { RegistryRefusal } from '../refusal.ts';
import { claimCodeView } from './view.ts';

/** Why a code that is known proves nothing now. */
export type ClaimCodeFault = 'used' | 'revoked' | 'expired' | 'void';

export interface ClaimDeps extends IssueDeps {
  readonly ca: IssueDeps['ca'] & Pick<CertificateAuthority, 'byId'>;
}

/**
 * Undefined: it may be claimed with. A code ends with the state in which its identity was when it was made: what was handed out before a
 * stop must not work after it.
 */
export function claimCodeFault(
  code: ClaimCodeRecord,
  identity: IdentityRecord,
  subjectKey: string | undefined,
  now: number,
): ClaimCodeFault | undefined {
  if (code.expiresAt <= now) return 'expired';
  if (code.state === 'used') return code.used?.subjectKey === subjectKey ? undefined : 'used';
  if (code.state === 'revoked') return 'revoked';
  return identity.stateSince > code.createdAt ? 'void' : undefined;
}

/** Thrown in the transaction in which the code is used up: another device may have been faster. */
export class ClaimCodeRefused extends Error {
  readonly fault: ClaimCodeFault;
  constructor(fault: ClaimCodeFault) {
    super(`the claim code is ${fault}`);
    this.name = 'ClaimCodeRefused';
    this.fault = fault;
  }
}

/**
 * Gives the device its first certificate and uses its code up, both or neither. Who comes again with the same code and the same key
 * gets the same certificate: an answer may be lost, and nobody else has that key. Throws `RegistryRefusal`, `ClaimCodeRefused`.
 */
export async function claim(
  deps: ClaimDeps,
  stores: IssueStores & Pick<Stores, 'claimCodes'>,
  tell: Tell,
  { codeId, request }: { readonly codeId: string; readonly request: CertificationRequest },
): Promise<IssuedCertificate> {
  const now = deps.clock.now();
  const code = await stores.claimCodes.byId(codeId);
  const identity = code && (await stores.identities.byId(code.identityId));
  if (code === undefined || identity === undefined) throw new ClaimCodeRefused('revoked');
  const subjectKey = keySubject(request.key);
  const fault = claimCodeFault(code, identity, subjectKey, now);
  if (fault !== undefined) throw new ClaimCodeRefused(fault);
  if (code.used !== undefined) return await sameAgain(deps, stores, identity, code.used.certificateId, now);
  const before = await stores.credentials.ofIdentity(identity.id);
  const asked = { request, lifetime: undefined, by: 'claim' as const };
  const issued = await issueCertificate(deps, stores, tell, identity, asked);
  await noteMaker(stores, before, issued.record.credentialId, code);
  const used: ClaimCodeRecord = {
    ...code,
    state: 'used',
    used: { at: now, subjectKey, certificateId: issued.record.id },
    updatedAt: now,
    version: code.version + 1,
  };
  await stores.claimCodes.replace(used);
  tell({
    type: 'claim_code.used',
    resource: code.id,
    before: claimCodeView(code, identity.clientId, now),
    after: claimCodeView(used, identity.clientId, now),
  });
  return issued;
}

async function sameAgain(
  { ca }: ClaimDeps,
  stores: Pick<Stores, 'certificates' | 'credentials'>,
  identity: IdentityRecord,
  certificateId: string,
  now: number,
): Promise<IssuedCertificate> {
  const record = await stores.certificates.byId(certificateId);
  const issuer = record && ca.byId(record.authorityId);
  const credential = record && (await stores.credentials.byId(record.credentialId));
  const stands =
    identity.state === 'active' || identity.state === 'approved' ? credential?.state === 'active' : false;
  if (
    record === undefined ||
    issuer === undefined ||
    !stands ||
    record.revoked !== undefined ||
    record.notAfter <= now
  )
    throw new RegistryRefusal('illegal_transition', 'the certificate of this code counts no more');
  return { record, identity, chain: record.certificate + issuer.chain, root: issuer.root };
}

/** Whoever made the code stands behind the credential that was made with it. */
async function noteMaker(
  stores: Pick<Stores, 'credentialMakers'>,
  before: readonly CredentialRecord[],
  credentialId: string,
  { madeBy }: ClaimCodeRecord,
): Promise<void> {
  if (before.some(({ id }) => id === credentialId)) return;
  await stores.credentialMakers.note(credentialId, madeBy);
}
