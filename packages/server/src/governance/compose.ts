import { MOST_REVIEW_ITEMS, type OperationId, operationIds, operations } from '@countersign/admin-api';
import type { TrustDomain } from '@countersign/protocol';
import type { Changes } from '../audit/change.ts';
import type { AuditLog } from '../audit/log.ts';
import type { StrangerBudget } from '../audit/stranger-budget.ts';
import type { Clock } from '../clock.ts';
import type { CutoffFollowers } from '../cutoff/followers.ts';
import type { CutoffLedger } from '../cutoff/ledger.ts';
import type { Route } from '../http/route.ts';
import type { RandomBytes } from '../ids.ts';
import type { Keystore } from '../keys/keystore.ts';
import type { RotationDeps } from '../keys/rotation.ts';
import type { Seal } from '../keys/seal.ts';
import type { RefusedMethods } from '../policy/methods-allowed-per-environment.ts';
import type { MaximumAge } from '../registry/credential-age.ts';
import type { LeakAction } from '../registry/leak.ts';
import type { AccessPolicy } from '../registry/explain-access.ts';
import type { CutOffDeps } from '../registry/cut-off.ts';
import type { FactsReader } from '../registry/facts.ts';
import type { FetchDeps } from '../registry/fetched-url.ts';
import type { OwnerAcceptance } from '../registry/owner/acceptance.ts';
import type { PeopleDeps } from '../registry/people.ts';
import type { ResourceServerDeps } from '../registry/resource-server.ts';
import type { SecretHash } from '../registry/secret-hash.ts';
import type { CredentialInstances } from '../registry/use/credential-instances.ts';
import type { EndingCallers } from '../registry/use/ending-callers.ts';
import type { Storage } from '../storage/storage.ts';
import { accessHistoryHandlers } from './admin/access-history.ts';
import { accessHandlers } from './admin/access.ts';
import { approvalRuleHandlers } from './admin/approval-rules.ts';
import { approvalHandlers } from './admin/approvals.ts';
import { auditHandlers } from './admin/audit.ts';
import { certificateAuthorityHandlers } from './admin/certificate-authorities.ts';
import { claimCodeHandlers } from './admin/claim-codes.ts';
import { devicesImportHandler } from './admin/devices-import.ts';
import { certificateHandlers } from './admin/certificates.ts';
import type { IssueDeps } from '../registry/certificates/issue.ts';
import { credentialHandlers } from './admin/credentials.ts';
import { cutoffHandlers } from './admin/cutoffs.ts';
import { decommissioningHandlers } from './admin/decommissioning.ts';
import { documentHandlers } from './admin/documents.ts';
import { createEndpoint, type EndpointDeps, type Handler } from './admin/endpoint.ts';
import { explainHandlers, type ReasonExplanation } from './admin/explain.ts';
import { createIdempotency } from './admin/idempotency.ts';
import { findingHandlers } from './admin/findings.ts';
import { identityHandlers } from './admin/identities.ts';
import { keyHandlers } from './admin/keys.ts';
import { leakHandlers } from './admin/leaks.ts';
import { meHandlers } from './admin/me.ts';
import { ownershipOfferHandlers } from './admin/ownership-offers.ts';
import { peopleHandlers } from './admin/people.ts';
import { policyExceptionHandlers } from './admin/policy-exceptions.ts';
import { policyHandlers } from './admin/policies.ts';
import { proposalHandlers } from './admin/proposals.ts';
import { publishedRoutes } from './admin/published.ts';
import { createRequireAdmin, type RequireAdminDeps } from './admin/require-admin.ts';
import { reviewHandlers } from './admin/reviews.ts';
import { resourceServerHandlers } from './admin/resource-servers.ts';
import { riskHandlers } from './admin/risk.ts';
import { teamHandlers } from './admin/teams.ts';
import { traceHandlers } from './admin/trace.ts';
import { trustDomainHandlers } from './admin/trust-domains.ts';
import { type TestAssertion, trustedIssuerHandlers } from './admin/trusted-issuers.ts';
import { usageHandlers } from './admin/usage.ts';
import { type SvidDeps, svidHandlers } from './admin/svids.ts';
import { webhookHandlers } from './admin/webhooks.ts';
import { workloadHandlers } from './admin/workloads.ts';
import { deliverOutbox, deliverOutboxJob } from './jobs/deliver-outbox.ts';
import { deliverWebhooksJob } from './jobs/deliver-webhooks.ts';
import { escalateOwnershipOffersJob } from './jobs/escalate-ownership-offers.ts';
import { forgetUseJob } from './jobs/forget-use.ts';
import type { Job } from './jobs/job.ts';
import { lapseApprovalsJob } from './jobs/lapse-approvals.ts';
import { lookForFindingsJob, type LookForFindingsDeps } from './jobs/look-for-findings.ts';
import { noteEndingCallersJob } from './jobs/note-ending-callers.ts';
import { reportOwnUseJob } from './jobs/report-own-use.ts';
import { retireRotatedJob } from './jobs/retire-rotated.ts';
import { rightSizeJob } from './jobs/right-size.ts';
import { rotateSigningKeysJob } from './jobs/rotate-signing-keys.ts';
import { runOrphanClocksJob } from './jobs/run-orphan-clocks.ts';
import { runReviewsJob } from './jobs/run-reviews.ts';
import { suspendInactiveJob } from './jobs/suspend-inactive.ts';
import { type TellCredentialEndsDeps, tellCredentialEndsJob } from './jobs/tell-credential-ends.ts';
import { sweepEndsJob } from './jobs/sweep-ends.ts';
import { type ForgetExpiredDeps, forgetExpiredJob } from './jobs/forget-expired.ts';
import { sweepIdentitiesJob } from './jobs/sweep-identities.ts';
import { sendMailsJob } from './jobs/send-mails.ts';
import { writeDigestsJob, type WriteDigestsDeps } from './jobs/write-digests.ts';
import type { DeliveryDeps, Post } from './notices/deliver-to-webhook.ts';
import type { SendMail } from './notices/send-waiting.ts';
import { watchProposalsJob, type WatchProposalsDeps } from './jobs/watch-proposals.ts';

