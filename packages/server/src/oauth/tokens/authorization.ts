// What a grant asks for: RFC 6749 §4, with the delegation of RFC 8693 §1.1 and §4.1.
import type { Actor, TokenTypeIdentifier } from '@countersign/protocol';
import type { AccessAsked } from '../../registry/effective-access.ts';

/** In whose name a token is asked for, when that is not the client itself. */
export interface Delegation {
  /** `sub` of the token. */
  readonly subject: string;
  /** Who acts for it, the current one outermost; undefined: nobody but the subject. */
  readonly actor: Actor | undefined;
  /** Epoch seconds: the token ends by then, with what it was exchanged for. */
  readonly expiresAt: number;
}

export interface Authorization extends AccessAsked {
  readonly delegation?: Delegation | undefined;
  /** `issued_token_type` of the answer (RFC 8693 §2.2.1). */
  readonly issuedTokenType?: TokenTypeIdentifier | undefined;
}
