// Whether a caller may be answered as who stands for an API, from there and now: RFC 7662 §4; docs/decisions/0063-conditions-of-standing-access.md.
import { certificateThumbprint } from '@countersign/protocol';
import {
  type StandingAs,
  type StandingCall,
  standingAt,
  standsFor,
  unmetStanding,
} from '../../registry/stands-for.ts';
import { Refusal } from '../refusal.ts';
import type { ClientCall } from './client-call.ts';
import type { IssuanceRecord } from './issuance-record.ts';
import { type PolicyDeps, requirePolicy } from './require-policy.ts';

/**
 * Whether the client of a call stands for one of these APIs. Where that fails for a condition of its access alone, the call's attempt
 * knows of that access.
 */
export function standsInCall(
  { client, request, at, attempt }: ClientCall,
  audience: readonly string[],
  as: StandingAs,
): boolean {
  // A certificate counts as for a token that is bound to it, however the client proved itself; proofs of DPoP are for the token endpoint.
  const boundTo = request.clientCertificate === undefined ? undefined : 'mtls';
  const call: StandingCall = { source: request.source, boundTo, now: at };
  if (standsFor(client, audience, as, call)) return true;
  const unmet = unmetStanding(client, audience, as, call);
  if (unmet !== undefined) {
    attempt.held = unmet.held;
    attempt.unmet = unmet.reason;
  }
  return false;
}

/** Throws the `Refusal` of a caller that would be answered, did a condition of its access hold. */
export function refuseUnmet({ attempt }: ClientCall): void {
  if (attempt.unmet !== undefined) throw new Refusal(attempt.unmet);
}

/**
 * Throws the `Refusal` of a policy that would give the client no token for that API now: what opens as much is given to no others.
 * Why here and not at introspection: docs/decisions/0077-derivation-keys-are-given-as-tokens-are.md.
 */
export function requirePolicyInCall(
  deps: PolicyDeps,
  { client, request, at, attempt }: ClientCall,
  identifier: string,
  as: StandingAs,
): void {
  const [held] = standingAt(client, [identifier], as, at);
  if (held === undefined) throw new Refusal('access_missing');
  attempt.held = held;
  const leaf = request.clientCertificate?.chain[0];
  const confirmation = leaf && { 'x5t#S256': certificateThumbprint(leaf) };
  requirePolicy(deps, client, held, { source: request.source, confirmation }, at);
}

/** Where the caller is answered as if there were nothing (RFC 7662 §2.2), the log is told what it lacked. */
export async function noteUnmet(
  record: Pick<IssuanceRecord, 'refused'>,
  { attempt }: ClientCall,
): Promise<void> {
  if (attempt.unmet !== undefined) await record.refused(attempt, attempt.unmet);
}
