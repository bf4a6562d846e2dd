import type { MaximumAge } from '../../registry/credential-age.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import type { Observation } from '../../registry/finding.ts';
import type { IdentityUse } from '../../registry/inactivity.ts';
import type { Pace } from '../../registry/issuance-pace.ts';
import type { OwnerFacts } from '../../registry/owner/owner-facts.ts';
import type { CredentialUsageView } from '../../registry/use/credential-use.ts';
import type { Places } from '../../registry/use/credential-places.ts';
import type { RotationProgress } from '../../registry/rotation/progress.ts';
import type { PolicyLook } from '../../registry/policy/look.ts';
import type { ToldOfUse } from '../../registry/use/told-of-use.ts';
import type { Home } from '../../registry/home.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { Predecessor } from '../../storage/credentials.ts';
import type { FindingKind } from '../../storage/findings.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { WebhookRecord } from '../../storage/webhooks.ts';
import type { ReviewItemRecord } from '../../storage/review-items.ts';
import type { ProposalRecord } from '../../storage/proposals.ts';

/** How far the rotation of a credential is, and who began it. */
export interface RotationSeen {
  readonly progress: RotationProgress;
  readonly by: Predecessor['by'];
}

/** What detectors may know besides the identity itself. */
export interface Circumstances extends ToldOfUse {
  /** Epoch ms. */
  readonly now: number;
  readonly maximumAge: MaximumAge;
  /** By id of the access; absent: nothing was counted, which says nothing. */
  readonly paces: ReadonlyMap<string, Pace>;
  /** By id of a credential: client_ids of others that have its public key and may act, or may again. */
  readonly keySharers: ReadonlyMap<string, readonly string[]>;
  /** Who answers for the identity; absent: the deployment has no directory of people. */
  readonly owners?: OwnerFacts | undefined;
  /** Every version of the identity's access to the admin API, oldest first; absent: it has none. */
  readonly adminHistory?: readonly AccessRecord[] | undefined;
  /** What is known of the use of the identity as a whole, and what is done when it is inactive; absent: not looked up. */
  readonly inactivity?: { readonly mode: 'suspend' | 'report'; readonly use: IdentityUse } | undefined;
  /** The identity itself among those with the same owner, purpose and environment, the oldest first; absent: not looked up. */
  readonly alike?: readonly Pick<IdentityRecord, 'id' | 'clientId'>[] | undefined;
  /** By id of the credential, what is known of its use in the window of the identity; absent: not looked up. */
  readonly credentialUses?: ReadonlyMap<string, CredentialUsageView> | undefined;
  /** By id of the resource server: which identity stands for it, and where that runs; absent: not known. */
  readonly homes?: ReadonlyMap<string, Home> | undefined;
  /** By id of the credential: what callers it had at this process since the last round; absent: not known. */
  readonly places?: ReadonlyMap<string, Places> | undefined;
  /** By id of the credential that has a successor; absent: not looked up. */
  readonly rotations?: ReadonlyMap<string, RotationSeen> | undefined;
  /** What it breaks of the declared policies; absent: there are none. */
  readonly policies?: PolicyLook | undefined;
  /** Webhooks that the authority itself disabled. */
  readonly silentWebhooks: readonly WebhookRecord[];
  /** The authority of certificates that ends and that only people can replace; absent: there is none. */
  readonly endingAuthority?: { readonly id: string; readonly notAfter: number } | undefined;
  /** Live proposals about it; absent: not looked up. */
  readonly proposals?: readonly ProposalRecord[] | undefined;
  /** What reviews took away and APIs let through all the same, by identity; absent: not looked up. */
  readonly failedRemovals?: ReadonlyMap<string, readonly ReviewItemRecord[]> | undefined;
  /** After this long a suspended identity should be ended. */
  readonly suspendedForMs: number;
}

/** Looks for one kind of thing that is wrong with an identity. Pure: facts in, what it sees out. */
export interface Detector {
  /** Its page is docs/parts/<kind with `-`>.md. */
  readonly kind: FindingKind;
  /**
   * Milliseconds after which a finding that is not seen any more counts as resolved. 0: the detector sees all there is to
   * know. More: it sees what happened at this process lately, and not to see is not to know.
   */
  readonly quietMs: number;
  /** Looks at suspended identities past their end as well, of whom the others see nothing any more. */
  readonly pastItsEnd?: true;
  /** Looks at identities that are being decommissioned as well. */
  readonly alsoEnding?: true;
  /** Each subject at most once. */
  observe(facts: IdentityFacts, circumstances: Circumstances): readonly Observation[];
}
