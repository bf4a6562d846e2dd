// Why a request at an OAuth endpoint is refused: the inside of RFC 6749 §5.2. Only error-response.ts turns it outward.
import { ACCESS, type AccessReason } from './refusal/access.ts';
import { ACE_REFUSALS, type AceReason } from './refusal/ace.ts';
import { ASSERTION, type AssertionReason } from './refusal/assertion.ts';
import { CERTIFICATE_RENEWAL, type CertificateRenewalReason } from './refusal/certificate-renewal.ts';
import { CLIENT_ASSERTION, type ClientAssertionReason } from './refusal/client-assertion.ts';
import { CLIENT_AUTHENTICATION, type ClientAuthenticationReason } from './refusal/client-authentication.ts';
import { CLIENT_CERTIFICATE, type ClientCertificateReason } from './refusal/client-certificate.ts';
import type { Reasons, RefusalEntry } from './refusal/entry.ts';
import { DEVICE_CLAIM, type DeviceClaimReason } from './refusal/device-claim.ts';
import { NAMED_TOKEN, type NamedTokenReason } from './refusal/named-token.ts';
import { OUTAGE, type OutageReason } from './refusal/outage.ts';
import { POLICY, type PolicyRefusalReason } from './refusal/policy.ts';
import { REQUEST, type RequestReason } from './refusal/request.ts';
import { ROTATION, type RotationReason } from './refusal/rotation.ts';
import { SENDER_CONSTRAINT, type SenderConstraintReason } from './refusal/sender-constraint.ts';
import { SIGN_IN, type SignInReason } from './refusal/sign-in.ts';
import { SVID, type SvidReason } from './refusal/svid.ts';
import { TOKEN_EXCHANGE, type TokenExchangeReason } from './refusal/token-exchange.ts';

export type RefusalReason =
  | RequestReason
  | AceReason
  | ClientAuthenticationReason
  | ClientAssertionReason
  | ClientCertificateReason
  | SvidReason
  | AssertionReason
  | AccessReason
  | TokenExchangeReason
  | SignInReason
  | SenderConstraintReason
  | PolicyRefusalReason
  | NamedTokenReason
  | RotationReason
  | CertificateRenewalReason
  | DeviceClaimReason
  | OutageReason;

/** Every reason there is, with what the caller is told of it and what the operator. */
export const REFUSALS: Reasons<RefusalReason> = {
  ...REQUEST,
  ...ACE_REFUSALS,
  ...CLIENT_AUTHENTICATION,
  ...CLIENT_ASSERTION,
  ...CLIENT_CERTIFICATE,
  ...SVID,
  ...ASSERTION,
  ...ACCESS,
  ...TOKEN_EXCHANGE,
  ...SIGN_IN,
  ...SENDER_CONSTRAINT,
  ...POLICY,
  ...NAMED_TOKEN,
  ...ROTATION,
  ...CERTIFICATE_RENEWAL,
  ...DEVICE_CLAIM,
  ...OUTAGE,
};

export const REFUSAL_REASONS: readonly RefusalReason[] = Object.keys(REFUSALS) as RefusalReason[];

export function refusalEntry(reason: RefusalReason): RefusalEntry {
  return REFUSALS[reason];
}

export interface Voucher {
  /** Id of the trusted issuer. */
  readonly trustedIssuer: string;
  /** Its subject, told from all others. */
  readonly subject: string;
}

/** Thrown by a step of an OAuth endpoint; caught in the endpoint's story and nowhere else. */
export class Refusal extends Error {
  readonly reason: RefusalReason;
  /** What the caller needs beside the text, such as a nonce. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** What the operator is told beside the reason, as JSON has it; never a credential. */
  readonly evidence: Readonly<Record<string, unknown>> | undefined;
  /** The trusted issuer whose signature held before this was found, and about whom it signed. */
  voucher: Voucher | undefined;
  constructor(
    reason: RefusalReason,
    headers?: Readonly<Record<string, string>>,
    evidence?: Readonly<Record<string, unknown>>,
  ) {
    // A refusal is an answer, not a bug: a flood of them must not pay for stack traces.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(reason);
    Error.stackTraceLimit = limit;
    this.name = 'Refusal';
    this.reason = reason;
    this.headers = headers;
    this.evidence = evidence;
  }
}
