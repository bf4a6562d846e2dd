// The keys from which a resource server derives those of its clients: what RFC 9202 §3.3.1 assumes it to share with the authority.
import { type HttpResponse, jsonResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import type { Keystore } from '../../keys/keystore.ts';
import { standsFor } from '../../registry/stands-for.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import { derivationKey } from '../tokens/issue-cwt.ts';
import { keyTag } from '../tokens/pop-key-id.ts';
import { type ClientCallDeps, createClientCallEndpoint } from './client-call.ts';

export interface DerivationKeysDeps extends ClientCallDeps {
  readonly keystore: Pick<Keystore, 'openingKeys' | 'sealingKey'>;
}

/** Nothing in it is a secret; it is read from the body alone all the same. */
const IN_QUERY = /(?:^|&)resource=/;

/** For a client that stands for the resource server (`tokens:derive`); to all others there is no such resource. */
export function createDerivationKeysEndpoint(deps: DerivationKeysDeps): Endpoint {
  return createClientCallEndpoint(deps, IN_QUERY, async ({ client, form, at }): Promise<HttpResponse> => {
    const resource = form.get('resource');
    if (resource === undefined) throw new Refusal('resource_missing');
    if (!hasCwt(client, resource) || !standsFor(client, [resource], 'derive', at))
      throw new Refusal('access_missing');
    // Reads the keys anew where there are none yet.
    const active = await deps.keystore.sealingKey();
    const all = [active, ...deps.keystore.openingKeys().filter(({ kid }) => kid !== active.kid)];
    const keys = all.map((key) => ({
      kid: key.kid,
      tag: keyTag(key).toString('base64url'),
      k: Buffer.from(derivationKey(key, resource)).toString('base64url'),
    }));
    return jsonResponse(200, { resource, keys }, { 'cache-control': 'no-store', pragma: 'no-cache' });
  });
}

function hasCwt({ facts }: AuthenticatedClient, resource: string): boolean {
  return facts.access.some(
    ({ resourceServer: { identifier, token } }) => identifier === resource && token.format === 'cwt',
  );
}
