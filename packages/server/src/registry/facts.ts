import type { StandingVerdict } from '../policy/declared/standing-verdict.ts';
import type { AccessRecord } from '../storage/access.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';

/** An access with the resource server it opens. */
export interface AccessFacts {
  readonly access: AccessRecord;
  readonly resourceServer: ResourceServerRecord;
}

/** All that is known of one identity and decides what it may have. In any state: judging is not its job. */
export interface IdentityFacts {
  readonly identity: IdentityRecord;
  readonly credentials: readonly CredentialRecord[];
  /** Active ones. */
  readonly access: readonly AccessFacts[];
  /** What enforced policies say of its tokens; undefined: nothing, or it was read for another purpose. */
  readonly declared?: StandingVerdict | undefined;
}

/** Reads facts, from a bounded cache or the database: at once where it can, so that the token path need not wait. */
export interface FactsReader {
  byClientId(clientId: string): IdentityFacts | undefined | Promise<IdentityFacts | undefined>;
}

/** For those who are shown API keys. */
export interface KeyFactsReader extends FactsReader {
  /** Of the identity that an API key with this public id belongs to: the key names itself and not its client. */
  byKeyId(publicId: string): IdentityFacts | undefined | Promise<IdentityFacts | undefined>;
}
