// What a grant asks for: RFC 6749 §4, with the delegation of RFC 8693 §1.1 and §4.1.
import type {
  Actor,
  Confirmation,
  ConfirmationMember,
  ExchangedToken,
  TokenTypeIdentifier,
} from '@countersign/protocol';
import type { AccessAsked, EffectiveAccess } from '../../registry/effective-access.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';

/** In whose name a token is asked for, when that is not the client itself. */
export interface Delegation {
  /** `sub` of the token. */
  readonly subject: string;
  /** Who acts for it, the current one outermost; undefined: nobody but the subject. */
  readonly actor: Actor | undefined;
  /** Epoch seconds: the token ends by then, with what it was exchanged for. */
  readonly expiresAt: number;
  /** The tokens it comes from, the latest first. */
  readonly via?: readonly ExchangedToken[];
  /** What the tokens it was exchanged for are bound to: the request must prove each (RFC 9449 §7, RFC 8705 §3). */
  readonly boundTo?: readonly Confirmation[];
  /** What the subject may have there itself: policy is asked about it too. Undefined: the subject is the client. */
  readonly bySubject?: HeldBySubject;
  /** By which the client stands for the API that the token was sent to: the conditions of one of them hold. Undefined: by none, it is its own. */
  readonly standing?: readonly EffectiveAccess[];
  /** Asked again when the token is signed: throws `Refusal` when what it was exchanged for has ended since. */
  readonly recheck?: () => Promise<Pick<Delegation, 'bySubject' | 'standing'> | undefined>;
}

/** Of the subject, by the credential that its token was issued on, where the new token is for. */
export interface HeldBySubject {
  readonly facts: IdentityFacts;
  readonly credential: CredentialRecord;
  readonly held: EffectiveAccess;
}

/** What a request in CBOR asks of its token: RFC 9201 §3.1, RFC 9200 §5.8.4.4. */
export interface AceTerms {
  /** Of a key that the client has: its rights are renewed (RFC 9202 §4). Not yet known to be its own. */
  readonly popKeyId?: Uint8Array;
  /** By which a resource server without a clock knows that the token is new. */
  readonly cnonce?: Uint8Array;
}

/** What a token carries beside an access, if anything. */
export interface IssueTerms {
  readonly confirmation: ConfirmationMember | undefined;
  readonly delegation: Delegation | undefined;
  /** draft-ietf-oauth-status-list-21 §6.1. */
  readonly status?: { readonly idx: number; readonly uri: string } | undefined;
  readonly ace?: AceTerms | undefined;
}

export interface Authorization extends AccessAsked {
  readonly delegation?: Delegation | undefined;
  /** `issued_token_type` of the answer (RFC 8693 §2.2.1). */
  readonly issuedTokenType?: TokenTypeIdentifier | undefined;
}
