import type { MarkedLog } from '../storage/used-once.ts';
import type { AuditEvent, AuditFilter, AuditPageRequest, LoggedEvent } from './event.ts';

/**
 * Where the log comes to rest: a segment file beside SQLite, a table on PostgreSQL. The log calls `commit` with one
 * batch at a time and waits for it.
 */
export interface AuditSink {
  /**
   * Makes the batch durable, in order, each event with the next sequence number: all of it or none. Resolves only when
   * it would survive kill -9 and, on one node, loss of power. Rejects with `AuditUnavailable` when it could not: then
   * none of it is in the log, or (a table whose commit went unanswered) the same ids may be committed again unharmed.
   */
  commit(batch: readonly AuditEvent[]): Promise<void>;
  /** Ascending by seq. Sees every event committed before the call. */
  find(filter: AuditFilter, page: AuditPageRequest): Promise<readonly LoggedEvent[]>;
  /** Which of these event ids the log holds. */
  known(eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * The newest change of each of the last `limit` records that changed, newest first, as far as a bounded look at the log's end
   * tells. Absent where the log is in the registry's own database: then neither is lost without the other.
   */
  newestChanges?(limit: number): Promise<readonly LoggedEvent[]>;
  /** What the events since a place carry of used proofs. Absent where several processes write. */
  readonly marked?: MarkedLog;
  /** Free bytes for further events, or undefined where the sink cannot tell. Cheap: at most once a second. */
  freeBytes(): number | undefined;
  close(): Promise<void>;
}

/** The log cannot take events: disk full, database gone. Nothing may be issued or changed meanwhile. */
export class AuditUnavailable extends Error {
  constructor(cause: unknown) {
    super('the audit log cannot be written', { cause });
    this.name = 'AuditUnavailable';
  }
}

/** A place between two batches of the segment files. */
export interface SegmentPosition {
  readonly segment: number;
  readonly offset: number;
}

/** Everything before the place was acknowledged, and `seq` is the last event there. */
export interface IndexedUpTo extends SegmentPosition {
  readonly seq: number;
}

/**
 * The query index that follows the segment files: derived, never authoritative, rebuilt from them at will. It reads
 * the files itself.
 */
export interface AuditIndex {
  /**
   * How far an earlier process had indexed, as its file says; undefined when it says nothing (absent, damaged, empty).
   * Asked before the first `advance`, which builds an index anew that does not fit the segments.
   */
  indexed(): Promise<IndexedUpTo | undefined>;
  /** Batches before this position are durable and may be indexed. Returns at once; indexing happens elsewhere. */
  advance(durable: SegmentPosition): void;
  /** Resolves when everything before the last `advance` is indexed. */
  caughtUp(): Promise<void>;
  /** Canonical event texts, ascending by seq. */
  find(filter: AuditFilter, page: AuditPageRequest): Promise<readonly string[]>;
  known(eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}
