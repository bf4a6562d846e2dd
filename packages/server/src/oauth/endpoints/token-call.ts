// What introspection (RFC 7662 §2.1) and revocation (RFC 7009 §2.1) share: a client proves itself and names a token.
import type { HttpResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { Refusal } from '../refusal.ts';
import { type ClientCall, type ClientCallDeps, createClientCallEndpoint } from './client-call.ts';

export interface TokenCall extends Omit<ClientCall, 'form'> {
  /** As it came: any text. */
  readonly token: string;
  /** Read for certificates only: all tokens here are of one type (RFC 7009 §2.1). */
  readonly hint: string | undefined;
}

/** A token in the URL is in somebody's log by now. */
const TOKEN_IN_QUERY = /(?:^|&)token=/;

export function createTokenCallEndpoint(
  deps: ClientCallDeps,
  answer: (call: TokenCall) => HttpResponse | Promise<HttpResponse>,
): Endpoint {
  return createClientCallEndpoint(deps, TOKEN_IN_QUERY, ({ request, client, form, at }) => {
    const token = form.get('token');
    if (token === undefined || token === '') throw new Refusal('token_missing');
    return answer({ request, client, token, hint: form.get('token_type_hint'), at });
  });
}
