import type { IdentityRiskRecord, IdentityRiskStore } from '../storage/identity-risks.ts';
import { type Session, statement } from './database.ts';
import { conditions, pageOf, pageStatement } from './list.ts';

interface RiskRow {
  identity_id: string;
  /** 100 less the score: pages go upwards. */
  rank: number;
  at: number;
}

const HIGHEST = 100;

const putRisk = statement(
  'identity_risks_put',
  `INSERT INTO identity_risks (identity_id, rank, at) SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM identities WHERE id = $1
   ON CONFLICT (identity_id) DO UPDATE SET rank = excluded.rank, at = excluded.at`,
);
const selectOf = statement(
  'identity_risks_of',
  'SELECT identity_id, rank, at FROM identity_risks WHERE identity_id = $1',
);
const KEY = { createdAt: 'rank', id: 'identity_id' };

function fromRow(row: RiskRow): IdentityRiskRecord {
  return { identityId: row.identity_id, score: HIGHEST - row.rank, at: row.at };
}

export function identityRiskStore(session: Session): IdentityRiskStore {
  return {
    put: async ({ identityId, score, at }) => {
      await session.run(putRisk, [identityId, HIGHEST - score, at]);
    },
    of: async (identityId) => (await session.query<RiskRow>(selectOf, [identityId])).map(fromRow)[0],
    list: async (atLeast, page) => {
      const where = conditions();
      where.add(`rank <= ${where.param(HIGHEST - atLeast)}`);
      const text = pageStatement('SELECT identity_id, rank, at FROM identity_risks', where, KEY, page);
      const rows = await session.query<RiskRow>(text, where.params);
      const positioned = rows.map((row) => ({ ...row, createdAt: row.rank, id: row.identity_id }));
      const { items, next } = pageOf(positioned, page.limit);
      return { items: items.map(fromRow), ...(next === undefined ? {} : { next }) };
    },
  };
}
