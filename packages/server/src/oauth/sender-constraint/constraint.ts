// Proof of possession that binds a token to its holder: RFC 9449 (DPoP), RFC 8705 §3 (certificates).
import type { ConfirmationMember } from '@countersign/protocol';
import type { HttpRequest } from '../../http/request.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';

/** A resource server's `senderConstraint`, as far as it is one. */
export type SenderConstraintName = Exclude<ResourceServerRecord['senderConstraint'], 'none'>;

export interface SenderConstraint {
  readonly name: SenderConstraintName;
  /**
   * What the token is to be bound to. `wanted`: the resource server takes no other tokens. Undefined: the request shows
   * nothing of this kind, or nothing that binds where it is not wanted. Throws `Refusal` for a proof that does not hold.
   * `holder`: who shows it, in whose share of the used proofs it counts.
   */
  confirm(
    request: HttpRequest,
    wanted: boolean,
    now: number,
    holder: string,
  ): ConfirmationMember | undefined | Promise<ConfirmationMember | undefined>;
  /** Headers for the answer that carries a token bound so. */
  answer?(confirmation: ConfirmationMember, now: number): Readonly<Record<string, string>> | undefined;
}
