// Whether a token of the admin API may be used by who presents it: RFC 9449 §4.3, §7, §11.1; RFC 8705 §3; RFC 7800 §3.1.
import {
  certificateThumbprint,
  checkDpopProof,
  type Confirmation,
  dpopProofUse,
  dpopUri,
  type TokenScheme,
} from '@countersign/protocol';
import { type Clock, epochSeconds } from '../../clock.ts';
import { header, type HttpRequest } from '../../http/request.ts';
import { ProofShareUsedUp } from '../../storage/errors.ts';
import type { Storage } from '../../storage/storage.ts';
import { markedUntil } from '../../storage/used-once.ts';

export interface SenderProofDeps {
  readonly issuer: string;
  readonly storage: { readonly usedOnce: Pick<Storage['usedOnce'], 'claim'> };
  readonly clock: Clock;
}

/** What is wrong with the proof itself: these have an error code of their own. */
export type ProofReason =
  | 'dpop_proof_missing'
  | 'dpop_proof_repeated'
  | 'dpop_proof_refused'
  | 'dpop_proof_replayed';

export type SenderReason =
  | ProofReason
  | 'sender_constrained'
  | 'bound_token_as_bearer'
  | 'unbound_token_as_dpop'
  | 'dpop_key_mismatch'
  | 'token_certificate_missing'
  | 'token_certificate_mismatch';

export function isProofReason(reason: string): reason is ProofReason {
  return reason.startsWith('dpop_proof_');
}

/** Why the token may not be used, `undefined` when it may: a good proof is used up. Rejects when that cannot be known. */
export async function checkSender(
  { issuer, storage, clock }: SenderProofDeps,
  request: HttpRequest,
  {
    token,
    scheme,
    cnf,
    holder,
  }: {
    readonly token: string;
    readonly scheme: TokenScheme;
    readonly cnf: Confirmation | undefined;
    /** The subject of the token, in whose share of the used proofs this one counts. */
    readonly holder: string;
  },
): Promise<SenderReason | ProofShareUsedUp | undefined> {
  if (cnf === undefined) return scheme === 'DPoP' ? 'unbound_token_as_dpop' : undefined;
  const { jkt: key, 'x5t#S256': thumbprint } = cnf;
  // RFC 7800 §3.1: of a confirmation that is not understood in full nothing is understood.
  if (cnf.unknown.length > 0 || (key ?? thumbprint) === undefined) return 'sender_constrained';
  const fault = thumbprint === undefined ? undefined : certificateFault(request, thumbprint);
  if (fault !== undefined) return fault;
  if (key === undefined) return scheme === 'DPoP' ? 'unbound_token_as_dpop' : undefined;
  // RFC 9449 §7.2.
  if (scheme !== 'DPoP') return 'bound_token_as_bearer';
  const reading = header(request, 'dpop');
  if (reading.kind === 'absent') return 'dpop_proof_missing';
  if (reading.kind === 'many') return 'dpop_proof_repeated';
  // As callers know it: the Host header says nothing.
  const uri = dpopUri(`${new URL(issuer).origin}${request.path}`);
  if (uri === undefined) return 'dpop_proof_refused';
  const checked = checkDpopProof(reading.value, {
    method: request.method,
    uris: [uri],
    now: epochSeconds(clock),
    accessToken: token,
  });
  if (!checked.ok) return 'dpop_proof_refused';
  if (checked.proof.jkt !== key) return 'dpop_key_mismatch';
  const { id, until } = dpopProofUse(checked.proof, uri);
  try {
    const fresh = await storage.usedOnce.claim('dpop', id, markedUntil(until), holder);
    return fresh ? undefined : 'dpop_proof_replayed';
  } catch (error) {
    if (error instanceof ProofShareUsedUp) return error;
    throw error;
  }
}

function certificateFault({ clientCertificate }: HttpRequest, thumbprint: string): SenderReason | undefined {
  const leaf = clientCertificate?.chain[0];
  if (leaf === undefined) return 'token_certificate_missing';
  return certificateThumbprint(leaf) === thumbprint ? undefined : 'token_certificate_mismatch';
}
