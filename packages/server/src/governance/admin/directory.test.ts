import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const enter = (body: object): Promise<Answer> => authority.call('POST', '/v1/people', { body });
const ifMatch = (answer: Answer): Record<string, string> => ({ 'if-match': answer.headers['etag'] ?? '' });
const lastEvent = (): string | undefined => authority.log.events.at(-1)?.type;

test('a person is entered, found by handle in any case and by id, and has their event', async () => {
  const made = await enter({
    handle: 'ada@example.com',
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    external_id: 'hr-1',
    manager: 'grace@example.com',
  });
  expect(made.status, made.text).toBe(201);
  expect(operations['people.create'].response.parse(made.body)).toEqual(made.body);
  expect(made.body).toMatchObject({ status: 'active', left_at: null, manager: 'grace@example.com' });
  expect(lastEvent()).toBe('person.created');
  for (const ref of ['Ada@Example.com', made.body.id, made.headers['location']?.split('/').at(-1) ?? '']) {
    const found = await authority.call('GET', `/v1/people/${encodeURIComponent(ref)}`);
    expect(found.body).toEqual(made.body);
  }
  expect((await authority.call('GET', '/v1/people/nobody')).status).toBe(404);
});

test('one human is entered once: handle, e-mail address, external id and names of teams are not given twice', async () => {
  const ada = await enter({ handle: 'ada', name: 'Ada', email: 'ada@example.com', external_id: 'hr-1' });
  const team = await authority.call('POST', '/v1/teams', { body: { name: 'payments' } });
  const again = [
    [{ handle: 'ADA', name: 'x' }, '/handle', ada.body.id],
    [{ handle: 'b', name: 'x', email: 'Ada@example.com' }, '/email', ada.body.id],
    [{ handle: 'b', name: 'x', external_id: 'hr-1' }, '/external_id', ada.body.id],
    [{ handle: 'Payments', name: 'x' }, '/handle', team.body.id],
  ] as const;
  for (const [body, pointer, existing] of again) {
    const answer = await enter(body);
    expect(answer.body).toMatchObject({
      status: 409,
      code: 'already_exists',
      existing,
      errors: [{ pointer }],
    });
  }
  const named = await authority.call('POST', '/v1/teams', { body: { name: 'Ada' } });
  expect(named.body).toMatchObject({ code: 'already_exists', existing: ada.body.id });
});

test('who leaves is told as leaving, as left and as returned, and what was known then stays known', async () => {
  await enter({ handle: 'ada', name: 'Ada' });
  const headers = { 'if-match': '*' };
  for (const [status, event] of [
    ['leaving', 'person.leaving'],
    ['left', 'person.left'],
    ['active', 'person.returned'],
  ] as const) {
    authority.clock.advance(3_600_000);
    const answer = await authority.call('PATCH', '/v1/people/ada', { body: { status }, headers });
    expect(answer.body.status).toBe(status);
    expect(answer.body.left_at === null).toBe(status !== 'left');
    expect(lastEvent()).toBe(event);
  }
  const then = new Date(authority.clock.now() - 3_600_000).toISOString();
  const asOf = await authority.call('GET', `/v1/people/ada?as_of=${encodeURIComponent(then)}`);
  expect(asOf.body).toMatchObject({ status: 'left', left_at: then });
});

test('a patch takes away with null and needs the version; a dry run changes nothing', async () => {
  const made = await enter({ handle: 'ada', name: 'Ada', email: 'ada@example.com', manager: 'grace' });
  const body = { email: null, manager: null };
  expect((await authority.call('PATCH', '/v1/people/ada', { body })).status).toBe(428);
  const dry = await authority.call('PATCH', '/v1/people/ada?dry_run=true', { body, headers: ifMatch(made) });
  expect(dry.body.changes).toMatchObject([
    { op: 'update', kind: 'Person', name: 'ada', fields: ['email', 'manager'] },
  ]);
  const done = await authority.call('PATCH', '/v1/people/ada', { body, headers: ifMatch(made) });
  expect(done.body).toMatchObject({ email: null, manager: null, version: 2 });
  expect((await authority.call('PATCH', '/v1/people/ada', { body: {}, headers: ifMatch(made) })).status).toBe(
    412,
  );
});

test('whom something names is not removed; who was entered by mistake is, and the handle is free', async () => {
  const headers = { 'if-match': '*' };
  const remove = (ref: string): Promise<Answer> => authority.call('DELETE', `/v1/people/${ref}`, { headers });
  for (const handle of ['owner', 'backup', 'member', 'lead', 'boss', 'mistake']) {
    await enter({ handle, name: handle, ...(handle === 'mistake' ? { manager: 'boss' } : {}) });
  }
  await authority.call('POST', '/v1/teams', { body: { name: 'team', members: ['member'], lead: 'lead' } });
  const owner = { person: 'Owner', backup: 'BACKUP', team: 'Team' };
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a', owner }) });
  for (const ref of ['owner', 'backup', 'member', 'lead', 'boss']) {
    expect((await remove(ref)).body, ref).toMatchObject({ code: 'still_in_use' });
  }
  expect((await authority.call('DELETE', '/v1/teams/team', { headers })).body.code).toBe('still_in_use');
  const mistake = await remove('mistake');
  expect(mistake.status).toBe(200);
  expect(lastEvent()).toBe('person.deleted');
  expect((await authority.call('GET', `/v1/people/${mistake.body.id}`)).status).toBe(404);
  expect((await enter({ handle: 'mistake', name: 'another' })).status).toBe(201);
  await authority.call('POST', '/v1/identities/a/decommission', { body: { reason: 'over' } });
  authority.clock.advance(31 * 86_400_000);
  expect((await remove('owner')).body.code).toBe('still_in_use');
});