export {
  type AdminAccount,
  AUTHORITY,
  ensureAdmin,
  markAdminUntold,
  resetAdmin,
} from './admin/admin-identity.ts';
export { scopesOfRoles } from './admin/person-admin.ts';
export { applyDocuments } from './admin/documents.ts';
export { hasLiveSecret } from './apply/bring-credential.ts';
export { createOwnUse } from './admin/own-use.ts';
export { createMetricsGuard } from './admin/metrics-guard.ts';
export { createJobRunner, type JobRunner, systemTimers } from './jobs/runner.ts';

export interface GovernanceDeps {
  readonly issuer: string;
  /** Identifier of the admin API: `${issuer}/v1`. */
  readonly adminResource: string;
  /** Of this software, for the API's description. */
  readonly version: string;
  /** Name of this process. */
  readonly node: string;
  readonly storage: Storage;
  readonly changes: Changes;
  readonly log: AuditLog;
  readonly facts: FactsReader;
  readonly people: PeopleDeps;
  readonly keystore: Pick<Keystore, 'verificationKey'> & { reload(): Promise<void> };
  readonly rotation: RotationDeps;
  readonly compromiseKey: CutOffDeps['compromiseKey'];
  /** The built-in authority of certificates. */
  readonly issuing: Pick<
    IssueDeps,
    'trustDomain' | 'certificateLifetime' | 'revocationListUrl' | 'selfRotation'
  > & { readonly ca: IssueDeps['ca'] & SvidDeps['ca'] };
  /** Milliseconds for which a claim code is good at most. */
  readonly claimCodeLifetime: number;
  /** Of this deployment. */
  readonly trustDomain: TrustDomain;
  /** Keys of JWT-SVIDs and of nothing else. */
  readonly svidKeystore: SvidDeps['svidKeystore'];
  readonly svidLifetimes: SvidDeps['svidLifetimes'];
  readonly revocationLists: SvidDeps['revocationLists'];
  readonly foreignBundles: SvidDeps['foreignBundles'];
  readonly requireSigningKey: ResourceServerDeps['requireSigningKey'];
  readonly lifetimeLimits: ResourceServerDeps['lifetimeLimits'];
  readonly ledger: CutoffLedger;
  /** Who calls what is being decommissioned. */
  readonly ending: EndingCallers;
  /** Who uses which credential. */
  readonly instances: Pick<CredentialInstances, 'flush'>;
  /** Milliseconds for which a credential and its successor may both be there. */
  readonly rotationOverlap: number;
  /** Receipts of the cut-off feed. */
  readonly followers: Pick<CutoffFollowers, 'flush'>;
  /** Seconds that tokens live. */
  readonly lifetimes: { readonly default: number; readonly maximum: number };
  readonly strangers: Pick<StrangerBudget, 'refused'>;
  readonly secretHash: Pick<SecretHash, 'digest'>;
  readonly seal: Seal;
  readonly refusedMethods: RefusedMethods;
  readonly maximumAge: MaximumAge;
  readonly ownerAcceptance: OwnerAcceptance;
  /** What is done with a secret that leaked. */
  readonly leakAction: LeakAction;
  /** Milliseconds for which what is asked for waits for people. */
  readonly approvalValidity: number;
  /** Milliseconds before its end from which on an access is shown as expiring. */
  readonly expiringWithin: number;
  /** Milliseconds for which what a proposal took away is watched. */
  readonly rollbackWindow: number;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** What the token wing's reasons mean: the wings do not see each other. */
  readonly tokenReasons: Readonly<Record<string, ReasonExplanation>>;
  /** What the token wing's rules say of a token. */
  readonly accessPolicy: AccessPolicy;
  /** What the token wing makes of an assertion. */
  readonly testAssertion: TestAssertion;
  /** Why nothing would ever be fetched from a URL, or sent there, as far as it says so itself. */
  readonly fetchFault: FetchDeps['fetchFault'];
  /** Sends notices to a URL that somebody gave. */
  readonly post: Post;
  readonly report: EndpointDeps['report'];
  /** Undefined: what is used of the own API is not counted. */
  readonly countUse?: RequireAdminDeps['countUse'];
  readonly mtlsBase: string | undefined;
  /** Whether callers' certificates are seen here. */
  readonly clientCertificates: boolean;
}

