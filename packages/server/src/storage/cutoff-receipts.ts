/** A running verifier that follows the cut-off feed, as it says itself. */
export interface FollowerRecord {
  readonly resourceServerId: string;
  /** What it calls this running copy of itself. */
  readonly instance: string;
  /** Whether it showed a token of its resource server. Others may only have said so: they are kept apart. */
  readonly proven: boolean;
  /** Seconds without news after which it counts its feed as stale. */
  readonly staleAfter: number;
  /** What it does then: `refuse`, `introspect` or `accept_younger_than:SECONDS`. */
  readonly onStale: string;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

export type FollowerKey = Pick<FollowerRecord, 'resourceServerId' | 'instance' | 'proven'>;

/** At this instant the follower obeyed every order up to this cursor. */
export interface Confirmation extends FollowerKey {
  readonly cursor: number;
  readonly at: number;
}

/** Requests that a follower refused because of one order, since that copy of it started. */
export interface Attempts extends FollowerKey {
  /** Of the order. */
  readonly cursor: number;
  readonly count: number;
  /** When the last of them was told of. */
  readonly at: number;
}

export interface ReceiptBatch {
  readonly followers: readonly FollowerRecord[];
  readonly confirmations: readonly Confirmation[];
  readonly attempts: readonly Attempts[];
}

/** What goes in one sweep. */
export interface ReceiptSweep {
  /** Epoch ms: followers that were last seen before it go, and all that they confirmed. */
  readonly provenBefore: number;
  readonly unprovenBefore: number;
  /** Rows that stay at most, of followers and of confirmations: the newest. */
  readonly mostFollowers: number;
  readonly mostConfirmations: number;
}

/**
 * Receipts of the cut-off feed. Everything here can be told twice and by several nodes in any order: of a follower the
 * latest sight counts, of its confirmations the earliest that reaches an order, of attempts the largest number.
 */
export interface CutoffReceiptStore {
  /** All of it in one transaction. A follower of a resource server that does not exist is left out. */
  record(batch: ReceiptBatch): Promise<void>;
  /** Those seen at or after `since` (epoch ms), the last seen first; at most `limit`. */
  followers(since: number, limit: number): Promise<readonly FollowerRecord[]>;
  /** Of each follower the earliest instant at which it had confirmed this cursor. */
  confirmationsOf(cursor: number): Promise<readonly Confirmation[]>;
  attemptsOf(cursor: number): Promise<readonly Attempts[]>;
  sweep(what: ReceiptSweep): Promise<void>;
}
