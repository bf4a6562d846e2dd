// The face of @countersign/resource-server.
export { type CutoffAlarm, type FeedFault, FeedError } from './cutoff-alarm.ts';
export type { CutoffFeedState } from './cutoff-feed.ts';
export type { Introspecting } from './introspecting.ts';
export { JwksError } from './jwks-error.ts';
export { type MetadataFacts, type PublishedMetadata, publishedMetadata } from './metadata.ts';
export {
  type ApiKeyOptions,
  type CertificateHeaderOptions,
  type CutoffOptions,
  type DpopOptions,
  type IssuerOptions,
  type OnStale,
  type TokenSource,
  type UsageOptions,
  type VerifierOptionFault,
  VerifierOptionError,
  type VerifierOptions,
} from './options.ts';
export {
  type PresentedToken,
  type PresentedTokenResult,
  presentedToken,
  type RequestHeaders,
} from './presented-token.ts';
export { NotReadyError } from './not-ready.ts';
export { type Refusal, type RefusalReason } from './refusal.ts';
export { refusalBody, requireScope, watchScope } from './require-scope.ts';
export { rememberUsedProofs, type UsedProofs, UsedProofsFull } from './sender-constraint/used-proofs.ts';
export type { TokenRequest, Verified, VerifyResult } from './token-request.ts';
export { createVerifier } from './create-verifier.ts';
export type { Verifier } from './verifier.ts';
export type { Watched, WatchOptions } from './watch.ts';
export { ReportRefused } from './usage/report-refused.ts';
export type { Reporting } from './usage/use-reporter.ts';
export type { OpenedRoute } from './usage/told-routes.ts';
export {
  type CertificateCredential,
  certificateCredential,
} from '@countersign/protocol/certificate-credential';
export { fetchTrusting } from '@countersign/protocol/fetch-trusting';
