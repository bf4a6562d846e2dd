import type { Dialect } from '../database.ts';

/** What the scopes of an API were called, also when it was deleted and declared again, is found by its identifier. */
export function identifierHistory(_dialect: Dialect): readonly string[] {
  return [
    'CREATE INDEX resource_server_history_identifier ON resource_server_history (identifier, created_at, version)',
  ];
}
