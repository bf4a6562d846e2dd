/** When tokens were issued on a credential: what the authority sees itself. */
export interface CredentialUseStore {
  /** The later instant (epoch ms) counts; one row a credential. Does nothing for one that does not exist. */
  note(credentialId: string, at: number): Promise<void>;
  /** Epoch ms by id; those that were never used are absent. */
  of(credentialIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /**
   * When each of these identities was last seen to be used: a token on any of its credentials, or a call with one. Epoch ms by id;
   * those that never were are absent.
   */
  ofIdentities(identityIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}
