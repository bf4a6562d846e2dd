// A machine renews its certificate: proved by the one it has (RFC 8705 §2.1), for itself and nobody else, with no scope of the admin API.
// The next key signs for itself (RFC 2986 §3). Why not in the admin API: docs/decisions/0050-a-small-certificate-authority.md.
import type { Actor, Changes } from '../../audit/change.ts';
import { callerInstance } from '../../http/request.ts';
import { type HttpResponse, jsonResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { certificationRequestOf } from '../../registry/certificates/certificate-request.ts';
import { isBuiltIn, isRevokedFor } from '../../registry/certificates/credential-of.ts';
import {
  type IssueDeps,
  type IssuedCertificate,
  type IssueStores,
  issueCertificate,
} from '../../registry/certificates/issue.ts';
import { certificateView } from '../../registry/certificates/view.ts';
import { certificatePolicy } from '../../registry/certificates/certificate-policy.ts';
import { isRefused } from '../../policy/methods-allowed-per-environment.ts';
import { standing } from '../../registry/effective-access.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { shownCertificate } from '../client-auth/client-certificate.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import { type ClientCall, type ClientCallDeps, createClientCallEndpoint } from './client-call.ts';
import { untilNotOvertaken } from './overtaken.ts';

export interface CertificateRenewalDeps extends ClientCallDeps, IssueDeps {
  readonly changes: Changes;
}

const CSR_IN_QUERY = /(?:^|&)csr=/;

export function createCertificateRenewalEndpoint(deps: CertificateRenewalDeps): Endpoint {
  return createClientCallEndpoint(deps, CSR_IN_QUERY, async (call) => {
    if (call.client.method !== 'tls_client_auth' || !isBuiltIn(call.client.credential))
      throw new Refusal('renewal_method');
    const csr = call.form.get('csr');
    if (csr === undefined || csr === '') throw new Refusal('csr_missing');
    return certificateAnswer(await renewed(deps, call, csr), deps.clock.now());
  });
}

async function renewed(
  deps: CertificateRenewalDeps,
  call: ClientCall,
  csr: string,
): Promise<IssuedCertificate> {
  return await untilNotOvertaken('renewal_refused', async () => {
    const request = certificationRequestOf(csr);
    return await deps.changes.run(actorOf(call), async (stores, tell) => {
      // As it is in this transaction: it was proved on facts that may be a moment old. Held, so that who revokes it at this moment
      // finds what is issued here, or is found here.
      const credential = await stores.credentials.hold(call.client.credential.id);
      const identity = credential && (await stores.identities.byId(credential.identityId));
      const fault = credential && identity && standing(identity, credential, deps.clock.now());
      if (credential === undefined || identity === undefined || fault !== undefined)
        throw new RegistryRefusal('illegal_transition', `it may not act now: ${fault ?? 'it is gone'}`);
      // Whoever stole a certificate would have another from it, which its revocation does not reach.
      const serialNumber = shownCertificate(call.request)?.serialNumber;
      if (isRevokedFor(credential, serialNumber))
        throw new RegistryRefusal('illegal_transition', 'the certificate that it shows is revoked');
      await requireAllowedNow(deps, stores, identity, credential);
      // What is not in the registry may be an older copy of itself.
      const [shown] =
        serialNumber === undefined
          ? []
          : (await stores.certificates.list({ serialNumber }, { limit: 1 })).items;
      // Who stole an agent's certificate could fetch those of its workloads, and they would renew themselves past its revocation.
      if (shown?.issuedBy === 'agent')
        throw new RegistryRefusal(
          'illegal_transition',
          'it is an SVID of a workload, which its agent fetches anew',
        );
      const asked = {
        request,
        lifetime: undefined,
        by: 'itself' as const,
        credential,
        renewedFrom: shown?.id,
      };
      return await issueCertificate(deps, stores, tell, identity, asked);
    });
  });
}

/** What refuses its tokens refuses its renewal, by the same reason: policies may be younger than the certificate. */
async function requireAllowedNow(
  { clock, refusedMethods, enforcedAge }: CertificateRenewalDeps,
  stores: IssueStores,
  identity: AuthenticatedClient['facts']['identity'],
  credential: AuthenticatedClient['credential'],
): Promise<void> {
  const { type } = credential.material;
  const now = clock.now();
  if (isRefused(refusedMethods, identity.environment, type)) throw new Refusal('method_not_allowed');
  const oldest = enforcedAge?.(type, identity.environment) ?? Infinity;
  if (now - credential.createdAt > oldest) throw new Refusal('credential_too_old');
  const { refusedBy } = await certificatePolicy(stores, identity, credential, now);
  if (refusedBy === undefined) return;
  const { policy, rule, why } = refusedBy;
  throw new Refusal('policy_enforced', undefined, { policy, rule, why });
}

/** What a machine is told that got a certificate for itself. */
export function certificateAnswer(issued: IssuedCertificate, now: number): HttpResponse {
  const view = certificateView(issued.record, issued.identity.clientId, now);
  const body = {
    certificate: issued.chain,
    root: issued.root,
    client_id: view.client_id,
    serial_number: view.serial_number,
    credential: view.credential,
    spiffe_id: view.spiffe_id,
    expires_at: view.expires_at,
    renew_after: view.renew_after,
  };
  return jsonResponse(200, body, { 'cache-control': 'no-store', pragma: 'no-cache' });
}

function actorOf({ client, request }: ClientCall): Actor {
  return {
    identity: client.facts.identity.clientId,
    credential: client.credential.id,
    requestId: request.id,
    source: request.source,
    instance: callerInstance(request),
  };
}
