// Problem details for HTTP APIs: RFC 9457. The only place where what went wrong becomes an answer of the admin API.
import {
  type Problem,
  type ProblemCode,
  type ProblemExtensions,
  problemDocument,
} from '@countersign/admin-api';
import { AuditUnavailable } from '../../audit/sink.ts';
import type { HttpResponse } from '../../http/response.ts';
import { NextKeyTooYoung } from '../../keys/rotation.ts';
import { RegistryRefusal, type RegistryReason } from '../../registry/refusal.ts';
import { StorageError, type StorageFault } from '../../storage/errors.ts';

/** Thrown by a step of an admin endpoint; caught in endpoint.ts and nowhere else. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly extensions: ProblemExtensions;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    code: ProblemCode,
    extensions: ProblemExtensions = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(extensions.detail ?? code);
    this.name = 'ProblemError';
    this.code = code;
    this.extensions = extensions;
    this.headers = headers;
  }
}

const RULES: { readonly [reason in RegistryReason]: ProblemCode } = {
  unknown_reference: 'unknown_reference',
  unknown_scope: 'unknown_scope',
  already_exists: 'already_exists',
  illegal_transition: 'illegal_transition',
  needs_people: 'needs_people',
  self_approval: 'self_approval',
  not_an_approver: 'not_an_approver',
  content_changed: 'content_changed',
  comment_missing: 'validation_failed',
  still_in_use: 'still_in_use',
  built_in: 'built_in',
  last_administrator: 'last_administrator',
  owner_left: 'owner_left',
  not_offered: 'not_offered',
  end_out_of_range: 'validation_failed',
  unfitting_settings: 'validation_failed',
  unacceptable_url: 'validation_failed',
  unacceptable_key: 'validation_failed',
  unacceptable_certificate: 'validation_failed',
  limit_reached: 'limit_reached',
  exceeds_own_access: 'exceeds_own_access',
  refused_by_policy: 'refused_by_policy',
  policy_test_failed: 'policy_test_failed',
};

const FAULTS: { readonly [fault in StorageFault]: ProblemCode } = {
  version_conflict: 'concurrent_change',
  unique_conflict: 'already_exists',
  missing_reference: 'unknown_reference',
  unavailable: 'unavailable',
};

const RETRY_SOON = { 'retry-after': '1' } as const;

/** The problem that an error is to the caller. Undefined: it is a bug of ours. */
export function problemOf(error: unknown, now: number): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (error instanceof RegistryRefusal) return ruleProblem(error);
  if (error instanceof AuditUnavailable) {
    const detail = 'the audit log cannot be written; what was asked for may be done when you try again';
    return new ProblemError('unavailable', { detail }, RETRY_SOON);
  }
  if (error instanceof StorageError) {
    const code = FAULTS[error.fault];
    if (code === 'unavailable') return new ProblemError(code, {}, RETRY_SOON);
    return new ProblemError(code);
  }
  if (error instanceof NextKeyTooYoung) {
    const seconds = Math.max(1, Math.ceil((error.readyAt - now) / 1000));
    return new ProblemError('too_early', { detail: error.message }, { 'retry-after': String(seconds) });
  }
  return undefined;
}

function ruleProblem(error: RegistryRefusal): ProblemError {
  const { pointer, existing } = error.facts;
  const code = RULES[error.reason];
  return new ProblemError(code, {
    detail: error.message,
    ...(pointer === undefined ? {} : { errors: [{ pointer, detail: error.message }] }),
    ...(existing === undefined ? {} : { existing }),
  });
}

export function problemResponse(problem: ProblemError, requestId: string): HttpResponse {
  const document: Problem = problemDocument(problem.code, {
    ...problem.extensions,
    request_id: requestId,
  });
  return {
    status: document.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...problem.headers,
    },
    body: JSON.stringify(document),
  };
}
