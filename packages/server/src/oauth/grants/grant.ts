// One grant type of RFC 6749 §4: what a grant may do, and what it must leave to the token endpoint.
import type { Form } from '@countersign/protocol';
import type { AccessAsked } from '../../registry/effective-access.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';

/**
 * Fills the one gap between authentication and issuance: what is asked for. Shared steps belong to
 * endpoints/token.ts; a grant can neither authenticate, nor decide what is held, nor issue.
 */
export interface Grant {
  /** Registered value of `grant_type`. */
  readonly type: string;
  /** Throws `Refusal` when the form does not make sense for this grant. */
  authorize(form: Form, client: AuthenticatedClient): AccessAsked | Promise<AccessAsked>;
}

/** Grants by their registered name; an unknown name is nothing, never a near match. */
export type GrantTable = ReadonlyMap<string, Grant>;