test('a team has people of the directory only, and each once', async () => {
  await enter({ handle: 'ada', name: 'Ada' });
  const create = (body: object): Promise<Answer> => authority.call('POST', '/v1/teams', { body });
  expect((await create({ name: 't', members: ['ada', 'Bob'] })).body).toMatchObject({
    status: 422,
    code: 'unknown_reference',
    errors: [{ pointer: '/members/1' }],
  });
  expect((await create({ name: 't', lead: 'bob' })).body.errors).toMatchObject([{ pointer: '/lead' }]);
  expect((await create({ name: 't', members: ['ada', 'ADA'] })).body.code).toBe('validation_failed');
  const crowd = Array.from({ length: 501 }, (_, index) => `p${index}`);
  expect((await create({ name: 't', members: crowd })).body.code).toBe('validation_failed');
  const made = await create({ name: 't', members: ['ada'], channel: '#t' });
  expect(made.status, made.text).toBe(201);
  expect(operations['teams.create'].response.parse(made.body)).toEqual(made.body);
  const body = { members: [], lead: 'ada', channel: null };
  const changed = await authority.call('PATCH', '/v1/teams/T', { body, headers: ifMatch(made) });
  expect(changed.body).toMatchObject({ members: [], lead: 'ada', channel: null, version: 2 });
  const listed = await authority.call('GET', '/v1/teams?person=ADA');
  expect(listed.body.items).toEqual([changed.body]);
  const gone = await authority.call('DELETE', '/v1/teams/t', { headers: ifMatch(changed) });
  expect(gone.status).toBe(200);
  expect((await create({ name: 't' })).status).toBe(201);
});

test('lists give pages of people by status, manager and text', async () => {
  for (const n of [1, 2, 3]) {
    authority.clock.advance(1);
    await enter({
      handle: `p${n}`,
      name: `Person ${n}`,
      manager: 'boss',
      status: n === 3 ? 'left' : 'active',
    });
  }
  const names = async (query: string): Promise<string[]> =>
    (await authority.call('GET', `/v1/people?${query}`)).body.items.map(
      (each: { name: string }) => each.name,
    );
  expect(await names('status=left')).toEqual(['Person 3']);
  expect(await names('manager=BOSS&text=person%201')).toEqual(['Person 1']);
  const first = await authority.call('GET', '/v1/people?limit=2');
  expect(await names(`limit=2&cursor=${first.body.next_cursor}`)).toEqual(['Person 3']);
});

test('names in which a sheet, a page or a terminal would see more than text are refused or kept as text', async () => {
  for (const name of ['a\u0000b', 'a\u001b[31mred', 'a\u202eb', 'a\nb', ' a']) {
    expect((await enter({ handle: 'x', name })).body.code, JSON.stringify(name)).toBe('validation_failed');
  }
  for (const [index, name] of [
    '=cmd|calc!A1',
    '+1',
    '-1',
    '@SUM(1)',
    '<script>alert(1)</script>',
  ].entries()) {
    const made = await enter({ handle: `odd${index}`, name });
    expect(made.body.name).toBe(name);
    expect(made.headers['content-type']).toBe('application/json');
  }
  expect((await enter({ handle: 'psn_0123456789abcdefghij', name: 'x' })).body.code).toBe(
    'validation_failed',
  );
  expect((await enter({ handle: 'x', name: 'x', email: 'no address' })).body.code).toBe('validation_failed');
});

test('seeing people and keeping them are scopes of their own', async () => {
  await authority.call('POST', '/v1/identities', { body: identityBody('r', { client_id: 'reader' }) });
  await authority.call('POST', '/v1/identities/reader/credentials', { body: { type: 'client_secret' } });
  await authority.call('POST', '/v1/access', {
    body: {
      identity: 'reader',
      resource_server: authority.deps.adminResource,
      scopes: ['people:read'],
      justification: 'reads',
      expires_at: new Date(authority.clock.now() + 86_400_000).toISOString(),
    },
  });
  const token = await authority.tokenFor('reader');
  expect((await authority.call('GET', '/v1/people', { token })).status).toBe(200);
  const answer = await authority.call('POST', '/v1/teams', { token, body: { name: 't' } });
  expect(answer.body.code).toBe('insufficient_scope');
});
