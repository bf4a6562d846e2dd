// What the admin API publishes of itself: its description, and its metadata as a protected resource (RFC 9728 §3).
import { ADMIN_SCOPE_NAMES, openApiDocument } from '@countersign/admin-api';
import { DPOP_ALGORITHMS, type ResourceMetadata, resourceMetadataUrl } from '@countersign/protocol';
import { jsonResponse } from '../../http/response.ts';
import type { Route } from '../../http/route.ts';
import type { PeopleDeps } from '../../registry/people.ts';
import { activePeopleIssuer } from '../../registry/people-issuer.ts';
import { ProblemError, problemResponse } from './problem.ts';

export interface PublishedDeps {
  readonly people: PeopleDeps;
  readonly issuer: string;
  readonly resource: string;
  readonly version: string;
}

const CACHED = { 'cache-control': 'public, max-age=300' } as const;

export function publishedRoutes(deps: PublishedDeps): readonly Route[] {
  const read = { method: 'GET', bodyLimit: 0, errors: 'problem' } as const;
  const routes: Route[] = [{ ...read, path: '/openapi.json', endpoint: openApi(deps) }];
  const url = resourceMetadataUrl(deps.resource);
  if (url !== undefined) {
    const document: ResourceMetadata = {
      resource: deps.resource,
      authorization_servers: [deps.issuer],
      scopes_supported: ADMIN_SCOPE_NAMES,
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
      dpop_bound_access_tokens_required: false,
      resource_name: 'Countersign admin API',
    };
    const response = jsonResponse(200, document, CACHED);
    routes.push({ ...read, path: new URL(url).pathname, endpoint: async () => response });
  }
  routes.push({ ...read, path: '/v1/sign-in', endpoint: signInOf(deps) });
  return routes;
}

/**
 * Where people sign in, for a client that has nobody's token yet. Anybody who sees the provider's page sees as much.
 */
function signInOf({ people, issuer, resource }: PublishedDeps): Route['endpoint'] {
  return async (request) => {
    const found = await activePeopleIssuer(people.trustedIssuers, people.builtIn);
    if (found?.people === undefined) {
      const detail = 'nobody signs in here: there is no active trusted issuer of kind people';
      return problemResponse(new ProblemError('not_found', { detail }), request.id);
    }
    const { clientId, consoleClientId, scope } = found.people;
    const answer = {
      issuer: found.issuer,
      client_id: clientId,
      console_client_id: consoleClientId ?? clientId,
      scope,
      ca: found.ca ?? null,
      token_endpoint: `${issuer}/oauth/token`,
      resource,
    };
    return jsonResponse(200, answer, { 'cache-control': 'no-store' });
  };
}

/** Made when it is first asked for: it takes longer than anything else at the start. */
function openApi({ issuer, version }: PublishedDeps): Route['endpoint'] {
  let body: Buffer | undefined;
  return async () => {
    // Bytes, made once: an answer of this size is not copied for each caller.
    body ??= Buffer.from(JSON.stringify(openApiDocument({ issuer, version })), 'utf8');
    return { status: 200, headers: { 'content-type': 'application/json', ...CACHED }, body };
  };
}
