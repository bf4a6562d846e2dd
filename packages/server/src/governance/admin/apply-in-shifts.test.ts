import type { DocumentInput } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, openAuthority } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const API = 'https://fraud.test';
const documentOf = (kind: string, name: string, spec: object): DocumentInput =>
  ({ apiVersion: 'countersign/v1', kind, metadata: { name }, spec }) as DocumentInput;
const api = (...scopes: string[]): DocumentInput =>
  documentOf('ResourceServer', 'Fraud', { identifier: API, scopes: scopes.map((name) => ({ name })) });
const machine = (name: string, change: object = {}): DocumentInput =>
  documentOf('Identity', name, {
    kind: 'service',
    environment: 'dev',
    purpose: 'counts',
    owner: { person: 'ada' },
    expires_in: '90d',
    ...change,
  });
const access = (identity: string, ...scopes: string[]): DocumentInput =>
  documentOf('Access', `${identity} to fraud`, {
    identity,
    resource_server: API,
    scopes,
    justification: 'asks for scores',
    expires_in: '60d',
  });
const secretOf = (identity: string): DocumentInput =>
  documentOf('Credential', 'first', { identity, type: 'client_secret', expires_in: '30d' });

const apply = (documents: readonly unknown[], query = '', change: object = {}): Promise<Answer> =>
  authority.call('POST', `/v1/apply${query}`, { body: { documents, ...change } });
const told = ({ body }: Answer): string[] =>
  body.changes.map(
    (each: { op: string; kind: string; name: string }) => `${each.op} ${each.kind} ${each.name}`,
  );

const estate = (names: readonly string[]): DocumentInput[] => [
  api('read', 'write'),
  ...names.flatMap((name) => [machine(name), secretOf(name), access(name, 'read')]),
];
const MANY = Array.from({ length: 120 }, (_, index) => `machine-${index}`);

test('of many documents those are carried out that are otherwise, as the plan says, and the others stay as they are', async () => {
  const first = await apply(estate(MANY));
  expect(first.status, first.text).toBe(200);
  expect(first.body.changes).toHaveLength(361);
  expect(first.body.secrets).toHaveLength(120);
  const events = authority.log.events.length;
  const changed = [
    ...estate(MANY.slice(0, 118)),
    machine('machine-118', { purpose: 'counts twice' }),
    access('machine-119', 'read', 'write'),
    machine('new'),
    access('new', 'write'),
    secretOf('new'),
    documentOf('Person', 'grace', { name: 'Grace' }),
  ];
  const planned = await apply(changed, '?dry_run=true');
  const done = await apply(changed);
  expect(told(done)).toEqual([
    'create Person grace',
    'update Identity machine-118',
    'create Identity new',
    'create Credential new/first',
    `update Access machine-119 → ${API}`,
    `create Access new → ${API}`,
  ]);
  expect(told(planned)).toEqual(told(done));
  expect(authority.log.events).toHaveLength(events + 6);
  expect((await apply(changed)).body).toEqual({ changes: [], secrets: [] });
});

test('what follows for others from a document that is otherwise is planned with them', async () => {
  const declared = (status: string): DocumentInput[] => [
    documentOf('Person', 'ada', { status }),
    documentOf('Person', 'bob', {}),
    machine('one', { owner: { person: 'ada', backup: 'bob' } }),
    machine('two', { owner: { person: 'bob' } }),
  ];
  await apply(declared('active'));
  const planned = await apply(declared('left'), '?dry_run=true');
  const done = await apply(declared('left'));
  expect(told(done)).toEqual(['update Person ada', 'update Identity one']);
  expect(told(planned)).toEqual(told(done));
  expect((await apply(declared('left'))).body.changes).toEqual([]);
});

test('what is not declared ends with what is changed, as the plan says', async () => {
  await apply(estate(MANY.slice(0, 4)));
  const kept = [...estate(MANY.slice(0, 2)), machine('machine-2', { purpose: 'counts twice' })];
  const planned = await apply(kept, '?dry_run=true', { prune: true });
  const done = await apply(kept, '', { prune: true });
  expect(done.status, done.text).toBe(200);
  expect(told(done)).toContain('delete Identity machine-3');
  expect(told(done)).toContain('update Identity machine-2');
  expect(told(planned)).toEqual(told(done));
  expect((await apply(kept, '', { prune: true })).body.changes).toEqual([]);
});

/** Does it once nothing but the carrying out is left: a plan is two transactions that are undone. */
function betweenPlanAndChange(work: () => Promise<unknown>): void {
  const { storage } = authority;
  const transaction = storage.transaction.bind(storage);
  let undone = 0;
  storage.transaction = async (run) => {
    try {
      return await transaction(run);
    } catch (error) {
      if (++undone === 2) {
        storage.transaction = transaction;
        await work();
      }
      throw error;
    }
  };
}

test('what somebody ends between the plan and the change is not brought back, and the answer says so', async () => {
  await apply(estate(['one']));
  betweenPlanAndChange(() =>
    authority.call('POST', '/v1/identities/one/decommission', { body: { reason: 'over', now: true } }),
  );
  const answer = await apply([machine('one', { purpose: 'counts twice' })]);
  expect([answer.status, answer.body.code]).toEqual([409, 'illegal_transition']);
  expect(answer.body.applied).toBeUndefined();
  const { body } = await authority.call('GET', '/v1/identities/one');
  expect(body).toMatchObject({ state: 'decommissioning', purpose: 'counts' });
});

test('what somebody changes between the plan and the change is told as it was then', async () => {
  await apply(estate(['one']));
  betweenPlanAndChange(() =>
    authority.call('PATCH', '/v1/identities/one', {
      body: { purpose: 'counts thrice' },
      headers: { 'If-Match': '*' },
    }),
  );
  const answer = await apply([machine('one', { purpose: 'counts twice' })]);
  expect(answer.body.changes).toMatchObject([
    { before: { purpose: 'counts thrice' }, after: { purpose: 'counts twice' } },
  ]);
});

test('a fault far down a long body is named by its place, and too many documents by their number', async () => {
  const documents = [...estate(MANY), machine('one', { purpose: 7 })];
  const answer = await apply(documents);
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0].pointer).toBe('/documents/361/spec/purpose');
  const many = await apply(Array.from({ length: 20_001 }, () => 1));
  expect(many.body.errors).toEqual([{ pointer: '/documents', detail: 'must have at most 20000 items' }]);
});
