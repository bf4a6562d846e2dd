// What every endpoint shares that a client proves itself at (RFC 6749 §2.3) and that issues nothing.
import type { Form } from '@countersign/protocol';
import type { Clock } from '../../clock.ts';
import type { HttpRequest } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';
import type { CredentialInstances } from '../../registry/use/credential-instances.ts';
import {
  type AuthenticateDeps,
  authenticate,
  claimedBy,
  present,
  refuseUnproved,
} from '../client-auth/authenticate.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import type { Attempt } from './attempt.ts';
import type { Budgets } from './budgets.ts';
import { instanceOf, type IssuanceRecord } from './issuance-record.ts';
import { type OtherBodies, readForm } from './read-form.ts';
import { refuse } from './token.ts';

export interface ClientCallDeps extends AuthenticateDeps {
  readonly record: Pick<IssuanceRecord, 'refused'>;
  /** Absent: who uses which credential is not noted. */
  readonly instances?: Pick<CredentialInstances, 'saw'> | undefined;
  /** Failures here count with those at the token endpoint, or guessing would go on here. */
  readonly budgets?: Budgets | undefined;
  readonly clock: Clock;
  readonly report: (error: unknown, requestId: string) => void;
}

export interface ClientCall {
  readonly request: HttpRequest;
  readonly client: AuthenticatedClient;
  readonly form: Form;
  /** Epoch ms. */
  readonly at: number;
  /** What the log is told of a refusal. */
  readonly attempt: Attempt;
}

/** `secretInQuery`: a parameter that must not be in a URL, because it would be in somebody's log by now. `others`: what is taken beside forms. */
export function createClientCallEndpoint(
  deps: ClientCallDeps,
  secretInQuery: RegExp,
  answer: (call: ClientCall) => HttpResponse | Promise<HttpResponse>,
  others?: OtherBodies,
): Endpoint {
  return async (request) => {
    const attempt: Attempt = { request, at: deps.clock.now() };
    try {
      if (secretInQuery.test(request.query)) throw new Refusal('credentials_in_query');
      const form = readForm(request, others);
      const claim = present(deps.methods, request, form);
      attempt.claimed = claimedBy(claim, form);
      attempt.method = claim?.method.name;
      if (claim === undefined) return await refuseUnproved(deps, request, form, attempt.at);
      const proving = authenticate(deps, claim, attempt.at);
      const client = (attempt.client = proving instanceof Promise ? await proving : proving);
      if (client.spent !== undefined) await client.spent.keep();
      deps.instances?.saw(client.credential, instanceOf(request, client), request.source, attempt.at);
      return await answer({ request, client, form, at: attempt.at, attempt });
    } catch (error) {
      return refuse(deps, attempt, error);
    }
  };
}
