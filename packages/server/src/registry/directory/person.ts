import { newId } from '../../ids.ts';
import type { IdentityFilter, IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { PersonRecord, PersonStatus } from '../../storage/people.ts';
import type { Stores } from '../../storage/storage.ts';
import { type RuleDeps, same, type Tell } from '../change-rules.ts';
import { hasEnded } from '../identity.ts';
import { RegistryRefusal } from '../refusal.ts';
import { personView } from './view.ts';

export interface NewPerson {
  readonly handle: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly externalId: string | undefined;
  readonly status: PersonStatus;
  readonly managerHandle: string | undefined;
}

/** Rejects with `already_exists` when the handle, the e-mail address or the external id is another's, or a team's name. */
export async function createPerson(
  deps: RuleDeps,
  stores: Pick<Stores, 'people' | 'teams'>,
  tell: Tell,
  asked: NewPerson,
): Promise<PersonRecord> {
  const now = deps.clock.now();
  const record: PersonRecord = {
    id: newId('psn', deps.random),
    handle: asked.handle,
    name: asked.name,
    email: asked.email,
    externalId: asked.externalId,
    status: asked.status,
    leftAt: asked.status === 'left' ? now : undefined,
    managerHandle: asked.managerHandle,
    deleted: false,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  const known = await stores.people.byHandle(record.handle);
  if (known !== undefined) throw taken('/handle', `${record.handle} is entered already`, known.id);
  const team = await stores.teams.byName(record.handle);
  if (team !== undefined) {
    throw taken('/handle', `${record.handle} is a team: whom an owner means must be clear`, team.id);
  }
  await requireOwnKeys(stores, record);
  await stores.people.insert(record);
  tell({ type: 'person.created', resource: record.id, after: personView(record) });
  return record;
}

/** Absent stays, null removes. */
export interface PersonChange {
  readonly name?: string | undefined;
  readonly email?: string | null | undefined;
  readonly externalId?: string | null | undefined;
  readonly status?: PersonStatus | undefined;
  readonly managerHandle?: string | null | undefined;
}

const EVENTS: { readonly [status in PersonStatus]: string } = {
  active: 'person.returned',
  leaving: 'person.leaving',
  left: 'person.left',
};

/** The record with the change made; the same record, and no event, when there is nothing to change. */
export async function changePerson(
  deps: RuleDeps,
  stores: Pick<Stores, 'people'>,
  tell: Tell,
  record: PersonRecord,
  change: PersonChange,
): Promise<PersonRecord> {
  const now = deps.clock.now();
  const status = change.status ?? record.status;
  const changed: PersonRecord = {
    ...record,
    name: change.name ?? record.name,
    email: merged(record.email, change.email),
    externalId: merged(record.externalId, change.externalId),
    status,
    leftAt: status === 'left' ? (record.leftAt ?? now) : undefined,
    managerHandle: merged(record.managerHandle, change.managerHandle),
  };
  if (same(changed, record)) return record;
  await requireOwnKeys(stores, changed);
  const type = status === record.status ? 'person.updated' : EVENTS[status];
  return await replace(deps, stores, tell, record, changed, type);
}

/** Rejects with `still_in_use` while anything that lives names them: a person who leaves is `left`, not deleted. */
export async function deletePerson(
  deps: RuleDeps,
  stores: Pick<Stores, 'people' | 'teams' | 'identities'>,
  tell: Tell,
  record: PersonRecord,
): Promise<PersonRecord> {
  const { handle } = record;
  for (const filter of [{ ownerPerson: handle }, { ownerBackup: handle }]) {
    const owned = await anyLiving(stores, filter);
    if (owned !== undefined) throw inUse(`${owned.clientId} names them as owner or backup`, owned.id);
  }
  const [team] = (await stores.teams.list({ person: handle }, { limit: 1 })).items;
  if (team !== undefined) throw inUse(`the team ${team.name} names them`, team.id);
  const [report] = (await stores.people.list({ manager: handle }, { limit: 1 })).items;
  if (report !== undefined) throw inUse(`${report.handle} reports to them`, report.id);
  return await replace(deps, stores, tell, record, { ...record, deleted: true }, 'person.deleted');
}

/** One that an owner could still lose. */
export async function anyLiving(
  stores: Pick<Stores, 'identities'>,
  filter: IdentityFilter,
): Promise<IdentityRecord | undefined> {
  let after: Position | undefined;
  do {
    const page = await stores.identities.list(filter, { limit: 200, after });
    const living = page.items.find((identity) => !hasEnded(identity));
    if (living !== undefined) return living;
    after = page.next;
  } while (after !== undefined);
  return undefined;
}

function merged(present: string | undefined, change: string | null | undefined): string | undefined {
  return change === undefined ? present : (change ?? undefined);
}

/** Who has the same address or key is the same human: two entries of one human could approve each other. */
async function requireOwnKeys(stores: Pick<Stores, 'people'>, record: PersonRecord): Promise<void> {
  const { id, email, externalId } = record;
  const byEmail = email === undefined ? undefined : await stores.people.byEmail(email);
  if (byEmail !== undefined && byEmail.id !== id)
    throw taken('/email', `${email} is the address of ${byEmail.handle}`, byEmail.id);
  const byKey = externalId === undefined ? undefined : await stores.people.byExternalId(externalId);
  if (byKey !== undefined && byKey.id !== id)
    throw taken('/external_id', `${externalId} is the key of ${byKey.handle}`, byKey.id);
}

function taken(pointer: string, message: string, existing: string): RegistryRefusal {
  return new RegistryRefusal('already_exists', message, { pointer, existing });
}

function inUse(message: string, existing: string): RegistryRefusal {
  return new RegistryRefusal('still_in_use', message, { existing });
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'people'>,
  tell: Tell,
  before: PersonRecord,
  after: PersonRecord,
  type: string,
): Promise<PersonRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.people.replace(next);
  tell({ type, resource: before.id, before: personView(before), after: personView(next) });
  return next;
}
