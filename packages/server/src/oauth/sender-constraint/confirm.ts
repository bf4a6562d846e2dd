// Which proof of possession a token is bound to: RFC 9449 §5, RFC 8705 §3.
import type { ConfirmationMember } from '@countersign/protocol';
import { header, type HttpRequest } from '../../http/request.ts';
import type { Binding } from '../../storage/access.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import type { SenderConstraint } from './constraint.ts';

/**
 * Asks every constraint; at once where none has to wait. What an access demands (`binding`) is looked for, and whether it
 * is there is the business of policy (access-conditions.ts). Throws `Refusal` when the resource server wants a bound token
 * and the request gives nothing to bind it to, or two constraints would bind it.
 */
export function confirm(
  constraints: readonly SenderConstraint[],
  request: HttpRequest,
  { senderConstraint: wanted }: Pick<ResourceServerRecord, 'senderConstraint'>,
  now: number,
  holder: string,
  binding?: Binding,
): ConfirmationMember | undefined | Promise<ConfirmationMember | undefined> {
  const asked = wanted === 'none' && binding !== undefined ? proofOf(request, binding) : wanted;
  let found: ConfirmationMember | Promise<ConfirmationMember | undefined> | undefined;
  let by: SenderConstraint | undefined;
  for (const constraint of constraints) {
    const confirmed = constraint.confirm(request, asked === constraint.name, now, holder);
    if (confirmed === undefined) continue;
    // One token has one holder; a verifier that knows only one of two bindings would accept half a proof.
    if (by !== undefined) throw refusal('several_sender_constraints', found, confirmed);
    found = confirmed;
    by = constraint;
  }
  if (wanted === 'none') return found;
  if (by?.name !== wanted) throw refusal('sender_constraint_missing', found);
  if (!(found instanceof Promise)) return found;
  return found.then((confirmed) => {
    if (confirmed === undefined) throw new Refusal('sender_constraint_missing');
    return confirmed;
  });
}

/** Of two that would do, the one that was sent on purpose: a certificate comes with every request of its connection. */
function proofOf(request: HttpRequest, binding: Binding): 'dpop' | 'mtls' {
  if (binding !== 'any') return binding;
  return header(request, 'dpop').kind === 'absent' ? 'mtls' : 'dpop';
}

/** A refusal although proofs are still being looked at: how that ends, and be it badly, changes nothing any more. */
function refusal(reason: RefusalReason, ...pending: readonly unknown[]): Refusal {
  for (const each of pending) if (each instanceof Promise) each.catch(() => undefined);
  return new Refusal(reason);
}
