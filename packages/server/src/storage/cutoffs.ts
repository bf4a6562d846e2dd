import type { CutoffKind } from '@countersign/protocol';

export type { CutoffKind };

export interface CutoffTarget {
  readonly kind: CutoffKind;
  readonly target: string;
}

/** An order to stop trusting; never changed. Those of single tokens are deleted when no such token can live. */
export interface CutoffRecord {
  /** 1, 2, 3 … in commit order without gaps visible to a reader: the feed's cursor. Given by the store. */
  readonly cursor: number;
  readonly id: string;
  readonly kind: CutoffKind;
  /** What verifiers compare: client_id, credential id, jti or kid. */
  readonly target: string;
  /** Epoch **seconds**: tokens with `iat` at or before it are refused. */
  readonly notBefore: number;
  readonly reason: string;
  readonly orderedBy: string;
  readonly createdAt: number;
}

export interface CutoffStore {
  /** Gives the next cursor. Inside a transaction; a reader never sees cursor n + 1 before n. */
  append(record: Omit<CutoffRecord, 'cursor'>): Promise<CutoffRecord>;
  /** Entries with a larger cursor, ascending, at most `limit`. */
  after(cursor: number, limit: number): Promise<readonly CutoffRecord[]>;
  byId(id: string): Promise<CutoffRecord | undefined>;
  /** Orders about this that reach tokens issued at `issuedAt` (epoch **seconds**), ascending, at most `limit`. */
  ofTarget(target: CutoffTarget, issuedAt: number, limit: number): Promise<readonly CutoffRecord[]>;
  /**
   * Deletes orders of kind `token` whose `notBefore` is before `before` (epoch **seconds**), at most 10,000 a call, and
   * says how many. Cursors are never given again; no change is told, because nobody may have needed them any more.
   */
  sweepTokens(before: number): Promise<number>;
  /** The newest cursor; 0 when there is none. */
  head(): Promise<number>;
}