/** Every route of the admin API, of the audit log's query, and of what the API publishes of itself. */
export function createAdminRoutes(deps: GovernanceDeps): readonly Route[] {
  const endpoint: EndpointDeps = {
    ...deps,
    requireAdmin: createRequireAdmin({ ...deps, resource: deps.adminResource }),
    idempotency: createIdempotency({
      ...deps,
      deliverOutbox: () => deliverOutbox(deps, deps.clock.now()),
    }),
  };
  const handlers = handlersOf(deps);
  return [
    ...operationIds.map((id) => routeOf(endpoint, id, handlers[id] as unknown as Handler<OperationId>)),
    ...publishedRoutes({ ...deps, resource: deps.adminResource }),
  ];
}

type Handlers = { readonly [Id in OperationId]: Handler<Id> };

function handlersOf(deps: GovernanceDeps): Handlers {
  const rules = { ...deps, digest: (secret: string) => deps.secretHash.digest(secret) };
  return {
    ...identityHandlers(rules),
    ...decommissioningHandlers(rules),
    ...credentialHandlers(rules),
    ...certificateHandlers({ ...rules, ...deps.issuing }),
    ...certificateAuthorityHandlers({ ...rules, ...deps.rotation }),
    ...claimCodeHandlers(rules),
    'devices.import': devicesImportHandler(rules),
    ...resourceServerHandlers(rules),
    ...trustedIssuerHandlers(rules),
    ...accessHistoryHandlers(rules),
    ...accessHandlers(rules),
    ...approvalHandlers(rules),
    ...approvalRuleHandlers(rules),
    ...policyHandlers(rules),
    ...policyExceptionHandlers(rules),
    ...reviewHandlers(rules),
    ...keyHandlers(rules),
    ...cutoffHandlers(rules),
    ...leakHandlers(rules),
    ...findingHandlers(rules),
    ...proposalHandlers(rules),
    ...riskHandlers(rules),
    ...peopleHandlers(rules),
    ...ownershipOfferHandlers(rules),
    ...teamHandlers(rules),
    ...usageHandlers(rules),
    ...auditHandlers(rules),
    ...explainHandlers(rules),
    ...traceHandlers(rules),
    ...documentHandlers(rules),
    ...meHandlers(rules),
    ...webhookHandlers(rules),
    ...workloadHandlers(rules),
    ...trustDomainHandlers(rules),
    ...svidHandlers({ ...rules, ...deps.issuing }),
  };
}

