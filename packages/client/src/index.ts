// The face of @countersign/client.
export { fetchTrusting } from '@countersign/protocol/fetch-trusting';
export type { Authorization, AuthorizedRequest } from './authorization.ts';
export { type Client, createClient, type TokenTarget } from './client.ts';
export {
  ClientOptionError,
  type ClientOptionFault,
  TokenError,
  type TokenErrorCode,
  type TokenErrorFacts,
} from './errors.ts';
export type { DpopKey } from './dpop.ts';
export { type HeldCertificate, newKey as newDeviceKey } from './certificate/certificate-request.ts';
export { claimDevice, type ClaimOptions } from './certificate/claim.ts';
export { renewalTime, renewCertificate, type RenewOptions } from './certificate/renew.ts';
export type { ClientOptions } from './options.ts';
export type { ShownCertificate } from '@countersign/protocol/fetch-trusting';
export type { PrivateJwk, PrivateKey } from './signing-key.ts';
export { keyFile } from './rotation/key-file.ts';
export type { RotatedKey, RotateOptions, RotationOutcome } from './rotation/key-rotation.ts';
export type { KeyStore, StoredKeys } from './rotation/key-store.ts';
export { subjectTokenFile } from './subject-token/file.ts';
export { githubActionsToken } from './subject-token/github-actions.ts';
export { gitlabToken } from './subject-token/gitlab.ts';
export { kubernetesToken } from './subject-token/kubernetes-service-account.ts';
export type { SubjectTokenRequest, SubjectTokenSource } from './subject-token/source.ts';
export type { AccessToken, DerivationKey, Introspection } from './token-request.ts';
