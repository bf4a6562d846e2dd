import type { Party } from './approvals.ts';

/** Who made a credential: whoever uses it may be acting for them. Not known of credentials older than this table. */
export interface CredentialMakerStore {
  /** Once for each credential; a second word about one is not heard. */
  note(credentialId: string, maker: Party): Promise<void>;
  of(credentialId: string): Promise<Party | undefined>;
}
