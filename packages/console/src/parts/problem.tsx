import { AdminApiError } from '@countersign/admin-api';
import type { ReactNode } from 'react';

const FIXES: Readonly<Record<string, string>> = {
  insufficient_scope: 'Ask somebody who has a role that may: see “You” at the top right for yours.',
  needs_people: 'Sign in as a person.',
  not_own: 'You may change only what is yours; ask its owner.',
  self_approval: 'Ask somebody else to decide.',
  not_an_approver: 'Ask those who are named.',
  not_found: 'See whether the name or id is right.',
  concurrent_change: 'Try again: somebody changed it at the same moment.',
  content_changed: 'Read it again: it was changed since.',
  precondition_failed: 'Read it again: it was changed since.',
  unavailable: 'Try again in a moment.',
  internal_error: 'Tell who runs the authority, with the request below.',
  unreachable: 'See whether the authority runs and the network is there, then try again.',
  invalid_token: 'Sign in again.',
  validation_failed: 'Change what is named.',
};

/** What went wrong, why, and what to do. */
export function Problem({ error, again }: { error: unknown; again?: (() => void) | undefined }): ReactNode {
  const known = error instanceof AdminApiError ? error : undefined;
  const title = known?.problem?.title ?? (error instanceof Error ? error.message : 'Something failed.');
  const detail = known?.problem?.detail;
  return (
    <div className="problem" role="alert">
      <p>
        <strong>{title}</strong>
      </p>
      {detail === undefined ? null : <p>{detail}</p>}
      {(known?.problem?.errors ?? []).map(({ pointer, detail: what }) => (
        <p key={pointer}>
          <code>{pointer}</code> {what}
        </p>
      ))}
      <p>{FIXES[known?.code ?? ''] ?? 'Try again.'}</p>
      {known?.requestId === undefined ? null : (
        <p className="quiet">
          Why, says <code>countersign explain {known.requestId}</code>
        </p>
      )}
      {again === undefined ? null : (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Nothing is there: what that means, and what to do. */
export function Nothing({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="nothing">
      <p>
        <strong>{title}</strong>
      </p>
      {children}
    </div>
  );
}
