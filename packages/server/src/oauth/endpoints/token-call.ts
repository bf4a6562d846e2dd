// What introspection (RFC 7662 §2.1) and revocation (RFC 7009 §2.1) share: a client proves itself and names a token.
import type { Clock } from '../../clock.ts';
import type { HttpRequest } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import { type AuthenticateDeps, authenticate, present, refuseUnproved } from '../client-auth/authenticate.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import type { Attempt } from './attempt.ts';
import type { Budgets } from './budgets.ts';
import type { IssuanceRecord } from './issuance-record.ts';
import { readForm } from './read-form.ts';
import { refuse } from './token.ts';

export interface TokenCallDeps extends AuthenticateDeps {
  readonly record: Pick<IssuanceRecord, 'refused'>;
  /** Failures here count with those at the token endpoint, or guessing would go on here. */
  readonly budgets?: Budgets | undefined;
  readonly clock: Clock;
  readonly report: (error: unknown, requestId: string) => void;
}

export interface TokenCall {
  readonly request: HttpRequest;
  readonly client: AuthenticatedClient;
  /** As it came: any text. `token_type_hint` is not read, because all tokens here are of one type (RFC 7009 §2.1). */
  readonly token: string;
  /** Epoch ms. */
  readonly at: number;
}

export function createTokenCallEndpoint(
  deps: TokenCallDeps,
  answer: (call: TokenCall) => HttpResponse | Promise<HttpResponse>,
): Endpoint {
  return async (request) => {
    const attempt: Attempt = { request, at: deps.clock.now() };
    try {
      // A token in the URL is in somebody's log by now.
      if (/(?:^|&)token=/.test(request.query)) throw new Refusal('credentials_in_query');
      const form = readForm(request);
      const claim = present(deps.methods, request, form);
      attempt.claimed = claim?.presented.clientId ?? form.get('client_id');
      attempt.method = claim?.method.name;
      if (claim === undefined) return await refuseUnproved(deps, request, form, attempt.at);
      const proving = authenticate(deps, claim, attempt.at);
      const client = (attempt.client = proving instanceof Promise ? await proving : proving);
      const token = form.get('token');
      if (token === undefined || token === '') throw new Refusal('token_missing');
      return await answer({ request, client, token, at: attempt.at });
    } catch (error) {
      return refuse(deps, attempt, error);
    }
  };
}
