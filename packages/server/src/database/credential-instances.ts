import type { CredentialInstance, CredentialInstanceStore } from '../storage/credential-instances.ts';
import { type Session, statement } from './database.ts';

interface InstanceRow {
  credential_id: string;
  instance: string;
  source: string;
  first_at: number;
  last_at: number;
}

const noteInstance = statement(
  'credential_instances_note',
  `INSERT INTO credential_instances (credential_id, instance, source, first_at, last_at)
   SELECT c.id,
     CASE WHEN EXISTS (SELECT 1 FROM credential_instances i WHERE i.credential_id = $1 AND i.instance = $2)
         OR (SELECT count(*) FROM credential_instances i WHERE i.credential_id = $1) < $6
       THEN $2 ELSE $7 END,
     $3, $4, $5
   FROM credentials c WHERE c.id = $1
   ON CONFLICT (credential_id, instance) DO UPDATE SET
     source = CASE WHEN excluded.last_at >= credential_instances.last_at THEN excluded.source
       ELSE credential_instances.source END,
     first_at = CASE WHEN excluded.first_at < credential_instances.first_at THEN excluded.first_at
       ELSE credential_instances.first_at END,
     last_at = CASE WHEN excluded.last_at > credential_instances.last_at THEN excluded.last_at
       ELSE credential_instances.last_at END`,
);
const selectOf = statement(
  'credential_instances_of',
  `SELECT credential_id, instance, source, first_at, last_at FROM credential_instances
   WHERE credential_id = $1 ORDER BY last_at DESC, instance LIMIT 2000`,
);
const deleteOld = statement(
  'credential_instances_sweep',
  `DELETE FROM credential_instances WHERE (credential_id, instance) IN
    (SELECT s.credential_id, s.instance FROM credential_instances s
     JOIN credentials c ON c.id = s.credential_id JOIN identities i ON i.id = c.identity_id
     WHERE s.last_at < $2 AND i.cadence = $1 ORDER BY s.last_at LIMIT 10000)`,
);

export function credentialInstanceStore(session: Session): CredentialInstanceStore {
  return {
    note: (seen, most, others) =>
      session.write(async (tx) => {
        // In one order on every node: two that note the same rows must not wait for each other.
        for (const each of seen.toSorted(byKey)) {
          const { credentialId, instance, source, firstAt, lastAt } = each;
          await tx.run(noteInstance, [credentialId, instance, source, firstAt, lastAt, most, others]);
        }
      }),
    of: async (credentialId) => (await session.query<InstanceRow>(selectOf, [credentialId])).map(fromRow),
    sweep: (cadence, before) => session.run(deleteOld, [cadence, before]),
  };
}

function byKey(left: CredentialInstance, right: CredentialInstance): number {
  const [one, other] = [left, right].map(({ credentialId, instance }) => `${credentialId} ${instance}`);
  return (one as string) < (other as string) ? -1 : 1;
}

function fromRow(row: InstanceRow): CredentialInstance {
  return {
    credentialId: row.credential_id,
    instance: row.instance,
    source: row.source,
    firstAt: row.first_at,
    lastAt: row.last_at,
  };
}
