// MCP servers over HTTP, as the MCP authorization specification (2025-11-25) wants them: RFC 9728 metadata, RFC 6750
// challenges that name it and the scope to ask for, tokens for this server alone (RFC 8707).
import { formatScope, parseScope } from '@countersign/protocol/portable';
import { presentedToken, type RequestHeaders } from '../presented-token.ts';
import type { Refusal } from '../refusal.ts';
import { watchScope } from '../require-scope.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';
import type { Watched } from '../watch.ts';
import { type Answer, refusalAnswer } from './answer.ts';
import {
  endWith,
  type NodeStreamResponse,
  resourceMetadata as metadataOf,
  send,
  setHeaders,
} from './node-http.ts';
import { headersOf, resourceMetadata as metadataOfFetch, respondWith, toResponse } from './fetch.ts';

/** What the MCP SDK hands to tools as `authInfo`. `extra.auth` holds claims and scopes. */
export interface McpAuthInfo {
  /** For an exchange (RFC 8693) and nothing else: passing it on is what the specification forbids. */
  token: string;
  clientId: string;
  scopes: string[];
  /** Epoch seconds. */
  expiresAt: number;
  resource: URL;
  resourceMetadataUrl: string;
  extra: { auth: Verified };
}

/** What is used of a request of node or Express. After `requireScope`, `auth` is what the MCP SDK looks for. */
export interface McpRequest extends RequestHeaders {
  auth?: McpAuthInfo;
}

type Decision =
  | { readonly ok: true; readonly auth: McpAuthInfo; readonly watched: Watched }
  | { readonly ok: false; readonly answer: Answer };

export interface McpGuard {
  /**
   * For node:http and Express: answers what it refuses and the metadata document; calls `next` for what may pass. The answer
   * may be a stream of events, and ends with the token.
   */
  middleware(
    request: McpRequest,
    response: NodeStreamResponse,
    next: (error?: unknown) => void,
  ): Promise<void>;
  /** The same for runtimes with fetch: `handler` is called with what to hand to the transport as `authInfo`. */
  fetch(
    handler: (request: Request, authInfo: McpAuthInfo) => Response | Promise<Response>,
  ): (request: Request) => Promise<Response>;
}

/**
 * Guards an MCP endpoint: every request needs a token with all of `scope`. The verifier needs the option `metadata`, and its
 * `audience` is the address of the endpoint.
 * @throws TypeError when there is no metadata: the specification has no MCP server without
 */
export function mcpGuard(verifier: Verifier, scope: string | readonly string[]): McpGuard {
  const { metadata } = verifier;
  if (metadata === undefined)
    throw new TypeError('metadata: the verifier of an MCP server needs this option');
  const { url, document } = metadata;
  const wanted = formatScope(parseScope(typeof scope === 'string' ? scope : scope.join(' ')) ?? []);
  const answersMetadata = metadataOf(verifier);
  const metadataResponse = metadataOfFetch(verifier);

  async function decide(request: RequestHeaders): Promise<Decision> {
    const watched = await watchScope(verifier, request, scope);
    if (!watched.ok) return { ok: false, answer: refusalAnswer(withScope(watched, wanted)) };
    const found = presentedToken(request, { apiKeys: verifier.takesApiKeys });
    const { claims, scopes, headers } = watched;
    const auth = {
      token: found.ok ? found.token : '',
      clientId: claims.client_id,
      scopes: [...scopes],
      expiresAt: claims.exp,
      resource: new URL(document.resource),
      resourceMetadataUrl: url,
      extra: { auth: { ok: true, claims, scopes, ...(headers === undefined ? {} : { headers }) } as const },
    };
    return { ok: true, auth, watched };
  }

  return {
    async middleware(request, response, next) {
      if (answersMetadata(request, response)) return;
      let decision: Decision;
      try {
        decision = await decide(request);
      } catch (error) {
        next(error);
        return;
      }
      if (!decision.ok) {
        send(response, decision.answer);
        return;
      }
      if (!endWith(response, decision.watched)) return;
      request.auth = decision.auth;
      setHeaders(response, decision.watched.headers);
      next();
    },
    fetch: (handler) => async (request) => {
      const metadataOnly = metadataResponse(request);
      if (metadataOnly !== undefined) return metadataOnly;
      const decision = await decide(headersOf(request));
      if (!decision.ok) return toResponse(decision.answer);
      const { auth, watched } = decision;
      return await respondWith(watched, () => handler(request, auth));
    },
  };
}

/** The specification lets a client learn at once what to ask for, not only when it lacks something. */
function withScope(refusal: Refusal, scope: string): Refusal {
  const challenge = refusal.headers['WWW-Authenticate'];
  if (refusal.status !== 401 || challenge === undefined || scope === '') return refusal;
  const separator = challenge.includes(' ') ? ', ' : ' ';
  return {
    ...refusal,
    headers: { ...refusal.headers, 'WWW-Authenticate': `${challenge}${separator}scope="${scope}"` },
  };
}
