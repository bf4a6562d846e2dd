/**
 * Places in the token status lists (draft-ietf-oauth-status-list): one for a credential, not one for a token. A place that has ended
 * never becomes valid again and is never given out again: a token of before must not come back with its identity.
 */
export interface StatusIndexStore {
  /**
   * The place of the credential's tokens from now on; allotted when it has none. Undefined when the credential or its
   * identity is not active: read with the allotment, in one transaction.
   */
  allot(credentialId: string): Promise<number | undefined>;
  /** Ends the place of a credential, or of all credentials of the identity with this client_id, at `at` (epoch ms). */
  end(target: { readonly credential: string } | { readonly identity: string }, at: number): Promise<void>;
  /**
   * Those from `first` to before `end` whose tokens are good at `now` (epoch ms), ascending: not ended, of a credential and an
   * identity that are active and have not expired.
   */
  valid(first: number, end: number, now: number): Promise<readonly number[]>;
  /** The first that was never given out. */
  head(): Promise<number>;
  /** Forgets at most 10,000 places that ended, or whose credential was revoked, before `before` (epoch ms); returns how many. */
  sweep(before: number): Promise<number>;
}
