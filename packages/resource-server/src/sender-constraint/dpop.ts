// A DPoP proof beside an access token: RFC 9449 §4.3, §7.1, §7.2, §9, §11.1.
import {
  checkDpopProof,
  createDpopNonces,
  DPOP_PROOF_REASONS,
  type DpopNonces,
  type DpopProof,
  dpopProofUse,
  dpopUri,
} from '@countersign/protocol';
import type { Finding } from '../finding.ts';
import type { DpopSettings } from './settings.ts';

/** What a proof is checked against. */
export interface ProvenRequest {
  readonly token: string;
  readonly jkt: string;
  readonly dpop: string | undefined;
  readonly method: string | undefined;
  readonly url: string | undefined;
}

export interface DpopCheck {
  /** What is wrong with the proof, `undefined` when it holds. A good one is used up by this. */
  check(request: ProvenRequest): Finding | undefined | Promise<Finding | undefined>;
  /** Headers for every answer to a bound token, when nonces are asked for: RFC 9449 §8.2. */
  nonceHeaders(): Readonly<Record<string, string>> | undefined;
}

export function createDpopCheck(
  { publicUrls, nonceKey, usedProofs }: DpopSettings,
  clock: () => number,
): DpopCheck {
  const nonces: DpopNonces | undefined = nonceKey === undefined ? undefined : createDpopNonces(nonceKey);

  /** RFC 9449 §11.1: once per key and URL. What cannot be known to be new is not taken. */
  async function claim(proof: DpopProof, uri: string): Promise<Finding | undefined> {
    const { id, until } = dpopProofUse(proof, uri);
    try {
      const fresh = await usedProofs.claim(id, until);
      return fresh ? undefined : { reason: 'dpop_proof_replayed' };
    } catch (error) {
      return {
        reason: 'used_proofs_unavailable',
        detail: error instanceof Error ? error.message : undefined,
      };
    }
  }

  return {
    check({ token, jkt, dpop, method, url }) {
      if (dpop === undefined) return { reason: 'dpop_proof_missing' };
      if (typeof dpop !== 'string') return { reason: 'dpop_proof_malformed' };
      if (method === undefined || url === undefined) {
        return { reason: 'sender_constraint_not_supported', detail: 'verify was not told method and url' };
      }
      const uris = addressesOf(url, publicUrls);
      if (uris.length === 0) {
        return { reason: 'sender_constraint_not_supported', detail: 'the option publicUrl is not set' };
      }
      const now = clock();
      const checked = checkDpopProof(dpop, { method, uris, now, accessToken: token });
      if (!checked.ok) return { reason: DPOP_PROOF_REASONS[checked.fault], detail: checked.fault };
      const { proof } = checked;
      // RFC 9449 §6.1: the key of the proof is the key of the token.
      if (proof.jkt !== jkt) return { reason: 'dpop_key_mismatch' };
      // RFC 9449 §9.
      if (nonces !== undefined && proof.nonce === undefined) return { reason: 'dpop_nonce_missing' };
      if (nonces !== undefined && !nonces.accepts(proof.nonce as string, now * 1000)) {
        return { reason: 'dpop_nonce_unknown' };
      }
      return claim(proof, uris[0] as string);
    },
    nonceHeaders: () =>
      nonces === undefined
        ? undefined
        : { 'DPoP-Nonce': nonces.current(clock() * 1000), 'Cache-Control': 'no-store' },
  };
}

/** Where the request went, as its sender sees it. A path is read below the addresses at which this API is reached. */
function addressesOf(url: string, publicUrls: readonly string[]): readonly string[] {
  const full = url.startsWith('/') ? publicUrls.map((base) => `${base}${url}`) : [url];
  return full.map(dpopUri).filter((uri) => uri !== undefined);
}
