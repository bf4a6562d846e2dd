/** What a resource server saw of one scope of an access, through one credential: one row, however many tokens carried it. */
export interface UsageRecord {
  readonly accessId: string;
  /** Empty: the guard asked for no scope. */
  readonly scope: string;
  readonly credentialId: string;
  readonly resourceServerId: string;
  /** Calls let through, and calls refused. */
  readonly ok: number;
  readonly denied: number;
  /** Epoch ms. Refusals never touch the first. */
  readonly lastOkAt: number | undefined;
  readonly lastDeniedAt: number | undefined;
  /** The days on which it was let through: registry/use/day-map.ts. */
  readonly days: string;
  /** Seconds: how old the oldest token was that was let through, ever. Absent: of none of them was it known. */
  readonly oldestAge?: number;
  /** Epoch ms: when one was let through last of which that was not told. Absent: never. */
  readonly unagedAt?: number;
}

/** An access and a credential of the same identity. */
export interface UsagePair {
  readonly accessId: string;
  readonly credentialId: string;
}

export interface UsageStore {
  /** Those of the ids that belong together: access of this resource server, credentials of the identity that has it. */
  registered(
    resourceServerId: string,
    accessIds: readonly string[],
    credentialIds: readonly string[],
  ): Promise<readonly UsagePair[]>;
  /** Every row of these. */
  ofAccess(accessIds: readonly string[]): Promise<readonly UsageRecord[]>;
  /** When each of these was last let through anywhere; those that never were are absent. */
  lastOfCredentials(credentialIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Writes each in the place of what there was. Whoever adds to what it read holds `usageReporters.lock`. */
  put(records: readonly UsageRecord[]): Promise<void>;
  /** Forgets what was neither used nor tried since `before` (epoch ms), at most 10,000; how many. */
  sweep(before: number): Promise<number>;
}
