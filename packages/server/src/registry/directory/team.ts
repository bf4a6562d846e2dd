import { newId } from '../../ids.ts';
import type { Stores } from '../../storage/storage.ts';
import type { TeamRecord } from '../../storage/teams.ts';
import { type RuleDeps, same, type Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { anyLiving } from './person.ts';
import { teamView } from './view.ts';

export interface NewTeam {
  readonly name: string;
  readonly members: readonly string[];
  readonly lead: string | undefined;
  readonly channel: string | undefined;
}

/** Rejects with `already_exists` when the name is another team's or a person's, `unknown_reference` for whom nobody knows. */
export async function createTeam(
  deps: RuleDeps,
  stores: Pick<Stores, 'people' | 'teams'>,
  tell: Tell,
  asked: NewTeam,
): Promise<TeamRecord> {
  const now = deps.clock.now();
  const record: TeamRecord = {
    id: newId('tem', deps.random),
    name: asked.name,
    members: asked.members,
    lead: asked.lead,
    channel: asked.channel,
    deleted: false,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  const known = await stores.teams.byName(record.name);
  if (known !== undefined) throw taken(`the team ${record.name} is entered already`, known.id);
  const person = await stores.people.byHandle(record.name);
  if (person !== undefined)
    throw taken(`${record.name} is a person: whom an owner means must be clear`, person.id);
  await requireKnown(stores, record);
  await stores.teams.insert(record);
  tell({ type: 'team.created', resource: record.id, after: teamView(record) });
  return record;
}

/** Absent stays, null removes; members are replaced as a whole. */
export interface TeamChange {
  readonly members?: readonly string[] | undefined;
  readonly lead?: string | null | undefined;
  readonly channel?: string | null | undefined;
}

/** The record with the change made; the same record, and no event, when there is nothing to change. */
export async function changeTeam(
  deps: RuleDeps,
  stores: Pick<Stores, 'people' | 'teams'>,
  tell: Tell,
  record: TeamRecord,
  change: TeamChange,
): Promise<TeamRecord> {
  const changed: TeamRecord = {
    ...record,
    members: change.members ?? record.members,
    lead: change.lead === undefined ? record.lead : (change.lead ?? undefined),
    channel: change.channel === undefined ? record.channel : (change.channel ?? undefined),
  };
  if (same(changed, record)) return record;
  await requireKnown(stores, changed);
  return await replace(deps, stores, tell, record, changed, 'team.updated');
}

/** Rejects with `still_in_use` while anything that lives names it. */
export async function deleteTeam(
  deps: RuleDeps,
  stores: Pick<Stores, 'teams' | 'identities'>,
  tell: Tell,
  record: TeamRecord,
): Promise<TeamRecord> {
  for (const filter of [{ ownerTeam: record.name }, { ownerBackup: record.name }]) {
    const owned = await anyLiving(stores, filter);
    if (owned !== undefined) {
      throw new RegistryRefusal('still_in_use', `${owned.clientId} names it as team or backup of its owner`, {
        existing: owned.id,
      });
    }
  }
  return await replace(deps, stores, tell, record, { ...record, deleted: true }, 'team.deleted');
}

async function requireKnown(
  stores: Pick<Stores, 'people'>,
  { members, lead }: Pick<TeamRecord, 'members' | 'lead'>,
): Promise<void> {
  for (const [index, handle] of members.entries()) await requirePerson(stores, handle, `/members/${index}`);
  if (lead !== undefined) await requirePerson(stores, lead, '/lead');
}

async function requirePerson(stores: Pick<Stores, 'people'>, handle: string, pointer: string): Promise<void> {
  if ((await stores.people.byHandle(handle)) !== undefined) return;
  throw new RegistryRefusal('unknown_reference', `there is no person ${handle}`, { pointer });
}

function taken(message: string, existing: string): RegistryRefusal {
  return new RegistryRefusal('already_exists', message, { pointer: '/name', existing });
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'teams'>,
  tell: Tell,
  before: TeamRecord,
  after: TeamRecord,
  type: string,
): Promise<TeamRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.teams.replace(next);
  tell({ type, resource: before.id, before: teamView(before), after: teamView(next) });
  return next;
}