/** What many documents or rows may take: as long as the HTTP clients of Node wait for an answer. */
const LONG_WORK_MS = 300_000;

/** Each handler was checked against its own operation above; from here on they are all alike. */
function routeOf(deps: EndpointDeps, id: OperationId, handler: Handler<OperationId>): Route {
  const operation = operations[id];
  return {
    method: operation.method,
    path: operation.path.replace(/\{(\w+)\}/g, ':$1'),
    endpoint: createEndpoint(deps, operation, handler),
    bodyLimit: operation.bodyLimit,
    ...(operation.bodyList && { patience: LONG_WORK_MS }),
    errors: 'problem',
  };
}

export function createJobs(
  deps: Pick<
    GovernanceDeps,
    | 'storage'
    | 'changes'
    | 'log'
    | 'clock'
    | 'random'
    | 'ownerAcceptance'
    | 'approvalValidity'
    | 'adminResource'
    | 'issuer'
    | 'ending'
    | 'instances'
    | 'lifetimes'
    | 'rollbackWindow'
  > &
    Pick<ForgetExpiredDeps, 'certificateRetention'> &
    Pick<TellCredentialEndsDeps, 'credentialExpiring'> &
    Pick<WatchProposalsDeps, 'missedReductions'> &
    Pick<
      LookForFindingsDeps,
      'pace' | 'places' | 'maximumAge' | 'inactivity' | 'suspendedForMs' | 'pacer'
    > & {
      /** Undefined: no mail is sent. */
      readonly mail: SendMail | undefined;
      readonly digestDay: WriteDigestsDeps['digestDay'];
      readonly webhooks: Pick<DeliveryDeps, 'seal' | 'digest' | 'fetchFault' | 'post'>;
      readonly rotateIfDue: () => Promise<unknown>;
      readonly reportOwnUse: () => Promise<unknown>;
    },
): readonly Job[] {
  return [
    deliverOutboxJob(deps),
    rotateSigningKeysJob(deps.rotateIfDue),
    forgetExpiredJob(deps),
    sweepIdentitiesJob(deps),
    sweepEndsJob(deps),
    suspendInactiveJob(deps),
    noteEndingCallersJob(deps.ending),
    retireRotatedJob(deps),
    tellCredentialEndsJob(deps),
    runOrphanClocksJob(deps),
    escalateOwnershipOffersJob(deps),
    lapseApprovalsJob(deps),
    runReviewsJob({ ...deps, mostItems: MOST_REVIEW_ITEMS }),
    forgetUseJob(deps),
    reportOwnUseJob(deps.reportOwnUse),
    rightSizeJob(deps),
    watchProposalsJob(deps),
    lookForFindingsJob(deps),
    deliverWebhooksJob({ ...deps, ...deps.webhooks }),
    ...(deps.mail === undefined
      ? []
      : [writeDigestsJob(deps), sendMailsJob({ ...deps, sendMail: deps.mail })]),
  ];
}
