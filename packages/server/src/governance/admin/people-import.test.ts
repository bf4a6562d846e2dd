import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { ownerAcceptance } from '../../registry/owner/acceptance.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority({ ownerAcceptance: ownerAcceptance('off') });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const bring = (body: object, query = ''): Promise<Answer> =>
  authority.call('POST', `/v1/people/import${query}`, { body });
const people = async (): Promise<Record<string, Record<string, unknown>>> => {
  const { body } = await authority.call('GET', '/v1/people?limit=200');
  return Object.fromEntries(body.items.map((each: { handle: string }) => [each.handle, each]));
};

const FILE = [
  'handle,name,email,manager',
  'ada,Ada Lovelace,ada@example.com,grace',
  'grace,"Hopper, Grace",grace@example.com,',
].join('\r\n');

test('a file enters people; the same again changes nothing; a dry run shows and does nothing', async () => {
  const dry = await bring({ csv: FILE }, '?dry_run=true');
  expect(dry.body).toMatchObject({
    dry_run: true,
    changes: [
      { op: 'create', kind: 'Person', name: 'ada', after: { manager: 'grace' } },
      { op: 'create', kind: 'Person', name: 'grace', after: { name: 'Hopper, Grace' } },
    ],
    import: { created: 2, changed: 0, left: 0, bad_row_count: 0 },
  });
  expect(await people()).toEqual({});
  const done = await bring({ csv: FILE });
  expect(done.status, done.text).toBe(200);
  expect(operations['people.import'].response.parse(done.body)).toEqual(done.body);
  expect(done.body).toMatchObject({ created: 2, unchanged: 0 });
  const events = authority.log.events.length;
  expect((await bring({ csv: FILE })).body).toMatchObject({ created: 0, changed: 0, unchanged: 2 });
  expect(authority.log.events).toHaveLength(events);
});

test('a dry run lets a row take what one far before it gives up, as the import does', async () => {
  await bring({ rows: [{ handle: 'first', email: 'desk@example.com' }] });
  const many = Array.from({ length: 150 }, (_, index) => ({ handle: `p-${index}` }));
  const rows = [{ handle: 'first', email: null }, ...many, { handle: 'last', email: 'desk@example.com' }];
  const dry = await bring({ rows }, '?dry_run=true');
  expect(dry.status, dry.text).toBe(200);
  expect(dry.body.changes).toHaveLength(152);
  expect((await bring({ rows })).status).toBe(200);
});

test('a cell that is empty takes away, a column that is missing says nothing, and so it is with objects', async () => {
  await bring({ csv: FILE });
  await bring({ csv: 'manager,handle\n,ADA\n' });
  expect((await people())['ada']).toMatchObject({
    manager: null,
    email: 'ada@example.com',
    name: 'Ada Lovelace',
  });
  await bring({ rows: [{ handle: 'ada', email: null, external_id: 'hr-1' }, { handle: 'new' }] });
  expect((await people())['ada']).toMatchObject({ email: null, external_id: 'hr-1' });
  expect((await people())['new']).toMatchObject({ name: 'new', status: 'active' });
});

test('one bad row in 10,000 is named with line, column and reason, and nothing is changed unless told to', async () => {
  const lines = Array.from(
    { length: 10_000 },
    (_, index) => `p${index},Person ${index},p${index}@example.com`,
  );
  lines[4709] = 'p4709,Person,not an address';
  const csv = ['handle,name,email', ...lines].join('\n');
  const refused = await bring({ csv });
  expect(refused.body).toMatchObject({ status: 400, code: 'validation_failed' });
  expect(refused.body.detail).toBe(
    '1 of 10000 rows cannot be taken, nothing was changed: line 4711, column 3 (email): must be an e-mail address',
  );
  expect(await people()).toEqual({});
  const done = await bring({ csv, skip_bad_rows: true });
  expect(done.body).toMatchObject({
    created: 9999,
    bad_row_count: 1,
    bad_rows: [{ row: 4710, line: 4711, column: 3, member: 'email', detail: 'must be an e-mail address' }],
  });
}, 120_000);

