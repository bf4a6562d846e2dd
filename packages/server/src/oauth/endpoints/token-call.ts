// What introspection (RFC 7662 §2.1) and revocation (RFC 7009 §2.1) share: a client proves itself and names a token.
import type { HttpResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { Refusal } from '../refusal.ts';
import { type ClientCall, type ClientCallDeps, createClientCallEndpoint } from './client-call.ts';
import type { OtherBodies } from './read-form.ts';

export interface TokenCall extends ClientCall {
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
  others?: OtherBodies,
): Endpoint {
  const answerCall = (call: ClientCall): HttpResponse | Promise<HttpResponse> => {
    const { form } = call;
    const token = form.get('token');
    if (token === undefined || token === '') throw new Refusal('token_missing');
    return answer({ ...call, token, hint: form.get('token_type_hint') });
  };
  return createClientCallEndpoint(deps, TOKEN_IN_QUERY, answerCall, others);
}
