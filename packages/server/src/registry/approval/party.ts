import type { Actor } from '../../audit/change.ts';
import type { Party } from '../../storage/approvals.ts';

/** The authority itself: its host's hands, its jobs. No machine can have this client_id. */
const AUTHORITY = 'countersign';

/** What the authority itself does needs nobody's approval: who runs it decides what it is. */
export function isAuthority({ identity }: Pick<Actor, 'identity'>): boolean {
  return identity === AUTHORITY;
}

/** Who asks or acts, as it proved itself. */
export function partyOf(actor: Actor): Party {
  const { person } = actor;
  if (person === undefined)
    return { kind: 'machine', clientId: actor.identity, credential: actor.credential };
  const { issuer, subject, handle } = person;
  return { kind: 'person', issuer, subject, handle };
}

/** All who have a hand in what this actor asks for: itself, and those whose token it was before it was exchanged. */
export function partiesOf(actor: Actor): readonly Party[] {
  const behind = (actor.behind ?? []).map((clientId): Party => ({ kind: 'machine', clientId }));
  return [partyOf(actor), ...behind];
}

/** As lists and events name it. */
export function nameOf(party: Party): string {
  return party.kind === 'machine' ? party.clientId : party.handle;
}
