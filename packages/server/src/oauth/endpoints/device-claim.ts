// A device gets its first certificate: it proves by a one-off code which identity is meant, and by a signature that it has the key
// (RFC 2986 §3). What is refused here has the budgets of strangers at the token endpoint.
import { parseSecret } from '@countersign/protocol';
import type { Changes } from '../../audit/change.ts';
import type { HttpRequest } from '../../http/request.ts';
import { callerInstance } from '../../http/request.ts';
import type { Endpoint } from '../../http/route.ts';
import { certificationRequestOf } from '../../registry/certificates/certificate-request.ts';
import type { IssuedCertificate } from '../../registry/certificates/issue.ts';
import { claim, ClaimCodeRefused, type ClaimDeps, type ClaimCodeFault } from '../../registry/claim/claim.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import type { Attempt } from './attempt.ts';
import { certificateAnswer } from './certificate-renewal.ts';
import type { ClientCallDeps } from './client-call.ts';
import { readForm } from './read-form.ts';
import { refuse } from './token.ts';
import { untilNotOvertaken } from './overtaken.ts';

/** What is looked up of codes: the digest is compared there, whether or not there is one. */
export interface ClaimCodes {
  /** The code's id and whose it is; undefined for whatever is no code of ours. Rejects `unavailable`. */
  find(
    code: string,
    publicId: string,
  ): Promise<{ readonly id: string; readonly clientId: string } | undefined>;
}

export interface DeviceClaimDeps
  extends Pick<ClientCallDeps, 'record' | 'budgets' | 'clock' | 'report'>,
    ClaimDeps {
  readonly changes: Changes;
  readonly claimCodes: ClaimCodes;
}

const IN_QUERY = /(?:^|&)(?:code|csr)=/;

const FAULTS: { readonly [fault in ClaimCodeFault]: RefusalReason } = {
  used: 'claim_code_used',
  revoked: 'claim_code_revoked',
  expired: 'claim_code_expired',
  void: 'claim_code_void',
};

export function createDeviceClaimEndpoint(deps: DeviceClaimDeps): Endpoint {
  return async (request) => {
    const attempt: Attempt = { request, at: deps.clock.now(), method: 'claim_code' };
    try {
      if (IN_QUERY.test(request.query)) throw new Refusal('credentials_in_query');
      const form = readForm(request);
      const code = form.get('code');
      const csr = form.get('csr');
      if (code === undefined || code === '') throw new Refusal('claim_code_missing');
      if (csr === undefined || csr === '') throw new Refusal('claim_csr_missing');
      const parsed = parseSecret(code);
      // Typing errors end here: nothing is looked up for them.
      if (parsed?.kind !== 'cdc') throw new Refusal('claim_code_malformed');
      attempt.claimed = `cdc_${parsed.publicId}`;
      const found = await deps.claimCodes.find(code, parsed.publicId);
      if (found === undefined) throw new Refusal('claim_code_unknown');
      return certificateAnswer(await claimed(deps, request, found, csr), deps.clock.now());
    } catch (error) {
      return await refuse(deps, attempt, error);
    }
  };
}

/** Two may come with the same code at the same instant: who was later finds it used. */
async function claimed(
  deps: DeviceClaimDeps,
  request: HttpRequest,
  found: { readonly id: string; readonly clientId: string },
  csr: string,
): Promise<IssuedCertificate> {
  const actor = {
    identity: found.clientId,
    requestId: request.id,
    source: request.source,
    instance: callerInstance(request),
  };
  try {
    return await untilNotOvertaken('claim_refused', async () => {
      const asked = { codeId: found.id, request: certificationRequestOf(csr) };
      return await deps.changes.run(actor, (stores, tell) => claim(deps, stores, tell, asked));
    });
  } catch (error) {
    if (error instanceof ClaimCodeRefused) throw new Refusal(FAULTS[error.fault]);
    throw error;
  }
}
