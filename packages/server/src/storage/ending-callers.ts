import type { DecommissionPlan } from './identities.ts';

/** Somebody who called in the name of an identity that is being decommissioned, in one phase of it. */
export interface EndingCaller {
  readonly identityId: string;
  readonly phase: DecommissionPlan['phase'];
  /** Identifier of what it asked a token for; empty: it did not say, and has several. */
  readonly resourceServer: string;
  /** Which running copy, as it says itself; empty: it does not say. */
  readonly instance: string;
  /** Address; `others` in the row that takes those for whom there was no room. */
  readonly source: string;
  /** What kind of client: registry/use/client-agent.ts. */
  readonly agent: string;
  readonly letThrough: number;
  readonly refused: number;
  /** Epoch ms. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface EndingCallerStore {
  /** Adds the counts of each to those of its row, which the first six members name. */
  add(callers: readonly EndingCaller[]): Promise<void>;
  /** Of one identity, the latest first; at most 1000. */
  ofIdentity(identityId: string): Promise<readonly EndingCaller[]>;
  /** When the identity is not ended after all, or begins to end anew. */
  forget(identityId: string): Promise<void>;
}
