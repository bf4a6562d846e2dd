import type { PersonRecord, PersonStatus } from '../../storage/people.ts';
import type { TeamRecord } from '../../storage/teams.ts';
import { rfc3339 } from '../views.ts';

export interface PersonView {
  id: string;
  handle: string;
  name: string;
  email: string | null;
  external_id: string | null;
  status: PersonStatus;
  left_at: string | null;
  manager: string | null;
  created_at: string;
  updated_at: string;
  version: number;
}

export function personView(record: PersonRecord): PersonView {
  return {
    id: record.id,
    handle: record.handle,
    name: record.name,
    email: record.email ?? null,
    external_id: record.externalId ?? null,
    status: record.status,
    left_at: record.leftAt === undefined ? null : rfc3339(record.leftAt),
    manager: record.managerHandle ?? null,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface TeamView {
  id: string;
  name: string;
  members: string[];
  lead: string | null;
  channel: string | null;
  created_at: string;
  updated_at: string;
  version: number;
}

export function teamView(record: TeamRecord): TeamView {
  return {
    id: record.id,
    name: record.name,
    members: [...record.members],
    lead: record.lead ?? null,
    channel: record.channel ?? null,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}
