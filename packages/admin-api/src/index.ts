export {
  ACCESS_LINKS,
  type AccessExplanation,
  type AccessHolder,
  type AccessLink,
} from './access-history.ts';
export {
  ACCESS_STATES,
  type Access,
  accessCreate,
  accessPatch,
  type AccessState,
} from './access.ts';
export {
  type ApprovalRule,
  APPROVAL_SUBJECTS,
  APPROVER_ROLES,
  type ApprovalSubject,
  type ApproverRole,
  approvalRuleCreate,
} from './approval-rules.ts';
export { APPROVAL_STATES, type Approval, type ApprovalState } from './approvals.ts';
export {
  API_VERSION,
  type ApplyResult,
  applyRequest,
  type Document,
  type DocumentInput,
  document,
} from './apply.ts';
export { type Explanation, explanation, type LoggedAuditEvent, requestId } from './audit.ts';
export {
  AdminApiError,
  type AdminClient,
  type AdminClientOptions,
  type AdminErrorCode,
  type Answer,
  type CallInput,
  createAdminClient,
  type ListId,
} from './client.ts';
export { type AccessConditions, BINDINGS, type Binding, DAYS, type Day } from './conditions.ts';
export { BODY_DEPTH, type BodyList, type IfMatch, type Method, type Operation } from './contract.ts';
export { csvLine, withoutGuard } from './csv.ts';
export { subjectOf } from './credential-members.ts';
export {
  CREDENTIAL_STATES,
  CREDENTIAL_TYPES,
  type CreatedCredential,
  type Credential,
  credentialCreate,
  credentialPatch,
  type CredentialType,
  type CredentialState,
} from './credentials.ts';
export {
  CUTOFF_KINDS,
  type Cutoff,
  cutoffCreate,
  type CutoffDrill,
  type CutoffOutlook,
  type CutoffReport,
  type CutoffResourceServer,
} from './cutoffs.ts';
export { INSTANCE_STATES, type Rotation, ROTATION_STATES } from './rotation.ts';
export { type Decommissioning, DECOMMISSION_PHASES, type RecentCallers } from './decommissioning.ts';
export type { PendingApproval } from './decisions.ts';
export {
  type Difference,
  type EndsAlso,
  OBJECT_KINDS,
  type ObjectChange,
  type ObjectKind,
} from './difference.ts';
export {
  type Finding,
  FINDING_KINDS,
  FINDING_SEVERITIES,
  FINDING_STATES,
  FINDING_SUBJECTS,
  type FindingKind,
  type FindingState,
  type FindingSeverity,
  type FindingSubject,
} from './findings.ts';
export {
  CADENCES,
  ENVIRONMENTS,
  IDENTITY_KINDS,
  IDENTITY_STATES,
  type Identity,
  identityCreate,
  identityPatch,
  type IdentityKind,
  type Environment,
  type Cadence,
  type IdentityState,
} from './identities.ts';
export { directoryName, newClientId } from './fields.ts';
export type { ClaimCode } from './claim-codes.ts';
export {
  DEVICE_COLUMNS,
  deviceRow,
  type DevicesImported,
  MOST_DEVICE_ROWS,
} from './devices-import.ts';
export { AUTHORITY_ALGORITHMS, type CertificateAuthority } from './certificate-authorities.ts';
export { type Certificate, type IssuedCertificate, REVOCATION_CODES } from './certificates.ts';
export { KEY_ALGORITHMS, KEY_PURPOSES, type SigningKey } from './keys.ts';
export type { Me } from './me.ts';
export { type OpenApiOptions, openApiDocument } from './openapi.ts';
export {
  type BodyOf,
  type OperationId,
  type Operations,
  operationIds,
  operations,
  type ParamsOf,
  type QueryOf,
  type ResponseOf,
} from './operations.ts';
export { OFFER_STATES, type OfferState, type OfferStep, type OwnershipOffer } from './ownership.ts';
export {
  type BadRow,
  IMPORT_COLUMNS,
  importRow,
  MOST_IMPORT_ROWS,
  type PeopleImported,
  type PersonRow,
} from './people-import.ts';
export {
  type HandedOver,
  PERSON_STATUSES,
  type Person,
  personCreate,
  personPatch,
  type PersonStatus,
} from './people.ts';
export {
  type FieldError,
  PROBLEMS,
  type Problem,
  type ProblemCode,
  type ProblemExtensions,
  parseProblem,
  problemDocument,
} from './problem.ts';
export {
  POLICY_MODES,
  type Policy,
  type PolicyMode,
  type PolicyWhatIfResult,
  policyCreate,
} from './policies.ts';
export type { PolicyWarning } from './policy-warnings.ts';
export type { PolicyException } from './policy-exceptions.ts';
export { POLICY_RULES, policyParameters, type PolicyRuleId } from './policy-parameters.ts';
export {
  POLICY_EXPECTATIONS,
  type PolicyExpectation,
  type PolicyGiven,
  type PolicyTest,
  type PolicyTestFailure,
  type PolicyTestReport,
} from './policy-tests.ts';
export {
  PROPOSAL_KINDS,
  PROPOSAL_STATES,
  type Proposal,
  type ProposalKind,
  type ProposalState,
  type ProposalSubject,
} from './proposals.ts';
export {
  type ResourceServer,
  resourceServerCreate,
  resourceServerPatch,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from './resource-servers.ts';
export { type ListedRisk, RISK_BANDS, type Risk, type RiskBand } from './risk.ts';
export { REVIEW_REPORT_COLUMNS, reviewReportCsv } from './review-report.ts';
export {
  MOST_REVIEW_ITEMS,
  ON_SILENCE,
  type OnSilence,
  REMAINING_TOKENS,
  type RemainingTokens,
  REMEDIATION_STATES,
  type RemediationState,
  type Review,
  REVIEW_DECISIONS,
  REVIEW_ITEM_STATES,
  REVIEW_STATES,
  reviewCreate,
  type ReviewDecision,
  type ReviewItem,
  type ReviewItemState,
  type ReviewOutlook,
  type ReviewQuality,
  type ReviewState,
} from './reviews.ts';
export {
  isPeopleScope,
  limitedToOwn,
  PERMISSIONS,
  ROLES,
  type Role,
  SCOPE_ROLES,
  scopesOfRoles,
} from './roles.ts';
export {
  ADMIN_SCOPE_NAMES,
  ADMIN_SCOPES,
  type AdminScope,
  PEOPLE_SCOPES,
  type Permission,
} from './scopes.ts';
export { type Team, teamCreate, teamPatch } from './teams.ts';
export {
  type AssertionReport,
  type TrustedIssuer,
  TRUSTED_ISSUER_KINDS,
  trustedIssuerCreate,
  trustedIssuerPatch,
  type TrustedIssuerKind,
} from './trusted-issuers.ts';
export { type TokenTrace, tokenTrace, type TracedToken } from './tokens.ts';
export { type AccessUsage, MOST_USAGE_ROWS, USE_ANSWERS, type UsageReport } from './usage.ts';
export {
  type NoSignInOffer,
  type SignInOffer,
  signInOfferIn,
  type SignInProvider,
  signInProviderIn,
  signInProviderUrl,
} from './sign-in.ts';
export type { ServedWorkloads } from './svids.ts';
export {
  type CreatedWebhook,
  DELIVERY_STATES,
  type DeliveryState,
  type Webhook,
  type WebhookDelivery,
  type WebhookState,
  type WebhookTested,
} from './webhooks.ts';
export { WORKLOAD_SELECTORS, type Workload, workloadSelector, type WorkloadSelector } from './workloads.ts';
export type { TrustDomainAnswer } from './trust-domains.ts';
