import type { Dialect } from '../database.ts';

/** People and teams, by whose names identities have owners. A `_key` is its text with the ASCII letters in lower case. */
export function people(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const byKey = dialect === 'postgres' ? '' : 'WITHOUT ROWID';
  const person = `
    handle ${text} NOT NULL, handle_key ${text} NOT NULL, name ${text} NOT NULL, email ${text}, email_key ${text},
    external_id ${text}, status ${text} NOT NULL, left_at BIGINT, manager ${text}, manager_key ${text},
    deleted BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  const team = `
    name ${text} NOT NULL, name_key ${text} NOT NULL, members ${text} NOT NULL, lead ${text}, channel ${text},
    deleted BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  const validity = 'valid_from BIGINT NOT NULL, valid_to BIGINT NOT NULL, PRIMARY KEY (id, version)';
  return [
    `CREATE TABLE people (id ${text} PRIMARY KEY, ${person})`,
    'CREATE UNIQUE INDEX people_handle ON people (handle_key) WHERE deleted = 0',
    'CREATE UNIQUE INDEX people_email ON people (email_key) WHERE deleted = 0',
    'CREATE UNIQUE INDEX people_external_id ON people (external_id) WHERE deleted = 0',
    'CREATE INDEX people_page ON people (deleted, created_at, id)',
    'CREATE INDEX people_status ON people (status, created_at, id)',
    'CREATE INDEX people_left ON people (left_at)',
    'CREATE INDEX people_manager ON people (manager_key, created_at, id)',
    `CREATE TABLE person_history (id ${text} NOT NULL, ${person}, ${validity})`,

    `CREATE TABLE teams (id ${text} PRIMARY KEY, ${team})`,
    'CREATE UNIQUE INDEX teams_name ON teams (name_key) WHERE deleted = 0',
    'CREATE INDEX teams_page ON teams (deleted, created_at, id)',
    `CREATE TABLE team_history (id ${text} NOT NULL, ${team}, ${validity})`,
    // Members and lead of live teams as they are now.
    `CREATE TABLE team_people (person_key ${text} NOT NULL, team_id ${text} NOT NULL REFERENCES teams (id),
      PRIMARY KEY (person_key, team_id)) ${byKey}`,
    'CREATE INDEX team_people_team ON team_people (team_id)',

    'DROP INDEX identities_owner_person',
    'DROP INDEX identities_owner_team',
    'CREATE INDEX identities_owner_person_key ON identities (lower(owner_person), created_at, id)',
    'CREATE INDEX identities_owner_backup_key ON identities (lower(owner_backup), created_at, id)',
    'CREATE INDEX identities_owner_team_key ON identities (lower(owner_team), created_at, id)',
  ];
}
