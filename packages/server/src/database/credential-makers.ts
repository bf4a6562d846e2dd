import type { Party } from '../storage/approvals.ts';
import type { CredentialMakerStore } from '../storage/credential-makers.ts';
import { type Session, statement } from './database.ts';

const insertMaker = statement(
  'credential_makers_insert',
  'INSERT INTO credential_makers (credential_id, maker) VALUES ($1, $2) ON CONFLICT (credential_id) DO NOTHING',
);
const selectMaker = statement(
  'credential_makers_of',
  'SELECT maker FROM credential_makers WHERE credential_id = $1',
);

export function credentialMakerStore(session: Session): CredentialMakerStore {
  return {
    note: (credentialId, maker) =>
      session.write(async (tx) => {
        await tx.run(insertMaker, [credentialId, JSON.stringify(maker)]);
      }),
    of: async (credentialId) => {
      const [row] = await session.query<{ maker: string }>(selectMaker, [credentialId]);
      return row === undefined ? undefined : (JSON.parse(row.maker) as Party);
    },
  };
}
