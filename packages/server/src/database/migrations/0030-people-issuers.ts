import type { Dialect } from '../database.ts';

/** How people sign in through a trusted issuer; one such issuer is active at a time. */
export function peopleIssuers(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `ALTER TABLE trusted_issuers ADD COLUMN people ${text}`,
    `ALTER TABLE trusted_issuer_history ADD COLUMN people ${text}`,
    "CREATE UNIQUE INDEX trusted_issuers_people ON trusted_issuers (kind) WHERE kind = 'people' AND state = 'active'",
    "CREATE INDEX trusted_issuers_of_people ON trusted_issuers (created_at, id) WHERE kind = 'people'",
  ];
}
