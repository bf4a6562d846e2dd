import type { AccessStore } from './access.ts';
import type { ApprovalRuleStore } from './approval-rules.ts';
import type { ApprovalStore } from './approvals.ts';
import type { CredentialInstanceStore } from './credential-instances.ts';
import type { CredentialMakerStore } from './credential-makers.ts';
import type { CredentialUseStore } from './credential-use.ts';
import type { CredentialStore } from './credentials.ts';
import type { CutoffReceiptStore } from './cutoff-receipts.ts';
import type { CertificateAuthorityStore } from './certificate-authorities.ts';
import type { ClaimCodeStore } from './claim-codes.ts';
import type { CertificateStore } from './certificates.ts';
import type { CutoffStore } from './cutoffs.ts';
import type { EndingCallerStore } from './ending-callers.ts';
import type { FindingStore } from './findings.ts';
import type { IdempotencyStore } from './idempotency.ts';
import type { IdentityRiskStore } from './identity-risks.ts';
import type { IdentityStore } from './identities.ts';
import type { MailStore } from './mails.ts';
import type { OutboxStore } from './outbox.ts';
import type { OwnershipClockStore } from './ownership-clocks.ts';
import type { OwnershipOfferStore } from './ownership-offers.ts';
import type { PersonStore } from './people.ts';
import type { PolicyExceptionStore } from './policy-exceptions.ts';
import type { PolicyStore } from './policies.ts';
import type { ReviewItemStore } from './review-items.ts';
import type { ReviewStore } from './reviews.ts';
import type { ProposalStore } from './proposals.ts';
import type { ResourceServerStore } from './resource-servers.ts';
import type { ScopeRouteStore } from './scope-routes.ts';
import type { SettingStore } from './settings.ts';
import type { SigningKeyStore } from './signing-keys.ts';
import type { StatusIndexStore } from './status-indexes.ts';
import type { TeamStore } from './teams.ts';
import type { TrustDomainStore } from './trust-domains.ts';
import type { TrustedIssuerStore } from './trusted-issuers.ts';
import type { UnregisteredCallerStore } from './unregistered-callers.ts';
import type { CoverageStore } from './usage-coverage.ts';
import type { ReporterStore } from './usage-reporters.ts';
import type { UsageStore } from './usage.ts';
import type { WebhookDeliveryStore } from './webhook-deliveries.ts';
import type { WebhookStore } from './webhooks.ts';
import type { WorkloadStore } from './workloads.ts';
import type { UsedOnceStore } from './used-once.ts';

/** The stores, and what whoever writes to them must know of the other nodes. */
export interface Stores {
  readonly identities: IdentityStore;
  readonly credentials: CredentialStore;
  readonly resourceServers: ResourceServerStore;
  readonly access: AccessStore;
  readonly approvalRules: ApprovalRuleStore;
  readonly approvals: ApprovalStore;
  readonly policies: PolicyStore;
  readonly policyExceptions: PolicyExceptionStore;
  readonly reviews: ReviewStore;
  readonly reviewItems: ReviewItemStore;
  readonly credentialMakers: CredentialMakerStore;
  readonly trustedIssuers: TrustedIssuerStore;
  readonly signingKeys: SigningKeyStore;
  /** Keys that sign JWT-SVIDs and nothing else: no token is verified with one. */
  readonly svidKeys: SigningKeyStore;
  readonly certificateAuthorities: CertificateAuthorityStore;
  readonly certificates: CertificateStore;
  readonly claimCodes: ClaimCodeStore;
  readonly cutoffs: CutoffStore;
  readonly cutoffReceipts: CutoffReceiptStore;
  readonly statusIndexes: StatusIndexStore;
  readonly findings: FindingStore;
  readonly proposals: ProposalStore;
  readonly identityRisks: IdentityRiskStore;
  readonly people: PersonStore;
  readonly teams: TeamStore;
  readonly ownershipClocks: OwnershipClockStore;
  readonly ownershipOffers: OwnershipOfferStore;
  readonly usage: UsageStore;
  readonly usageReporters: ReporterStore;
  readonly coverage: CoverageStore;
  readonly credentialUse: CredentialUseStore;
  readonly credentialInstances: CredentialInstanceStore;
  readonly endingCallers: EndingCallerStore;
  readonly scopeRoutes: ScopeRouteStore;
  readonly unregisteredCallers: UnregisteredCallerStore;
  readonly trustDomains: TrustDomainStore;
  readonly workloads: WorkloadStore;
  readonly webhooks: WebhookStore;
  readonly webhookDeliveries: WebhookDeliveryStore;
  readonly mails: MailStore;
  readonly outbox: OutboxStore;
  readonly idempotency: IdempotencyStore;
  readonly settings: SettingStore;
  /**
   * For how long (ms) after a change was committed another node may still answer from what was true before it; 0 where
   * there is no other node.
   */
  readonly staleness: number;
}

/** What changed, as far as caches care. `all` when the backend cannot tell, e.g. after a lost connection. */
export type Change =
  /** `clientId` is there when the identity is new: somebody may remember that it did not exist. */
  | { readonly kind: 'identity'; readonly identityId: string; readonly clientId?: string }
  | { readonly kind: 'resource_server'; readonly resourceServerId: string }
  | { readonly kind: 'signing_keys' }
  | { readonly kind: 'certificate_authorities' }
  | { readonly kind: 'cutoffs' }
  | { readonly kind: 'policies' }
  | { readonly kind: 'all' };

/**
 * The port. Stores used directly read and write in a transaction of their own each; `transaction` is the only way to
 * touch two of them together.
 */
export interface Storage extends Stores {
  /** Not for transactions: who has shown a proof has used it, whatever becomes of the request. */
  readonly usedOnce: UsedOnceStore;
  /**
   * Runs `work` in one serialisable-enough transaction: all of it or nothing, durable when the promise resolves.
   * A rejection of `work` rolls back and is passed on; so is the first rejection of one of its stores, even when `work`
   * catches it. Never nested. `work` may run on the one writer of the database: it must await nothing but the stores it
   * is given. It may be run again from its start when another node's transaction was in its way.
   */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /**
   * Tells of every committed change of this or another node, after it is visible to reads and, on this node, before
   * the promise of the change resolves. A credential, an access or an exception from a policy tells as
   * its identity. While the backend cannot promise to
   * hear of other nodes' changes, `coherent()` is false and caches must not answer.
   */
  onChange(listener: (change: Change) => void): () => void;
  coherent(): boolean;
  /**
   * Sees to it that what was deleted or overwritten before stands in none of the files of the registry any more, as far as the database
   * can: copies that others made of them are theirs. Holds all else up: not while an authority answers.
   */
  scrub(): Promise<void>;
  /** Rejects with `unavailable` when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
