import type { Cadence } from './identities.ts';

/** One running copy of an identity, as it was seen to use one credential. */
export interface CredentialInstance {
  readonly credentialId: string;
  /** What it calls itself, or the serial number of its certificate; empty: it does not say. */
  readonly instance: string;
  /** Address from which it was seen last. */
  readonly source: string;
  /** Epoch ms, and coarse: registry/use/credential-instances.ts. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface CredentialInstanceStore {
  /**
   * Adds what was seen to the row of its credential and instance: the earlier first and the later last instant count. A new
   * instance of a credential that has `most` rows is added to that of the instance `others` instead. Nothing of a credential
   * that does not exist.
   */
  note(seen: readonly CredentialInstance[], most: number, others: string): Promise<void>;
  /** Of one credential, the latest first; at most 2000. */
  of(credentialId: string): Promise<readonly CredentialInstance[]>;
  /** Removes rows of identities of this cadence last seen before `before` (epoch ms), at most 10,000 at a time, and says how many. */
  sweep(cadence: Cadence, before: number): Promise<number>;
}
