// The face of @countersign/resource-server.
export { type CutoffAlarm, type FeedFault, FeedError } from './cutoff-alarm.ts';
export type { CutoffFeedState } from './cutoff-feed.ts';
export type { Introspecting } from './introspection.ts';
export { JwksError } from './jwks.ts';
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
export { NotReadyError } from './readiness.ts';
export { type Refusal, type RefusalReason } from './refusal.ts';
export { refusalBody, requireScope, watchScope } from './require-scope.ts';
export { rememberUsedProofs, type UsedProofs, UsedProofsFull } from './sender-constraint/used-proofs.ts';
export type { TokenRequest, Verified, VerifyResult } from './token-request.ts';
export { createVerifier, type Verifier } from './verifier.ts';
export type { Watched, WatchOptions } from './watch.ts';
export { type Reporting, ReportRefused } from './usage/use-reporter.ts';
export { fetchTrusting } from '@countersign/protocol/fetch-trusting';
