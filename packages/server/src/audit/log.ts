import type { AuditEvent, AuditFilter, AuditPageRequest, LoggedEvent } from './event.ts';

/** The one log of a deployment. Implemented by group-commit.ts over a sink. */
export interface AuditLog {
  /**
   * Resolves when the event is durable, and not before: whoever answers a caller awaits this first.
   * Rejects with `AuditUnavailable`; then nothing may be issued.
   */
  append(event: AuditEvent): Promise<void>;
  /** Ascending by seq; sees every event whose `append` resolved before the call. */
  find(filter: AuditFilter, page: AuditPageRequest): Promise<readonly LoggedEvent[]>;
  /** Which of these the log holds, once everything appended before the call is durable or refused. */
  known(eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** False after a failed commit until one succeeds again: readiness follows it. */
  healthy(): boolean;
  /** Waits for what is in flight and closes the sink. */
  close(): Promise<void>;
}
