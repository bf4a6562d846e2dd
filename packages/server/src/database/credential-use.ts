import type { CredentialUseStore } from '../storage/credential-use.ts';
import { type Session, statement } from './database.ts';

const noteUse = statement(
  'credential_use_note',
  `INSERT INTO credential_use (credential_id, last_used_at)
   SELECT id, $2 FROM credentials WHERE id = $1
   ON CONFLICT (credential_id) DO UPDATE SET last_used_at = excluded.last_used_at
   WHERE credential_use.last_used_at < excluded.last_used_at`,
);
const selectUse = statement('credential_use_of', {
  sqlite: `SELECT credential_id, last_used_at FROM credential_use
    WHERE credential_id IN (SELECT value FROM json_each($1))`,
  postgres: `SELECT credential_id, last_used_at FROM credential_use
    WHERE credential_id IN (SELECT json_array_elements_text($1::json))`,
});

const lastOf = (ids: string): string => `SELECT identity_id, max(at) AS at FROM (
    SELECT c.identity_id, u.last_used_at AS at FROM credentials c JOIN credential_use u ON u.credential_id = c.id
      WHERE c.identity_id IN (${ids})
    UNION ALL
    SELECT c.identity_id, s.last_ok_at AS at FROM credentials c JOIN usage s ON s.credential_id = c.id
      WHERE c.identity_id IN (${ids}) AND s.last_ok_at IS NOT NULL
  ) seen GROUP BY identity_id`;
const selectLastOfIdentities = statement('credential_use_of_identities', {
  sqlite: lastOf('SELECT value FROM json_each($1)'),
  postgres: lastOf('SELECT json_array_elements_text($1::json)'),
});

export function credentialUseStore(session: Session): CredentialUseStore {
  return {
    note: async (credentialId, at) => {
      await session.run(noteUse, [credentialId, at]);
    },
    of: async (credentialIds) => {
      const rows = await session.query<{ credential_id: string; last_used_at: number }>(selectUse, [
        JSON.stringify(credentialIds),
      ]);
      return new Map(rows.map((row) => [row.credential_id, row.last_used_at]));
    },
    ofIdentities: async (identityIds) => {
      const rows = await session.query<{ identity_id: string; at: number }>(selectLastOfIdentities, [
        JSON.stringify(identityIds),
      ]);
      return new Map(rows.map((row) => [row.identity_id, row.at]));
    },
  };
}
