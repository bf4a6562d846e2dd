// Why a page of the cut-off feed is not believed (RFC 8725 §3), and who is told.

export type FeedFault =
  | 'not_a_jws'
  | 'wrong_typ'
  | 'algorithm_not_allowed'
  | 'unknown_key'
  | 'key_cut_off'
  | 'bad_signature'
  | 'bad_claims'
  | 'wrong_issuer'
  | 'expired'
  | 'replayed'
  | 'wrong_cursor'
  | 'rolled_back'
  | 'refused';

/** A page of the feed that must not be believed. */
export class FeedError extends Error {
  readonly code: FeedFault;

  constructor(code: FeedFault, detail: string) {
    super(`the cut-off feed cannot be used: ${detail}`);
    this.name = 'FeedError';
    this.code = code;
  }
}

/** Something is wrong with the feed of an issuer: it is not believed, or not heard of for too long. */
export interface CutoffAlarm {
  readonly issuer: string;
  readonly code: FeedFault | 'stale';
  /** For people. */
  readonly message: string;
}
