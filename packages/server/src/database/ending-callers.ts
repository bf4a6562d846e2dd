import type { EndingCaller, EndingCallerStore } from '../storage/ending-callers.ts';
import { type Session, statement } from './database.ts';

interface EndingCallerRow {
  identity_id: string;
  phase: string;
  resource_server: string;
  instance: string;
  source: string;
  agent: string;
  let_through: number;
  refused: number;
  first_at: number;
  last_at: number;
}

const COLUMNS =
  'identity_id, phase, resource_server, instance, source, agent, let_through, refused, first_at, last_at';

const addCaller = statement(
  'ending_callers_add',
  `INSERT INTO ending_callers (${COLUMNS})
   SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE EXISTS (SELECT 1 FROM identities WHERE id = $1)
   ON CONFLICT (identity_id, phase, resource_server, instance, source, agent) DO UPDATE SET
     let_through = ending_callers.let_through + excluded.let_through,
     refused = ending_callers.refused + excluded.refused,
     first_at = CASE WHEN excluded.first_at < ending_callers.first_at THEN excluded.first_at
       ELSE ending_callers.first_at END,
     last_at = CASE WHEN excluded.last_at > ending_callers.last_at THEN excluded.last_at
       ELSE ending_callers.last_at END`,
);
const selectOfIdentity = statement(
  'ending_callers_of_identity',
  `SELECT ${COLUMNS} FROM ending_callers WHERE identity_id = $1
   ORDER BY last_at DESC, phase, resource_server, instance, source, agent LIMIT 1000`,
);
const deleteOfIdentity = statement(
  'ending_callers_forget',
  'DELETE FROM ending_callers WHERE identity_id = $1',
);

function fromRow(row: EndingCallerRow): EndingCaller {
  return {
    identityId: row.identity_id,
    phase: row.phase as EndingCaller['phase'],
    resourceServer: row.resource_server,
    instance: row.instance,
    source: row.source,
    agent: row.agent,
    letThrough: row.let_through,
    refused: row.refused,
    firstAt: row.first_at,
    lastAt: row.last_at,
  };
}

export function endingCallerStore(session: Session): EndingCallerStore {
  return {
    add: (callers) =>
      session.write(async (tx) => {
        for (const each of callers) {
          await tx.run(addCaller, [
            each.identityId,
            each.phase,
            each.resourceServer,
            each.instance,
            each.source,
            each.agent,
            each.letThrough,
            each.refused,
            each.firstAt,
            each.lastAt,
          ]);
        }
      }),
    ofIdentity: async (identityId) =>
      (await session.query<EndingCallerRow>(selectOfIdentity, [identityId])).map(fromRow),
    forget: async (identityId) => {
      await session.run(deleteOfIdentity, [identityId]);
    },
  };
}
