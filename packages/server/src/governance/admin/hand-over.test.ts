import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { ownerAcceptance } from '../../registry/owner/acceptance.ts';

const any = { 'if-match': '*' };

let authority: Authority;
beforeEach(() => open('off'));
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function open(acceptance: 'off' | 'required'): Promise<void> {
  authority = await openAuthority({ ownerAcceptance: ownerAcceptance(acceptance) });
  for (const handle of ['ada', 'lin', 'kim']) {
    await authority.call('POST', '/v1/people', { body: { handle, name: handle } });
  }
  await authority.call('POST', '/v1/teams', { body: { name: 'crew', members: ['kim'], lead: 'ada' } });
  await create('owned', { person: 'ada', backup: 'kim', team: 'crew' });
  await create('backed', { person: 'kim', backup: 'Ada' });
  await create('both', { person: 'lin', backup: 'ada' });
  await create('others', { person: 'kim' });
}

const create = (client_id: string, owner: object): Promise<Answer> =>
  authority.call('POST', '/v1/identities', { body: identityBody(client_id, { client_id, owner }) });
const ownerOf = async (client_id: string): Promise<object> =>
  (await authority.call('GET', `/v1/identities/${client_id}`)).body.owner;
const handOver = (body: object, query = ''): Promise<Answer> =>
  authority.call('POST', `/v1/people/ada/hand-over${query}`, { body });
const outcomes = ({ body }: Answer): string[] =>
  body.items
    .map((each: Record<string, string>) => `${each['kind']} ${each['name']} ${each['outcome']}`)
    .toSorted();

test('all that somebody answers for goes to another, and a dry run shows it first', async () => {
  const dry = await handOver({ to: 'lin' }, '?dry_run=true');
  const shown = dry.body.changes.map((each: Record<string, string>) => `${each['kind']} ${each['name']}`);
  expect(shown.toSorted()).toEqual(
    [
      'Identity both',
      'Identity backed',
      'Identity owned',
      'OwnershipOffer owned → lin',
      'Team crew',
    ].toSorted(),
  );
  expect(await ownerOf('owned')).toMatchObject({ person: 'ada' });
  const done = await handOver({ to: 'lin', reason: 'moves on' });
  expect(done.status, done.text).toBe(200);
  expect(operations['people.hand-over'].response.parse(done.body)).toEqual(done.body);
  expect(outcomes(done)).toEqual(
    [
      'identity owned taken_over',
      'backup backed changed',
      'backup both changed',
      'team crew changed',
    ].toSorted(),
  );
  expect(await ownerOf('owned')).toEqual({ person: 'lin', backup: 'kim', team: 'crew' });
  expect(await ownerOf('backed')).toMatchObject({ person: 'kim', backup: 'lin' });
  // Nobody is their own backup.
  expect(await ownerOf('both')).toMatchObject({ person: 'lin', backup: null });
  expect((await authority.call('GET', '/v1/teams/crew')).body.lead).toBe('lin');
  expect(await ownerOf('others')).toMatchObject({ person: 'kim' });
  expect((await handOver({ to: 'lin' })).body.items).toEqual([]);
});

test('where owners accept it is offered, and what was offered to them is offered on', async () => {
  await authority.close();
  await open('required');
  await authority.call('POST', '/v1/identities/others/offers', { body: { to: 'ada' } });
  const done = await handOver({ to: 'lin' });
  expect(outcomes(done)).toEqual(
    [
      'identity owned offered',
      'backup backed changed',
      'backup both changed',
      'team crew changed',
      'offer others offered',
    ].toSorted(),
  );
  expect(await ownerOf('owned')).toMatchObject({ person: 'ada' });
  const { body } = await authority.call('GET', '/v1/ownership-offers?candidate=lin&state=open');
  expect(body.items.map((each: { client_id: string }) => each.client_id).toSorted()).toEqual([
    'others',
    'owned',
  ]);
});

test('nobody hands over to themselves, to who has left, or to whom nobody knows', async () => {
  expect((await handOver({ to: 'ADA' })).body.code).toBe('illegal_transition');
  expect((await handOver({ to: 'nobody' })).body).toMatchObject({
    status: 422,
    code: 'unknown_reference',
    detail: 'there is no person nobody',
  });
  await authority.call('PATCH', '/v1/people/lin', { body: { status: 'left' }, headers: any });
  expect((await handOver({ to: 'lin' })).body).toMatchObject({
    code: 'owner_left',
    errors: [{ pointer: '/to' }],
  });
});

test('of who has left already, what somebody stands in for is handed over too, and no clock runs on', async () => {
  await authority.call('PATCH', '/v1/people/ada', { body: { status: 'left' }, headers: any });
  expect(await ownerOf('owned')).toMatchObject({ person: 'kim' });
  expect(outcomes(await handOver({ to: 'lin' }))).toContain('identity owned taken_over');
  expect(await ownerOf('owned')).toEqual({ person: 'lin', backup: 'kim', team: 'crew' });
  expect((await authority.call('GET', '/v1/identities/owned')).body.ownership).toBeUndefined();
});

test('somebody leaves while they hand over: all is taken over, and nothing is left behind without an owner', async () => {
  for (let n = 0; n < 20; n++) await create(`many-${n}`, { person: 'ada', backup: 'kim' });
  const leave = authority.call('PATCH', '/v1/people/ada', { body: { status: 'left' }, headers: any });
  const [left, done] = await Promise.all([leave, handOver({ to: 'lin' })]);
  expect([left.status, done.status]).toEqual([200, 200]);
  for (let n = 0; n < 20; n++) {
    const { body } = await authority.call('GET', `/v1/identities/many-${n}`);
    expect(body.owner).toMatchObject({ person: 'lin', backup: 'kim' });
    expect(body.ownership).toBeUndefined();
  }
});

test('whoever takes over leaves meanwhile: each identity goes to somebody who is there, or stays', async () => {
  for (let n = 0; n < 20; n++) await create(`many-${n}`, { person: 'ada', backup: 'kim' });
  const leave = authority.call('PATCH', '/v1/people/lin', { body: { status: 'left' }, headers: any });
  const [left, done] = await Promise.all([leave, handOver({ to: 'lin' })]);
  expect(left.status).toBe(200);
  expect([200, 409]).toContain(done.status);
  for (let n = 0; n < 20; n++) {
    const { body } = await authority.call('GET', `/v1/identities/many-${n}`);
    expect(['ada', 'kim']).toContain(body.owner.person);
    if (body.owner.person === 'kim') expect(body.ownership.clock.person).toBe('lin');
  }
});

test('a team knows on how many identities it has one living owner only', async () => {
  const count = async (): Promise<number[]> => {
    const { body } = await authority.call('GET', '/v1/teams/CREW');
    return [body.identities, body.bus_factor, body.without_living_owner];
  };
  expect(await count()).toEqual([1, 0, 0]);
  await create('single', { person: 'lin', team: 'Crew' });
  await create('self', { person: 'lin', backup: 'LIN', team: 'crew' });
  await create('by-team', { person: 'lin', backup: 'crew', team: 'crew' });
  await create('unknown', { person: 'somebody', team: 'crew' });
  expect(await count()).toEqual([5, 2, 1]);
  await authority.call('PATCH', '/v1/people/kim', { body: { status: 'left' }, headers: any });
  // The lead is somebody too.
  expect(await count()).toEqual([5, 3, 1]);
});
