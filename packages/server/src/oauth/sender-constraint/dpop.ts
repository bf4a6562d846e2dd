// Binding a token to a key by a DPoP proof: RFC 9449 §4.3, §5, §8.
import {
  checkDpopProof,
  type ConfirmationMember,
  DPOP_PROOF_REASONS,
  type DpopNonces,
  type DpopProof,
  dpopProofUse,
  dpopUri,
} from '@countersign/protocol';
import { header, type HttpRequest } from '../../http/request.ts';
import { markedUntil, type UsedOnceStore } from '../../storage/used-once.ts';
import { Refusal } from '../refusal.ts';
import type { SenderConstraint } from './constraint.ts';

export interface DpopDeps {
  /** The addresses of the token endpoint, as clients know them. */
  readonly endpoints: readonly string[];
  /** Undefined: proofs need no nonce. */
  readonly nonces: DpopNonces | undefined;
  readonly usedOnce: Pick<UsedOnceStore, 'claim'>;
}

/** A token is bound wherever a proof is shown, wanted or not: RFC 9449 §5. */
export function dpop({ endpoints, nonces, usedOnce }: DpopDeps): SenderConstraint {
  const uris = endpoints.map((url) => dpopUri(url) ?? url);
  const [known = ''] = uris;

  /** RFC 9449 §8: the refusal brings the nonce that is missing. */
  function requireNonce({ nonce }: DpopProof, now: number): void {
    if (nonces === undefined || (nonce !== undefined && nonces.accepts(nonce, now))) return;
    throw new Refusal(nonce === undefined ? 'dpop_nonce_missing' : 'dpop_nonce_unknown', {
      'dpop-nonce': nonces.current(now),
    });
  }

  /** RFC 9449 §11.1: once per key and URL, on every node. An unreachable store rejects, and nothing is issued. */
  async function claim(proof: DpopProof, holder: string): Promise<ConfirmationMember> {
    const { id, until } = dpopProofUse(proof, known);
    const fresh = await usedOnce.claim('dpop', id, markedUntil(until), holder);
    if (!fresh) throw new Refusal('dpop_proof_replayed');
    return { jkt: proof.jkt };
  }

  function read(request: HttpRequest, text: string, now: number): DpopProof {
    const checked = checkDpopProof(text, { method: request.method, uris, now: Math.floor(now / 1000) });
    if (!checked.ok) throw new Refusal(DPOP_PROOF_REASONS[checked.fault]);
    return checked.proof;
  }

  return {
    name: 'dpop',
    confirm(request, _wanted, now, holder) {
      const reading = header(request, 'dpop');
      if (reading.kind === 'absent') return undefined;
      // RFC 9449 §4.3, 1.
      if (reading.kind === 'many') throw new Refusal('dpop_proof_repeated');
      const proof = read(request, reading.value, now);
      requireNonce(proof, now);
      return claim(proof, holder);
    },
    answer: (confirmation, now) =>
      nonces === undefined || !('jkt' in confirmation) ? undefined : { 'dpop-nonce': nonces.current(now) },
  };
}
