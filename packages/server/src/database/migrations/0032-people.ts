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

    `CREATE TABLE ownership_clocks (identity_id ${text} PRIMARY KEY REFERENCES identities (id), person ${text} NOT NULL,
      person_key ${text} NOT NULL, backup ${text}, interim ${text}, started_at BIGINT NOT NULL, taken BIGINT NOT NULL,
      next_at BIGINT NOT NULL, version BIGINT NOT NULL)`,
    'CREATE INDEX ownership_clocks_due ON ownership_clocks (next_at, identity_id)',
    'CREATE INDEX ownership_clocks_person ON ownership_clocks (person_key, identity_id)',
    `CREATE TABLE ownership_offers (id ${text} PRIMARY KEY, identity_id ${text} NOT NULL REFERENCES identities (id),
      from_person ${text} NOT NULL, to_person ${text} NOT NULL, candidate ${text} NOT NULL,
      candidate_key ${text} NOT NULL, step ${text} NOT NULL, state ${text} NOT NULL, reason ${text},
      offered_by ${text} NOT NULL, due_at BIGINT NOT NULL, decided_by ${text}, decided_at BIGINT,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL)`,
    "CREATE UNIQUE INDEX ownership_offers_open ON ownership_offers (identity_id) WHERE state = 'open'",
    'CREATE INDEX ownership_offers_identity ON ownership_offers (identity_id, created_at, id)',
    'CREATE INDEX ownership_offers_candidate ON ownership_offers (candidate_key, state, created_at, id)',
    'CREATE INDEX ownership_offers_state ON ownership_offers (state, created_at, id)',
    'CREATE INDEX ownership_offers_page ON ownership_offers (created_at, id)',
    "CREATE INDEX ownership_offers_due ON ownership_offers (due_at, id) WHERE state = 'open'",

    'DROP INDEX identities_owner_person',
    'DROP INDEX identities_owner_team',
    'CREATE INDEX identities_owner_person_key ON identities (lower(owner_person), created_at, id)',
    'CREATE INDEX identities_owner_backup_key ON identities (lower(owner_backup), created_at, id)',
    'CREATE INDEX identities_owner_team_key ON identities (lower(owner_team), created_at, id)',
  ];
}
