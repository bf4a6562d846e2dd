import { DatabaseSync } from '@photostructure/sqlite';
import { expect, test } from 'vitest';
import { accessStore } from './access.ts';
import type { Session, Statement, Transaction } from './database.ts';
import { migrate } from './migrate.ts';
import { policyExceptionStore } from './policy-exceptions.ts';

/** The statement that a store asks with. */
async function asked(ask: (session: Session) => Promise<unknown>): Promise<Statement> {
  let seen: Statement | undefined;
  const query = <R>(text: Statement): Promise<R[]> => {
    seen = text;
    return Promise.resolve([]);
  };
  await ask({ query, run: () => Promise.resolve(0), write: () => Promise.reject(new Error('reads only')) });
  if (seen === undefined) throw new Error('nothing was asked');
  return seen;
}

test.each<[string, (session: Session) => Promise<unknown>]>([
  ['access', (session) => accessStore(session).activeOfIdentity('idn_1')],
  ['exceptions', (session) => policyExceptionStore(session).ofIdentity('idn_1')],
])('%s of one identity are found by the identity, however many others there are', async (_, ask) => {
  const database = new DatabaseSync(':memory:');
  const tx: Transaction = {
    query: () => Promise.resolve([]),
    run: (text, params = []) => {
      if (params.length === 0) database.exec(text.sqlite);
      return Promise.resolve(0);
    },
    changed: () => undefined,
    doom: () => undefined,
  };
  await migrate(tx, 'sqlite', { now: () => 0 });
  const { sqlite } = await asked(ask);
  const explain = `EXPLAIN QUERY PLAN ${sqlite.replace('$1', "'idn_1'")}`;
  const plan = database.prepare(explain).all() as { detail: string }[];
  expect(plan[0]?.detail).toContain('(identity_id=?)');
  database.close();
});
