import type { AuditEvent } from './event.ts';
import type { AuditLog } from './log.ts';
import { type AuditSink, AuditUnavailable } from './sink.ts';

interface Waiting {
  readonly event: AuditEvent;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Events of one commit: a bound on memory and on how long one write may take. */
const MAX_BATCH = 4096;
/** Events waiting for a commit. Beyond it the log is not keeping up and says so instead of growing. */
const MAX_WAITING = 50_000;

/**
 * The log over a sink, by group commit: one batch is in flight, the next gathers meanwhile. A batch starts after the
 * turn's promises have run, so that all requests of one event-loop turn share one commit.
 */
export function createAuditLog(sink: AuditSink, report: (error: unknown) => void): AuditLog {
  let gathering: Waiting[] = [];
  let committing = false;
  let scheduled = false;
  let healthy = true;
  let closing: Promise<void> | undefined;
  let idle: (() => void) | undefined;

  function schedule(): void {
    if (scheduled || committing || gathering.length === 0) return;
    scheduled = true;
    // After the current turn: every request that was signed in it is in the batch, and after a commit the requests
    // that its answers bring are too.
    setImmediate(() => {
      scheduled = false;
      void commit();
    });
  }

  async function commit(): Promise<void> {
    const batch = gathering.length > MAX_BATCH ? gathering.splice(0, MAX_BATCH) : gathering;
    if (batch === gathering) gathering = [];
    committing = true;
    try {
      await sink.commit(batch.map((waiting) => waiting.event));
      healthy = true;
      for (const waiting of batch) waiting.resolve();
    } catch (error) {
      if (healthy) report(error);
      healthy = false;
      const refusal = error instanceof AuditUnavailable ? error : new AuditUnavailable(error);
      for (const waiting of batch) waiting.reject(refusal);
    }
    committing = false;
    if (gathering.length > 0) schedule();
    else idle?.();
  }

  async function end(): Promise<void> {
    if (committing || gathering.length > 0) {
      await new Promise<void>((resolve) => {
        idle = resolve;
      });
    }
    await sink.close();
  }

  return {
    append(event) {
      if (closing !== undefined) return Promise.reject(new AuditUnavailable('closed'));
      if (gathering.length >= MAX_WAITING) {
        return Promise.reject(new AuditUnavailable('too many events are waiting'));
      }
      return new Promise((resolve, reject) => {
        gathering.push({ event, resolve, reject });
        schedule();
      });
    },
    find: (filter, page) => sink.find(filter, page),
    known: (eventIds) => sink.known(eventIds),
    healthy: () => healthy,
    close: () => (closing ??= end()),
  };
}
