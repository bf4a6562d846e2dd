// Problem details of the admin API: RFC 9457 §3. The list is closed; docs/reference/errors.md is made from it.

interface ProblemDefinition {
  readonly status: number;
  readonly title: string;
}

export const PROBLEMS = {
  malformed_request: { status: 400, title: 'The request cannot be read.' },
  validation_failed: { status: 400, title: 'The request has members that are not acceptable.' },
  token_required: { status: 401, title: 'An access token is needed.' },
  invalid_token: { status: 401, title: 'The access token is not valid here, or no longer.' },
  insufficient_scope: { status: 403, title: 'The access token lacks a scope that this needs.' },
  needs_people: { status: 403, title: 'This decision is made by people, not by machines.' },
  not_own: { status: 403, title: 'An owner changes only what is its own.' },
  self_approval: { status: 403, title: 'Nobody approves what they asked for themselves.' },
  not_an_approver: { status: 403, title: 'This decision is asked of others.' },
  exceeds_own_access: { status: 403, title: 'Nobody may give more of this API than they hold themselves.' },
  refused_by_policy: { status: 403, title: 'A policy of this deployment does not allow it.' },
  not_offered: { status: 403, title: 'It is offered to somebody else.' },
  not_found: { status: 404, title: 'There is no such thing.' },
  method_not_allowed: { status: 405, title: 'This method is not offered here.' },
  request_timeout: { status: 408, title: 'The request did not arrive in time.' },
  already_exists: { status: 409, title: 'It exists already.' },
  illegal_transition: { status: 409, title: 'Its present state does not allow this.' },
  content_changed: { status: 409, title: 'What is asked for is not what was read.' },
  still_in_use: { status: 409, title: 'Something live depends on it.' },
  built_in: { status: 409, title: 'This is part of the authority itself and cannot be changed like this.' },
  last_administrator: { status: 409, title: 'Nobody could administer the authority any more.' },
  owner_left: { status: 409, title: 'Nobody who is still there answers for it.' },
  concurrent_change: { status: 409, title: 'Somebody else changed it at the same moment.' },
  limit_reached: { status: 409, title: 'There are as many of them as there may be.' },
  too_early: { status: 409, title: 'It is too early for this.' },
  idempotency_in_flight: { status: 409, title: 'A request with this Idempotency-Key is being carried out.' },
  precondition_failed: { status: 412, title: 'It is no longer the version named in If-Match.' },
  payload_too_large: { status: 413, title: 'The body is too large.' },
  uri_too_long: { status: 414, title: 'The request target is too long.' },
  unsupported_media_type: { status: 415, title: 'The body is not of the media type that is expected.' },
  unknown_reference: { status: 422, title: 'The request names something that does not exist.' },
  unknown_scope: { status: 422, title: 'The resource server does not have this scope.' },
  policy_test_failed: { status: 422, title: 'A test of a policy did not come out as it expects.' },
  idempotency_mismatch: { status: 422, title: 'The Idempotency-Key was used for another request.' },
  precondition_required: { status: 428, title: 'If-Match is needed, with the version that was read.' },
  headers_too_large: { status: 431, title: 'The header fields are too large.' },
  internal_error: { status: 500, title: 'The authority failed in a way it did not foresee.' },
  unavailable: {
    status: 503,
    title: 'The authority cannot do this now; the same request may succeed later.',
  },
} as const satisfies Record<string, ProblemDefinition>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One member that was refused. */
export interface FieldError {
  /** JSON Pointer into the body (RFC 6901), or `?name` for a query parameter. */
  readonly pointer: string;
  readonly detail: string;
}

/** What an object was about to become, or became: see difference.ts. */
export interface ProblemExtensions {
  readonly detail?: string | undefined;
  readonly request_id?: string | undefined;
  readonly errors?: readonly FieldError[] | undefined;
  /** Id of what is there already. */
  readonly existing?: string | undefined;
  /** For apply: what was carried out before it stopped, and the secrets made so far, which are shown only here. */
  readonly applied?: readonly unknown[] | undefined;
  readonly secrets?:
    | readonly { readonly name: string; readonly identity: string; readonly secret: string }[]
    | undefined;
}

export interface Problem extends ProblemExtensions {
  readonly type: string;
  readonly code: ProblemCode;
  readonly title: string;
  readonly status: number;
}

const BASE = 'https://countersign.dev/problems/';

/** The document of a problem; its media type is `application/problem+json`. */
export function problemDocument(code: ProblemCode, extensions: ProblemExtensions = {}): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: BASE + code, code, title, status, ...extensions };
}

/** Reads a problem document that arrived; undefined when it is none of ours. */
export function parseProblem(value: unknown): Problem | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const type = (value as Record<string, unknown>)['type'];
  if (typeof type !== 'string' || !type.startsWith(BASE)) return undefined;
  const code = type.slice(BASE.length);
  if (!Object.hasOwn(PROBLEMS, code)) return undefined;
  return { ...value, ...problemDocument(code as ProblemCode) };
}
