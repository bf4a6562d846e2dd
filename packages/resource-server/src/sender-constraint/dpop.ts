// A DPoP proof beside an access token: RFC 9449 §4.3, §7.1, §7.2, §9, §11.1.
import {
  DPOP_PROOF_REASONS,
  type DpopProof,
  dpopUri,
  matchDpopProof,
  readDpopProof,
  usedDpopProofText,
  usedDpopProofUntil,
} from '@countersign/protocol/dpop-proof';
import { thumbprintText } from '@countersign/protocol/jwk';
import type { Finding } from '../finding.ts';
import type { Platform } from '../platform/platform.ts';
import { createNonces } from './nonces.ts';
import type { DpopSettings } from './settings.ts';
import { rememberUsedProofs } from './used-proofs.ts';

/** What a proof is checked against. */
export interface ProvenRequest {
  readonly token: string;
  readonly jkt: string;
  /** Whose token it is: proofs of one holder, with whatever keys, share the room of one. */
  readonly holder: string;
  readonly dpop: string | undefined;
  readonly method: string | undefined;
  readonly url: string | undefined;
}

export interface DpopCheck {
  /** What is wrong with the proof, `undefined` when it holds. A good one is used up by this. */
  check(request: ProvenRequest): Promise<Finding | undefined>;
  /** Headers for every answer to a bound token, when nonces are asked for: RFC 9449 §8.2. */
  nonceHeaders(): Promise<Readonly<Record<string, string>> | undefined>;
}

/** `clock`: epoch seconds. */
export function createDpopCheck(
  { publicUrls, nonceKey, usedProofs }: DpopSettings,
  platform: Platform,
  clock: () => number,
): DpopCheck {
  const used =
    usedProofs !== undefined && 'claim' in usedProofs
      ? usedProofs
      : rememberUsedProofs(clock, usedProofs?.limit);
  const nonces = nonceKey === undefined ? undefined : createNonces(nonceKey, platform);

  /** RFC 9449 §4.3, 2 to 12. */
  async function prove(
    dpop: string,
    expected: { readonly method: string; readonly uris: readonly string[]; readonly token: string },
  ): Promise<DpopProof | Finding> {
    const { token, ...rest } = expected;
    const read = readDpopProof(dpop);
    if (!read.ok) return { reason: DPOP_PROOF_REASONS[read.fault], detail: read.fault };
    const { unproven } = read;
    const key = platform.importKey(unproven.key);
    if (key === undefined) return { reason: DPOP_PROOF_REASONS.bad_key, detail: 'bad_key' };
    if (!(await platform.verify(unproven.jws, key))) {
      return { reason: DPOP_PROOF_REASONS.bad_signature, detail: 'bad_signature' };
    }
    const shown = await platform.sha256(thumbprintText(unproven.jwk));
    const ath = await platform.sha256(token);
    const matched = matchDpopProof(unproven, { ...rest, now: clock(), jkt: shown, ath });
    return matched.ok ? matched.proof : { reason: DPOP_PROOF_REASONS[matched.fault], detail: matched.fault };
  }

  /** RFC 9449 §11.1: once per key and URL. What cannot be known to be new is not taken. */
  async function claim(proof: DpopProof, uri: string, holder: string): Promise<Finding | undefined> {
    try {
      const id = await platform.sha256(usedDpopProofText(proof, uri));
      const fresh = await used.claim(id, usedDpopProofUntil(proof), holder);
      return fresh ? undefined : { reason: 'dpop_proof_replayed' };
    } catch (error) {
      return {
        reason: 'used_proofs_unavailable',
        detail: error instanceof Error ? error.message : undefined,
      };
    }
  }

  return {
    async check({ token, jkt, holder, dpop, method, url }) {
      if (dpop === undefined) return { reason: 'dpop_proof_missing' };
      if (typeof dpop !== 'string') return { reason: 'dpop_proof_malformed' };
      if (method === undefined || url === undefined) {
        return { reason: 'sender_constraint_not_supported', detail: 'verify was not told method and url' };
      }
      const uris = addressesOf(url, publicUrls);
      if (uris.length === 0) {
        return { reason: 'sender_constraint_not_supported', detail: 'the option publicUrl is not set' };
      }
      const proof = await prove(dpop, { method, uris, token });
      if ('reason' in proof) return proof;
      // RFC 9449 §6.1: the key of the proof is the key of the token.
      if (proof.jkt !== jkt) return { reason: 'dpop_key_mismatch' };
      // RFC 9449 §9.
      if (nonces !== undefined && proof.nonce === undefined) return { reason: 'dpop_nonce_missing' };
      if (nonces !== undefined && !(await nonces.at(clock())).includes(proof.nonce as string)) {
        return { reason: 'dpop_nonce_unknown' };
      }
      return claim(proof, uris[0] as string, holder);
    },
    async nonceHeaders() {
      const around = await nonces?.at(clock());
      return around && { 'DPoP-Nonce': around[0] as string, 'Cache-Control': 'no-store' };
    },
  };
}

/** Where the request went, as its sender sees it. A path is read below the addresses at which this API is reached. */
function addressesOf(url: string, publicUrls: readonly string[]): readonly string[] {
  const full = url.startsWith('/') ? publicUrls.map((base) => `${base}${url}`) : [url];
  return full.map(dpopUri).filter((uri) => uri !== undefined);
}
