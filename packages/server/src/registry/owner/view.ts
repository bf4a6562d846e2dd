import type { OwnershipClockRecord } from '../../storage/ownership-clocks.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { OfferState, OfferStep, OwnershipOfferRecord } from '../../storage/ownership-offers.ts';
import { rfc3339 } from '../views.ts';
import { suspendsAt } from './clock.ts';

export interface OfferView {
  id: string;
  identity: string;
  client_id: string;
  from: string;
  to: string;
  candidate: string;
  step: OfferStep;
  state: OfferState;
  reason: string | null;
  offered_by: string;
  due_at: string | null;
  decided_by: string | null;
  decided_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
}

export function offerView(record: OwnershipOfferRecord, clientId: string): OfferView {
  return {
    id: record.id,
    identity: record.identityId,
    client_id: clientId,
    from: record.from,
    to: record.to,
    candidate: record.candidate,
    step: record.step,
    state: record.state,
    reason: record.reason ?? null,
    offered_by: record.offeredBy,
    due_at: record.state === 'open' ? rfc3339(record.dueAt) : null,
    decided_by: record.decidedBy ?? null,
    decided_at: record.decidedAt === undefined ? null : rfc3339(record.decidedAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface ClockView {
  person: string;
  interim: string | null;
  since: string;
  suspends_at: string | null;
}

/** How it stands with an identity whose owner has left. */
export function clockView(clock: OwnershipClockRecord, identity: IdentityRecord): ClockView {
  const end = suspendsAt(clock, identity);
  return {
    person: clock.person,
    interim: clock.interim ?? null,
    since: rfc3339(clock.startedAt),
    suspends_at: end === undefined ? null : rfc3339(end),
  };
}
