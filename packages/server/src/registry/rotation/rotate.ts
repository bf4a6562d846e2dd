import type { CredentialRecord, Predecessor } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { credentialView } from '../credential-view.ts';
import type { NewCredential } from '../new-credential.ts';
import { RegistryRefusal } from '../refusal.ts';

export interface RotateDeps extends RuleDeps {
  /** Milliseconds for which both may be there at most. */
  readonly rotationOverlap: number;
}

export interface AskedRotation {
  readonly by: Predecessor['by'];
  /** Milliseconds for which the old one is kept at most; undefined: as long as it may be. */
  readonly overlap: number | undefined;
  /** Of the successor; undefined: that of the old one. */
  readonly label: string | undefined;
  /** Of the successor, epoch ms; undefined: as late as it may be. */
  readonly expiresAt: number | undefined;
}

/** Makes the successor, of the type of the old one, from what is common to all of them. */
export type MakeSuccessor<Made extends { readonly record: CredentialRecord }> = (
  asked: NewCredential,
) => Promise<Made>;

/**
 * Gives a credential its successor. The old one works on until everybody who used it has moved (retire.ts), at the latest until
 * the overlap is over: its own end says so, and nothing has to run for it. Two rotations at once: the version of the old one
 * lets one of them through.
 */
export async function rotateCredential<Made extends { readonly record: CredentialRecord }>(
  deps: RotateDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  { identity, record }: { readonly identity: IdentityRecord; readonly record: CredentialRecord },
  asked: AskedRotation,
  make: MakeSuccessor<Made>,
): Promise<{ readonly made: Made; readonly old: CredentialRecord }> {
  const now = deps.clock.now();
  await requireRotatable(stores, record, now);
  const overlap = overlapOf(deps, asked.overlap);
  const made = await make({
    label: asked.label ?? record.label,
    expiresAt: asked.expiresAt,
    predecessor: { id: record.id, by: asked.by },
  });
  const old: CredentialRecord = {
    ...record,
    expiresAt: Math.min(record.expiresAt, now + overlap),
    successor: { id: made.record.id, since: now },
    updatedAt: now,
    version: record.version + 1,
  };
  await stores.credentials.replace(old);
  tell({
    type: 'credential.rotated',
    resource: old.id,
    reason: asked.by === 'itself' ? 'by whoever held it' : undefined,
    before: credentialView(record, identity.clientId),
    after: credentialView(old, identity.clientId),
  });
  return { made, old };
}

/** What takes the place of a credential now; undefined where nothing does (any more). */
export async function successorOf(
  stores: Pick<Stores, 'credentials'>,
  record: CredentialRecord,
  now: number,
): Promise<CredentialRecord | undefined> {
  if (record.successor === undefined) return undefined;
  const successor = await stores.credentials.byId(record.successor.id);
  return successor !== undefined && lasts(successor, now) ? successor : undefined;
}

async function requireRotatable(
  stores: Pick<Stores, 'credentials'>,
  record: CredentialRecord,
  now: number,
): Promise<void> {
  if (!lasts(record, now)) {
    const state = record.state === 'active' ? 'expired' : record.state;
    throw refused(`a credential that is ${state} is not rotated: make another one`);
  }
  const successor = await successorOf(stores, record, now);
  if (successor === undefined) return;
  throw new RegistryRefusal(
    'illegal_transition',
    `it has a successor already, ${successor.id}: rotate or revoke that one`,
    { existing: successor.id },
  );
}

function overlapOf({ rotationOverlap }: RotateDeps, asked: number | undefined): number {
  if (asked === undefined) return rotationOverlap;
  if (asked <= rotationOverlap) return asked;
  const days = Math.round((rotationOverlap / 86_400_000) * 10) / 10;
  throw new RegistryRefusal('end_out_of_range', `the overlap is at most ${days} days (rotation-overlap)`, {
    pointer: '/overlap',
  });
}

/** Whether it works, and goes on to. */
export function lasts({ state, expiresAt }: CredentialRecord, now: number): boolean {
  return state === 'active' && expiresAt > now;
}

function refused(message: string): RegistryRefusal {
  return new RegistryRefusal('illegal_transition', message);
}
