// Token revocation: RFC 7009. A self-contained token is revoked by a cut-off, which reaches whoever follows the feed.
import type { Actor, Changes } from '../../audit/change.ts';
import { callerInstance } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import type { RandomBytes } from '../../ids.ts';
import { cutOffToken } from '../../registry/cut-off.ts';
import { Refusal } from '../refusal.ts';
import type { OwnTokenReader } from '../tokens/own-token.ts';
import { liveScopes, type TokenStateDeps } from '../tokens/token-state.ts';
import type { ClientCallDeps } from './client-call.ts';
import { createTokenCallEndpoint, type TokenCall } from './token-call.ts';

export interface RevokeDeps extends ClientCallDeps, Pick<TokenStateDeps, 'ledger'> {
  readonly ownTokens: Pick<OwnTokenReader, 'read'>;
  readonly changes: Changes;
  readonly random: RandomBytes;
}

export function createRevokeEndpoint(deps: RevokeDeps): Endpoint {
  return createTokenCallEndpoint(deps, async (call) => {
    const own = await deps.ownTokens.read(call.token);
    // RFC 7009 §2.2: what is no token, or none any more, is as revoked as it can be.
    if (own === undefined || (await liveScopes(deps, own, call.at)).length === 0) return REVOKED;
    const { client_id: clientId, jti } = own.claims;
    if (clientId !== call.client.facts.identity.clientId) throw new Refusal('token_of_another_client');
    deps.budgets?.spendRevocation(call.client.facts.identity, call.at);
    await deps.changes.run(actorOf(call), (stores, tell) =>
      cutOffToken(deps, stores, tell, { jti, reason: 'revoked by its client', orderedBy: clientId }),
    );
    return REVOKED;
  });
}

/** RFC 7009 §2.2: the client looks at the status alone. */
const REVOKED: HttpResponse = {
  status: 200,
  headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
  body: '',
};

function actorOf({ client, request }: TokenCall): Actor {
  return {
    identity: client.facts.identity.clientId,
    credential: client.credential.id,
    requestId: request.id,
    source: request.source,
    instance: callerInstance(request),
  };
}
