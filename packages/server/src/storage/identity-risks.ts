import type { Page, PageRequest } from './page.ts';

/** The risk of an identity when it was looked at last. */
export interface IdentityRiskRecord {
  readonly identityId: string;
  /** 0 to 100. */
  readonly score: number;
  /** Epoch ms. */
  readonly at: number;
}

export interface IdentityRiskStore {
  /** In the place of what there was. Does nothing for an identity that does not exist. */
  put(record: IdentityRiskRecord): Promise<void>;
  of(identityId: string): Promise<IdentityRiskRecord | undefined>;
  /** Those of at least this score, the riskiest first. Positions are of no use elsewhere. */
  list(atLeast: number, page: PageRequest): Promise<Page<IdentityRiskRecord>>;
}
