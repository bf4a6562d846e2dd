// A client gives its key a successor: authenticated by the present key (RFC 7523 §2.2), which names the new one (RFC 7800 §3.1), and
// proved by the new key. Why not in the admin API: docs/decisions/0041-rotation-with-overlap.md.
import { newKeyNamedIn, type NewKeyProofFault, readNewKeyProof } from '@countersign/protocol';
import type { Actor, Changes } from '../../audit/change.ts';
import { callerInstance } from '../../http/request.ts';
import { type HttpResponse, jsonResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { type Rotated, rotateItself, type RotateItselfDeps } from '../../registry/rotation/rotate-itself.ts';
import { rfc3339 } from '../../registry/views.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { type ClientCall, type ClientCallDeps, createClientCallEndpoint } from './client-call.ts';
import { untilNotOvertaken } from './overtaken.ts';

export interface RotateEndpointDeps extends ClientCallDeps, RotateItselfDeps {
  readonly issuer: string;
  readonly changes: Changes;
}

const NEW_KEY_IN_QUERY = /(?:^|&)new_key=/;

export function createRotateEndpoint(deps: RotateEndpointDeps): Endpoint {
  return createClientCallEndpoint(deps, NEW_KEY_IN_QUERY, async (call) => {
    if (call.client.method !== 'private_key_jwt' || !isOwnKey(call)) throw new Refusal('rotation_method');
    const jwk = newKeyOf(deps, call);
    return answerOf(await rotated(deps, call, jwk));
  });
}

/** Of a key set that its client publishes itself, its client rotates by publishing. */
function isOwnKey({ client: { credential } }: ClientCall): boolean {
  return credential.material.type === 'private_key_jwt' && credential.material.jwk !== undefined;
}

const FAULTS: { readonly [fault in NewKeyProofFault]: RefusalReason } = {
  malformed: 'new_key_malformed',
  wrong_claims: 'new_key_malformed',
  outdated: 'new_key_malformed',
  bad_key: 'new_key_unacceptable',
  bad_signature: 'new_key_unproved',
};

/** The new key, which both have signed for: itself, and the present one by naming it. */
function newKeyOf(
  { issuer }: RotateEndpointDeps,
  { client, form, at }: ClientCall,
): Parameters<typeof rotateItself>[3]['jwk'] {
  const text = form.get('new_key');
  if (text === undefined || text === '') throw new Refusal('new_key_missing');
  const { clientId } = client.facts.identity;
  const proof = readNewKeyProof(text, { issuer, clientId, now: Math.floor(at / 1000) });
  if (!proof.ok) throw new Refusal(FAULTS[proof.fault]);
  // It was verified just now: it is what the client proved itself by.
  const assertion = form.get('client_assertion') ?? '';
  if (newKeyNamedIn(assertion) !== proof.thumbprint) throw new Refusal('new_key_not_named');
  return proof.jwk;
}

/** Copies of one client may ask with the same key: who was later finds it done. */
async function rotated(
  deps: RotateEndpointDeps,
  call: ClientCall,
  jwk: Parameters<typeof rotateItself>[3]['jwk'],
): Promise<Rotated> {
  return await untilNotOvertaken('rotation_refused', () =>
    deps.changes.run(actorOf(call), (stores, tell) =>
      rotateItself(deps, stores, tell, { credentialId: call.client.credential.id, jwk }),
    ),
  );
}

function answerOf({ old, successor }: Rotated): HttpResponse {
  const body = {
    credential: successor.id,
    expires_at: rfc3339(successor.expiresAt),
    predecessor: old.id,
    predecessor_ends_at: rfc3339(old.expiresAt),
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
