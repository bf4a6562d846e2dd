import type { AuditEvent } from './event.ts';
import type { AuditLog } from './log.ts';
import { type AuditSink, AuditUnavailable } from './sink.ts';

/** Events of one commit, and the one promise that all who wait for it share: a promise for each would cost more. */
interface Batch {
  readonly events: AuditEvent[];
  readonly durable: Promise<void>;
  readonly end: (error?: AuditUnavailable) => void;
}

function newBatch(): Batch {
  let end: Batch['end'] = () => undefined;
  const durable = new Promise<void>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve() : reject(error));
  });
  return { events: [], durable, end };
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
  /** Oldest first; the last one gathers. */
  const waiting: Batch[] = [];
  let waitingEvents = 0;
  /** Of the batch in flight, or of the last one that was. */
  let latest: Promise<void> = Promise.resolve();
  let committing = false;
  let scheduled = false;
  let healthy = true;
  let closing: Promise<void> | undefined;
  let idle: (() => void) | undefined;

  function schedule(): void {
    if (scheduled || committing || waiting.length === 0) return;
    scheduled = true;
    // After the current turn: every request that was signed in it is in the batch, and after a commit the requests
    // that its answers bring are too.
    setImmediate(() => {
      scheduled = false;
      const batch = waiting.shift();
      if (batch !== undefined) void commit(batch);
    });
  }

  async function commit(batch: Batch): Promise<void> {
    waitingEvents -= batch.events.length;
    committing = true;
    latest = batch.durable;
    try {
      await sink.commit(batch.events);
      healthy = true;
      batch.end();
    } catch (error) {
      if (healthy) report(error);
      healthy = false;
      batch.end(error instanceof AuditUnavailable ? error : new AuditUnavailable(error));
    }
    committing = false;
    if (waiting.length > 0) schedule();
    else idle?.();
  }

  async function end(): Promise<void> {
    if (committing || waiting.length > 0) {
      await new Promise<void>((resolve) => {
        idle = resolve;
      });
    }
    await sink.close();
  }

  return {
    append(event) {
      if (closing !== undefined) return Promise.reject(new AuditUnavailable('closed'));
      if (waitingEvents >= MAX_WAITING) {
        return Promise.reject(new AuditUnavailable('too many events are waiting'));
      }
      let batch = waiting.at(-1);
      if (batch === undefined || batch.events.length >= MAX_BATCH) waiting.push((batch = newBatch()));
      batch.events.push(event);
      waitingEvents++;
      schedule();
      return batch.durable;
    },
    find: (filter, page) => sink.find(filter, page),
    async known(eventIds) {
      // A commit that hangs may yet end well: what is said to be missing is written a second time.
      await (waiting.at(-1)?.durable ?? latest).catch(ignore);
      return await sink.known(eventIds);
    },
    healthy: () => healthy,
    close: () => (closing ??= end()),
  };
}

function ignore(): void {}
