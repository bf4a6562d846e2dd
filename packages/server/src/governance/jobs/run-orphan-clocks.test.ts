import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
} from '../../../test/authority.ts';
import { ownerAcceptance } from '../../registry/owner/acceptance.ts';
import { MOST_AT_ONCE } from '../../registry/owner/departure.ts';
import { runOrphanClocksJob } from './run-orphan-clocks.ts';

const DAY = 86_400_000;
const any = { 'if-match': '*' };
const never = new AbortController().signal;

let authority: Authority;
beforeEach(async () => {
  await open('off');
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function open(acceptance: 'off' | 'required'): Promise<void> {
  authority = await openAuthority({ ownerAcceptance: ownerAcceptance(acceptance) });
  for (const person of [
    { handle: 'ada', name: 'Ada', manager: 'grace' },
    { handle: 'grace', name: 'Grace' },
    { handle: 'lin', name: 'Lin' },
    { handle: 'kim', name: 'Kim' },
  ]) {
    await authority.call('POST', '/v1/people', { body: person });
  }
  await authority.call('POST', '/v1/teams', { body: { name: 'crew', members: ['lin'], lead: 'kim' } });
}

const create = (client_id: string, owner: object, more: object = {}): Promise<Answer> =>
  authority.call('POST', '/v1/identities', { body: identityBody(client_id, { client_id, owner, ...more }) });
const get = async (client_id: string): Promise<Record<string, unknown>> =>
  (await authority.call('GET', `/v1/identities/${client_id}`)).body;
const become = (who: string, status: string): Promise<Answer> =>
  authority.call('PATCH', `/v1/people/${who}`, { body: { status }, headers: any });
const run = (): Promise<void> => runOrphanClocksJob({ ...authority.deps }).run(never);
async function onDay(day: number): Promise<void> {
  authority.clock.advance(startedAt + day * DAY - authority.clock.now());
  await run();
  await run();
}
let startedAt: number;
async function leave(who = 'ada'): Promise<void> {
  startedAt = authority.clock.now();
  expect((await become(who, 'left')).status).toBe(200);
}
const ownership = (): (readonly [string, unknown])[] =>
  authority.log.events
    .filter(({ type }) => type.startsWith('ownership.'))
    .map(({ type, detail }) => [type, JSON.parse(detail ?? '').after.notify]);

test('the backup stands in at once, and the clock takes each step on its day, once', async () => {
  await create('payments', { person: 'Ada', backup: 'lin', team: 'crew' });
  await leave();
  expect(await get('payments')).toMatchObject({ owner: { person: 'lin', backup: null, team: 'crew' } });
  expect(ownership()).toEqual([['ownership.orphaned', ['lin']]]);
  await onDay(2.9);
  expect(ownership()).toHaveLength(1);
  await onDay(3);
  expect(ownership().slice(1)).toEqual([['ownership.escalated', ['lin', 'grace']]]);
  await onDay(7);
  expect(ownership().slice(2)).toEqual([['ownership.overdue', ['lin', 'grace', 'kim']]]);
  await onDay(13.9);
  expect(await get('payments')).toMatchObject({ state: 'active' });
  await onDay(14);
  expect(ownership().slice(3)).toEqual([['ownership.lost', ['lin', 'grace', 'kim']]]);
  expect(await get('payments')).toMatchObject({ state: 'suspended' });
  expect((await get('payments'))['state_reason']).toMatch(/^owner_lost: Ada|^owner_lost: ada/);
  expect((await authority.storage.cutoffs.after(0, 10)).at(-1)?.target).toBe('payments');
  await onDay(400);
  expect(ownership()).toHaveLength(4);
});

test('missed days are caught up with, in order and without doubling', async () => {
  await create('payments', { person: 'ada' });
  await leave();
  await onDay(15);
  expect(ownership().map(([type]) => type)).toEqual([
    'ownership.orphaned',
    'ownership.escalated',
    'ownership.overdue',
    'ownership.lost',
  ]);
  expect(await get('payments')).toMatchObject({ state: 'suspended' });
});

test('two nodes at once do nothing twice', async () => {
  await create('payments', { person: 'ada' });
  await leave();
  authority.clock.advance(14 * DAY);
  await Promise.all([run(), run(), run()]);
  expect(ownership()).toHaveLength(4);
  expect(authority.log.events.filter(({ type }) => type === 'identity.suspended')).toHaveLength(1);
});

test('of a team its lead stands in, or who of it is still there; an unknown backup cannot', async () => {
  await create('a', { person: 'ada', backup: 'crew' });
  await create('b', { person: 'ada', backup: 'somebody' });
  await leave();
  expect(await get('a')).toMatchObject({ owner: { person: 'kim', backup: 'crew' } });
  expect(await get('b')).toMatchObject({ owner: { person: 'ada', backup: 'somebody' } });
  expect(ownership().map(([, notify]) => notify)).toEqual(expect.arrayContaining([['kim'], []]));
});

test('what is most sensitive is escalated on day 3 to all who could act, and never suspended by itself', async () => {
  await create('core', { person: 'ada', team: 'crew' }, { sensitivity: 3 });
  await leave();
  await onDay(3);
  expect(ownership().at(-1)).toEqual(['ownership.escalated', ['grace', 'kim']]);
  await onDay(30);
  expect(await get('core')).toMatchObject({ state: 'active' });
  expect(ownership()).toHaveLength(4);
});

test('a new owner stops the clock, and naming who stands in makes them the owner', async () => {
  for (const name of ['a', 'b', 'c']) await create(name, { person: 'ada', backup: 'lin' });
  await leave();
  const patch = (name: string, owner: object): Promise<Answer> =>
    authority.call('PATCH', `/v1/identities/${name}`, { body: { owner }, headers: any });
  // Another one takes over: who stood in is the backup again.
  await authority.call('POST', '/v1/identities/a/offers', { body: { to: 'kim' } });
  expect(await get('a')).toMatchObject({ owner: { person: 'kim', backup: 'lin' } });
  await patch('b', { person: 'lin' });
  await patch('c', { team: 'crew' });
  await onDay(15);
  expect(await get('a')).toMatchObject({ state: 'active' });
  expect(await get('b')).toMatchObject({ state: 'active', owner: { person: 'lin' } });
  expect(await get('c')).toMatchObject({ state: 'suspended' });
  expect(ownership().filter(([type]) => type === 'ownership.settled')).toHaveLength(2);
});

test('who comes back before anybody took over owns what they owned', async () => {
  await create('a', { person: 'ada', backup: 'lin' });
  await create('b', { person: 'ada', backup: 'lin' });
  await leave();
  await authority.call('POST', '/v1/identities/b/offers', { body: { to: 'kim' } });
  authority.clock.advance(10 * DAY);
  await become('ada', 'active');
  expect(await get('a')).toMatchObject({ owner: { person: 'ada', backup: 'lin' } });
  expect(await get('b')).toMatchObject({ owner: { person: 'kim' } });
  await onDay(30);
  expect(await get('a')).toMatchObject({ state: 'active' });
});

test('where owners accept, who stands in is asked, and accepting stops the clock', async () => {
  await authority.close();
  await open('required');
  await create('a', { person: 'ada', backup: 'lin' });
  await create('b', { person: 'ada', backup: 'lin' });
  await authority.call('POST', '/v1/identities/b/offers', { body: { to: 'kim' } });
  await leave();
  const open_ = (await authority.call('GET', '/v1/ownership-offers?state=open')).body.items;
  // Kim was asked before, and still may.
  expect(open_.map((each: Record<string, string>) => [each['client_id'], each['to']]).toSorted()).toEqual([
    ['a', 'lin'],
    ['b', 'kim'],
  ]);
});

test('what was offered to who leaves goes on to the next at once', async () => {
  await authority.close();
  await open('required');
  await create('a', { person: 'lin', team: 'crew' });
  const { body } = await authority.call('POST', '/v1/identities/a/offers', { body: { to: 'ada' } });
  await leave();
  const now = await authority.call('GET', `/v1/ownership-offers/${body.id}`);
  expect(now.body).toMatchObject({ step: 'manager', candidate: 'grace', state: 'open' });
});

test('who stands in and leaves too keeps the first clock going', async () => {
  await create('a', { person: 'ada', backup: 'lin' });
  await leave();
  const first = startedAt;
  authority.clock.advance(5 * DAY);
  await become('lin', 'left');
  startedAt = first;
  await onDay(14);
  expect(await get('a')).toMatchObject({ state: 'suspended' });
});

test('what is built in, and whoever can administer the authority last, is told about and goes on', async () => {
  const scopes = ['identities:read', 'identities:write', 'credentials:write', 'access:write'];
  const token = await operator(authority, 'second', scopes);
  const admin = await get('admin');
  expect(admin).toMatchObject({ built_in: true });
  const { person } = admin['owner'] as { person: string };
  await authority.call('POST', '/v1/people', { body: { handle: person, name: person } });
  await leave(person);
  expect(await get('second')).toMatchObject({ owner: { person: 'ada' } });
  await become('ada', 'left');
  const body = { reason: 'only one is left' };
  await authority.call('POST', '/v1/identities/admin/suspend', { token, body });
  await onDay(15);
  const now = async (name: string): Promise<unknown> =>
    (await authority.call('GET', `/v1/identities/${name}`, { token: await authority.tokenFor('second') }))
      .body;
  expect(await now('second')).toMatchObject({ state: 'active' });
  expect(await now('admin')).toMatchObject({ state: 'suspended', state_reason: 'only one is left' });
  expect(ownership().filter(([type]) => type === 'ownership.lost')).toHaveLength(2);
});

test('entering somebody as having left starts the clocks of what names them already', async () => {
  await create('a', { person: 'bob', backup: 'lin' });
  startedAt = authority.clock.now();
  await authority.call('POST', '/v1/people', { body: { handle: 'BOB', name: 'Bob', status: 'left' } });
  expect(await get('a')).toMatchObject({ owner: { person: 'lin' } });
  await onDay(14);
  expect(await get('a')).toMatchObject({ state: 'suspended' });
});

test('what has ended has no clock, and one that ends has it no longer', async () => {
  await create('draft', { person: 'ada' }, { state: 'draft' });
  await create('soon', { person: 'ada' }, { state: 'draft' });
  await authority.call('POST', '/v1/identities/draft/decommission', { body: { reason: 'x' } });
  await leave();
  expect(ownership()).toHaveLength(1);
  await authority.call('POST', '/v1/identities/soon/decommission', { body: { reason: 'x' } });
  await onDay(3);
  expect(ownership().map(([type]) => type)).toEqual(['ownership.orphaned', 'ownership.settled']);
});

test('a dry run of leaving shows who would stand in, and changes nothing', async () => {
  await create('a', { person: 'ada', backup: 'lin' });
  const dry = await authority.call('PATCH', '/v1/people/ada?dry_run=true', {
    body: { status: 'left' },
    headers: any,
  });
  expect(dry.body.changes).toMatchObject([
    { kind: 'Person', name: 'ada', fields: ['left_at', 'status'] },
    { kind: 'Identity', name: 'a', fields: ['owner'], after: { owner: { person: 'lin' } } },
  ]);
  expect(await get('a')).toMatchObject({ owner: { person: 'ada' } });
  expect(await authority.storage.ownershipClocks.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
});

test('a crash between the steps leaves all of them or none', async () => {
  for (const name of ['a', 'b']) await create(name, { person: 'ada', backup: 'lin' });
  const { storage } = authority;
  const before = await authority.storage.identities.list({}, { limit: 10 });
  // The last write of the transaction fails, as when the process dies before its commit.
  const failing = (nth: number): typeof storage => ({
    ...storage,
    transaction: (work) =>
      storage.transaction(async (stores) => {
        let left = nth;
        const dying = <T extends object>(store: T): T =>
          new Proxy(store, {
            get: (target, name) => {
              const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
              if (name !== 'insert' && name !== 'replace') return method;
              return (...args: unknown[]) => {
                if (left-- === 0) throw new Error('killed');
                return method(...args);
              };
            },
          });
        return await work({
          ...stores,
          people: dying(stores.people),
          identities: dying(stores.identities),
          ownershipClocks: dying(stores.ownershipClocks),
          outbox: dying(stores.outbox),
        });
      }),
  });
  const { settleStatus } = await import('../../registry/owner/departure.ts');
  const { changePerson } = await import('../../registry/directory/person.ts');
  const { createChanges } = await import('../../audit/change.ts');
  let survived = 0;
  for (let nth = 0; nth < 30 && survived === 0; nth++) {
    const changes = createChanges({ ...authority.deps, storage: failing(nth), log: authority.log });
    const leaving = changes.run({ identity: 'admin' }, async (stores, tell) => {
      const ada = await stores.people.byHandle('ada');
      if (ada === undefined) throw new Error('nobody');
      const next = await changePerson(authority.deps, stores, tell, ada, { status: 'left' });
      await settleStatus(authority.deps, stores, tell, ada, next);
    });
    const died = await leaving.then(
      () => false,
      () => true,
    );
    const left = (await storage.people.byHandle('ada'))?.status === 'left';
    const clocks = await storage.ownershipClocks.due(Number.MAX_SAFE_INTEGER, 10);
    const now = await storage.identities.list({}, { limit: 10 });
    expect(left).toBe(!died);
    expect(clocks).toHaveLength(died ? 0 : 2);
    if (died) expect(now).toEqual(before);
    else survived = nth;
  }
  // Person, two owners, two clocks begun and moved on, five events.
  expect(survived).toBe(12);
});

test(`of more than ${MOST_AT_ONCE} identities the rest follows with the next run`, {
  timeout: 60_000,
}, async () => {
  const most = MOST_AT_ONCE + 5;
  await authority.changes.run({ identity: 'admin' }, async (stores) => {
    const model = (await stores.identities.list({}, { limit: 1 })).items[0];
    if (model === undefined) throw new Error('no identity');
    for (let n = 0; n < most; n++) {
      await stores.identities.insert({
        ...model,
        id: `idn_${String(n).padStart(20, '0')}`,
        clientId: `many-${n}`,
        builtIn: false,
        owner: { person: 'ada', backup: 'lin', team: undefined },
      });
    }
  });
  await leave();
  const owned = async (ownerPerson: string): Promise<number> => {
    let count = 0;
    let after;
    do {
      const page = await authority.storage.identities.list({ ownerPerson }, { limit: 1000, after });
      count += page.items.length;
      after = page.next;
    } while (after !== undefined);
    return count;
  };
  expect(await owned('ada')).toBe(5);
  await run();
  expect(await owned('ada')).toBe(0);
  expect(await owned('lin')).toBe(most);
});
