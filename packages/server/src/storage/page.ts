/**
 * Keyset pages: the position is the last row's `(createdAt, id)`, so a page costs the same wherever it lies
 * and rows that arrive meanwhile are neither skipped nor repeated.
 */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

export interface PageRequest {
  /** 1 to 1000. */
  readonly limit: number;
  /** Rows strictly after this position; the first page when absent. */
  readonly after?: Position | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page starts; absent on the last one. */
  readonly next?: Position | undefined;
}

/** Something whose instant has come. */
export interface Due {
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
}

/** In the order of `(at, id)`; strictly after the last one of the page before. */
export interface DuePage {
  /** 1 to 1000. */
  readonly limit: number;
  readonly after?: Due | undefined;
}
