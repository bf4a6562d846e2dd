// The keys from which a resource server derives those of its clients: what RFC 9202 §3.3.1 assumes it to share with the authority.
import { canonicalJson } from '@countersign/tlog';
import type { AuditEvent } from '../../audit/event.ts';
import type { AuditLog } from '../../audit/log.ts';
import { callerInstance } from '../../http/request.ts';
import { type HttpResponse, jsonResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { newId, type RandomBytes } from '../../ids.ts';
import type { Keystore } from '../../keys/keystore.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import { derivationKey } from '../tokens/issue-cwt.ts';
import { keyTag } from '../tokens/pop-key-id.ts';
import { type ClientCall, type ClientCallDeps, createClientCallEndpoint } from './client-call.ts';
import type { PolicyDeps } from './require-policy.ts';
import { refuseUnmet, requirePolicyInCall, standsInCall } from './standing-call.ts';

export interface DerivationKeysDeps extends ClientCallDeps, PolicyDeps {
  readonly keystore: Pick<Keystore, 'openingKeys' | 'sealingKey'>;
  readonly log: Pick<AuditLog, 'append'>;
  readonly random: RandomBytes;
  /** Name of this process, in the event. */
  readonly node: string;
}

/** Nothing in it is a secret; it is read from the body alone all the same. */
const IN_QUERY = /(?:^|&)resource=/;

/** For a client that stands for the resource server (`tokens:derive`); to all others there is no such resource. */
export function createDerivationKeysEndpoint(deps: DerivationKeysDeps): Endpoint {
  return createClientCallEndpoint(deps, IN_QUERY, async (call): Promise<HttpResponse> => {
    const { client, form } = call;
    const resource = form.get('resource');
    if (resource === undefined) throw new Refusal('resource_missing');
    if (!hasCwt(client, resource) || !standsInCall(call, [resource], 'derive')) {
      refuseUnmet(call);
      throw new Refusal('access_missing');
    }
    requirePolicyInCall(deps, call, resource, 'derive');
    // Reads the keys anew where there are none yet.
    const active = await deps.keystore.sealingKey();
    const all = [active, ...deps.keystore.openingKeys().filter(({ kid }) => kid !== active.kid)];
    const keys = all.map((key) => ({
      kid: key.kid,
      tag: keyTag(key).toString('base64url'),
      k: Buffer.from(derivationKey(key, resource)).toString('base64url'),
    }));
    await deps.log.append(givenEvent(deps, call, resource, keys));
    return jsonResponse(200, { resource, keys }, { 'cache-control': 'no-store', pragma: 'no-cache' });
  });
}

/** Whoever has the keys can speak for every client of the resource server: durable before they leave. */
function givenEvent(
  { random, node }: DerivationKeysDeps,
  { client, request, at }: ClientCall,
  resource: string,
  keys: readonly { readonly kid: string }[],
): AuditEvent {
  return {
    id: newId('evt', random),
    at: new Date(at).toISOString(),
    type: 'derivation_keys.given',
    outcome: 'success',
    request_id: request.id,
    identity: client.facts.identity.clientId,
    credential: client.credential.id,
    resource,
    method: client.method,
    source: request.source,
    instance: callerInstance(request),
    node,
    detail: canonicalJson({ kids: keys.map(({ kid }) => kid) }),
  };
}

function hasCwt({ facts }: AuthenticatedClient, resource: string): boolean {
  return facts.access.some(
    ({ resourceServer: { identifier, token } }) => identifier === resource && token.format === 'cwt',
  );
}
