import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';

/** The two ends of an access. */
export interface AccessEnds {
  readonly identity: IdentityRecord;
  readonly resourceServer: ResourceServerRecord;
}