test('bad rows of every kind are named', async () => {
  await authority.call('POST', '/v1/teams', { body: { name: 'crew' } });
  await bring({ rows: [{ handle: 'old', email: 'old@example.com', external_id: 'k' }] });
  const csv = [
    'handle,name,email,external_id,status',
    'a,A,,,',
    'a,again,,,',
    ',nobody,,,',
    'b,"c\u001b[31m",,,',
    'c,C,Old@example.com,,',
    'd,D,,k,',
    'crew,team,,,',
    'e,E,,,away',
    'f,F',
    'g,"G"x,,,',
    'h,H,a,b,c,d',
  ].join('\n');
  const { body } = await bring({ csv });
  expect(body.errors.map(({ detail }: { detail: string }) => detail)).toEqual([
    'line 3, column 1 (handle): a stands in a row before',
    expect.stringMatching(/^line 4, column 1 \(handle\): /),
    expect.stringMatching(/^line 5, column 2 \(name\): must be one line/),
    'line 6, column 3 (email): Old@example.com is the address of old',
    'line 7, column 4 (external_id): k is the key of old',
    'line 8, column 1 (handle): crew is a team',
    expect.stringMatching(/^line 9, column 5 \(status\): /),
    'line 10, column 2: has 2 fields where the header has 5',
    'line 11, column 2: text behind the closing quote of a field',
    'line 12, column 6: has 6 fields where the header has 5',
  ]);
  const objects = await bring({ rows: [{ handle: 'x' }, { handle: 'y', nmae: 'Y' }] });
  expect(objects.body.errors).toEqual([
    { pointer: '/rows/1/nmae', detail: 'row 2 (nmae): is not known here' },
  ]);
});

test('a header that is not understood, and what cannot be told apart, refuses the whole', async () => {
  for (const csv of [
    '',
    'name\nx',
    'handle,handle\na,b',
    'handle,shoe\na,b',
    'handle\n"a',
    'id,handle\n1,a',
  ]) {
    const { body } = await bring({ csv, skip_bad_rows: true });
    expect(body, csv).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/csv' }] });
  }
  expect((await bring({})).body.code).toBe('validation_failed');
  expect((await bring({ csv: FILE, rows: [] })).body.code).toBe('validation_failed');
});

test('50,000 rows are taken at most', async () => {
  const rows = (count: number): string =>
    ['handle', ...Array.from({ length: count }, (_, n) => `p${n}`)].join('\n');
  const { body } = await bring({ csv: rows(50_001) }, '?dry_run=true');
  expect(body.detail).toBe('line 50002: more than 50000 rows');
  const most = await bring({ csv: `${rows(50_000)}\n"` }, '?dry_run=true');
  expect(most.body.detail).toContain('line 50002');
});

test('of a complete import those who are missing have left, with all that follows', async () => {
  await bring({ csv: 'handle,status\nada,\nlin,\nkim,leaving\ngone,left\n' });
  const owner = { person: 'ada', backup: 'lin' };
  await authority.call('POST', '/v1/identities', { body: identityBody('pay', { client_id: 'pay', owner }) });
  const done = await bring({ csv: 'handle\nlin\nkim\n', complete: true });
  expect(done.body).toMatchObject({ created: 0, unchanged: 2, left: 1 });
  const now = await people();
  expect([now['ada'], now['lin'], now['kim'], now['gone']].map((each) => each?.['status'])).toEqual([
    'left',
    'active',
    'leaving',
    'left',
  ]);
  expect((await authority.call('GET', '/v1/identities/pay')).body).toMatchObject({
    owner: { person: 'lin' },
    ownership: { clock: { person: 'ada', interim: 'lin' } },
  });
  // Who is named again is back.
  const back = await bring({ csv: 'handle\nlin\nkim\nada\ngone\n', complete: true });
  expect(back.body).toMatchObject({ changed: 2, left: 0 });
  expect((await authority.call('GET', '/v1/identities/pay')).body.owner).toMatchObject({ person: 'ada' });
});

test('a complete import that was cut off ends nobody, unless so many were meant', async () => {
  await bring({ rows: Array.from({ length: 30 }, (_, index) => ({ handle: `p${index}` })) });
  const rows = Array.from({ length: 19 }, (_, index) => ({ handle: `p${index}` }));
  const refused = await bring({ rows, complete: true });
  expect(refused.body).toMatchObject({
    code: 'validation_failed',
    errors: [{ pointer: '/leavers_at_most' }],
  });
  expect(refused.body.detail).toContain('11 of 30 people are missing in it');
  expect((await bring({ rows, complete: true, leavers_at_most: 11 })).body.left).toBe(11);
});

test('whose row is bad is not missing; where nobody can say whose it is, a complete import is refused', async () => {
  await bring({ rows: [{ handle: 'ada' }, { handle: 'lin' }] });
  const skip = { complete: true, skip_bad_rows: true };
  const done = await bring({ rows: [{ handle: 'ada', email: 'x' }, { handle: 'lin' }], ...skip });
  expect(done.body).toMatchObject({ left: 0, bad_row_count: 1 });
  const unsure = await bring({ csv: 'handle,name\nlin,Lin\nada,A,B\n', ...skip });
  expect(unsure.body.detail).toContain('nobody can say who is missing');
});

test('names that a sheet would take for formulas are taken as they are, with and without the apostrophe', async () => {
  await bring({ csv: `handle,name\na,'=1+1\nb,=1+1\nc,'t Hooft\nd,<script>alert(1)</script>\n` });
  const now = await people();
  expect(['a', 'b', 'c', 'd'].map((handle) => now[handle]?.['name'])).toEqual([
    '=1+1',
    '=1+1',
    "'t Hooft",
    '<script>alert(1)</script>',
  ]);
});
