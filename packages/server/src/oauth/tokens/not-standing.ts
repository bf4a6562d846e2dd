// A client that has proved who it is and may not act all the same: RFC 6749 §5.2 (invalid_client).
import type { IdentityFacts } from '../../registry/facts.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';

/** Knows who it was: of what is being decommissioned it is noted who still calls. */
export class NotStanding extends Refusal {
  readonly proved: IdentityFacts;
  constructor(reason: RefusalReason, proved: IdentityFacts, evidence?: Readonly<Record<string, unknown>>) {
    super(reason, undefined, evidence);
    this.proved = proved;
  }
}
