// One grant type of RFC 6749 §4: what a grant may do, and what it must leave to the token endpoint.
import type { Form } from '@countersign/protocol';
import type { HttpRequest } from '../../http/request.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import type { Authorization } from '../tokens/authorization.ts';

/**
 * Fills the one gap between authentication and issuance: what is asked for. Shared steps belong to
 * endpoints/token.ts; a grant can neither authenticate, nor decide what is held, nor issue.
 */
export interface Grant {
  /** Registered value of `grant_type`. */
  readonly type: string;
  /**
   * Who asks, where the grant's own assertion says so and the request has no client authentication (RFC 7521 §4.1,
   * §6.2). Absent, or undefined where this form says nothing of the kind: for authenticated clients. Throws `Refusal`.
   */
  identify?(request: HttpRequest, form: Form, now: number): Promise<AuthenticatedClient> | undefined;
  /** Throws `Refusal` when the form does not make sense for this grant. */
  authorize(form: Form, client: AuthenticatedClient, now: number): Authorization | Promise<Authorization>;
}

/** Grants by their registered name; an unknown name is nothing, never a near match. */
export type GrantTable = ReadonlyMap<string, Grant>;
