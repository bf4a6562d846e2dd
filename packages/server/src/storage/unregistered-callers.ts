/** Somebody whom a resource server let in, or refused, and behind whom there is no identity. */
export interface UnregisteredCallerRecord {
  readonly resourceServerId: string;
  /** Empty: a token of this authority, whose credential it does not know. */
  readonly issuer: string;
  /** Its client_id at that issuer; of this authority, the id of the credential. */
  readonly caller: string;
  /** Who told of it last. */
  readonly reporterId: string;
  readonly ok: number;
  readonly denied: number;
  /** Epoch ms. */
  readonly lastOkAt: number | undefined;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface UnregisteredCallerStore {
  /** Those of one resource server, by issuer and caller; at most 1,000. */
  of(resourceServerId: string): Promise<readonly UnregisteredCallerRecord[]>;
  /** Writes each in the place of what there was. Whoever adds to what it read holds `usageReporters.lock`. */
  put(records: readonly UnregisteredCallerRecord[]): Promise<void>;
  /** Of all resource servers, those that were let in since then; at most 10,000. */
  letInSince(at: number): Promise<readonly UnregisteredCallerRecord[]>;
  /** Forgets those of whom nothing was told since then, at most 10,000; how many. */
  sweep(before: number): Promise<number>;
}
