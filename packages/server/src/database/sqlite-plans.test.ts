import { expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { explainAccess } from '../registry/explain-access.ts';
import { accessStore } from './access.ts';
import { credentialStore } from './credentials.ts';
import type { Session, SqlParam, Statement } from './database.ts';
import { findingStore } from './findings.ts';
import { identityStore } from './identities.ts';
import { migrate } from './migrate.ts';
import { proposalStore } from './proposals.ts';
import { sqliteConnection } from './sqlite-connection.ts';
import { loadSqlite } from './sqlite-driver.ts';

/** What is read at every token, or of every identity in a round, by what of it the rows are found. */
const READS: readonly (readonly [string, (session: Session) => Promise<unknown>, RegExp])[] = [
  ['access.activeOfIdentity', (session) => accessStore(session).activeOfIdentity('x'), /identity_id=\?/],
  [
    'access.historyOf',
    (session) => accessStore(session).historyOf('x', 'y'),
    /identity_id=\? AND resource_server_id=\?/,
  ],
  ['credentials.ofIdentity', (session) => credentialStore(session).ofIdentity('x'), /identity_id=\?/],
  ['findings.liveOfIdentity', (session) => findingStore(session).liveOfIdentity('x'), /identity_id=\?/],
  ['proposals.liveOf', (session) => proposalStore(session).liveOf(['x']), /identity_id=\?/],
  [
    'identities.alike',
    (session) =>
      identityStore(session).alike(
        { owner: { person: 'a', backup: undefined, team: undefined }, purpose: 'b', environment: 'dev' },
        5,
      ),
    /purpose=\?/,
  ],
  ['the access of an explanation at an instant', explainAtAnInstant, /identity_id=\?/],
];

/** Of a machine that lived then and had a credential; what it had access to is what is read. */
async function explainAtAnInstant(session: Session): Promise<unknown> {
  type Stores = Parameters<typeof explainAccess>[0];
  type Server = Parameters<typeof explainAccess>[3];
  const until = { expiresAt: 2, stateReason: undefined };
  const stores = {
    identities: { asOf: async () => ({ id: 'x', state: 'active', ...until }) },
    credentials: { usableAsOf: async () => ({ id: 'c', material: { type: 'client_secret' }, ...until }) },
    access: accessStore(session),
  } as unknown as Stores;
  const never = (): never => {
    throw new Error('it has no access');
  };
  const server = { id: 'y', identifier: 'https://y.example' } as unknown as Server;
  const { links } = await explainAccess(stores, never, 'x', server, 'y:read', 1);
  expect(links.map(({ link, ok }) => [link, ok])).toEqual([
    ['identity', true],
    ['credential', true],
    ['access', false],
  ]);
  return links;
}

test.each(READS)(
  '%s is found by an index of its own, however many rows are in the same state',
  async (_name, read, by) => {
    const connection = sqliteConnection(await loadSqlite(), { path: ':memory:' });
    const asked: [Statement, readonly SqlParam[]][] = [];
    const never = (): never => {
      throw new Error('this reads');
    };
    const plain = {
      query: async <R>(text: Statement, params?: readonly SqlParam[]) => connection.query<R>(text, params),
      run: async (text: Statement, params?: readonly SqlParam[]) => connection.run(text, params),
    };
    await migrate({ ...plain, changed: () => undefined, doom: never }, 'sqlite', systemClock);
    await read({
      ...plain,
      query: async <R>(text: Statement, params: readonly SqlParam[] = []) => {
        asked.push([text, params]);
        return connection.query<R>(text, params);
      },
      write: never,
    });
    for (const [text, params] of asked) {
      const explained = { ...text, sqlite: `EXPLAIN QUERY PLAN ${text.sqlite}` };
      const steps = connection.query<{ detail: string }>(explained, params).map(({ detail }) => detail);
      const searched = steps.filter((step) => /^(?:SEARCH|SCAN) (?!json_each)/.test(step));
      expect(searched.length).toBeGreaterThan(0);
      for (const step of searched) expect(step).toMatch(by);
    }
    connection.close();
  },
);
