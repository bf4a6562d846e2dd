import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { ownerAcceptance } from '../../registry/owner/acceptance.ts';
import { escalateOwnershipOffersJob } from '../jobs/escalate-ownership-offers.ts';

const DAY = 86_400_000;
const any = { 'if-match': '*' };

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority({ ownerAcceptance: ownerAcceptance('required') });
  await enter({ handle: 'ada', name: 'Ada', manager: 'grace' });
  await enter({ handle: 'lin', name: 'Lin', manager: 'moe' });
  await enter({ handle: 'moe', name: 'Moe' });
  await enter({ handle: 'kim', name: 'Kim' });
  await authority.call('POST', '/v1/teams', { body: { name: 'crew', members: ['ada'], lead: 'kim' } });
  await create('payments', { person: 'ada', team: 'crew' });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const enter = (body: object): Promise<Answer> => authority.call('POST', '/v1/people', { body });
const create = (client_id: string, owner: object): Promise<Answer> =>
  authority.call('POST', '/v1/identities', { body: identityBody(client_id, { client_id, owner }) });
const ownerOf = async (client_id: string): Promise<object> =>
  (await authority.call('GET', `/v1/identities/${client_id}`)).body.owner;
const offer = (to: string): Promise<Answer> =>
  authority.call('POST', '/v1/identities/payments/offers', { body: { to, reason: 'moves on' } });
const offerNow = async (id: string): Promise<Record<string, unknown>> =>
  (await authority.call('GET', `/v1/ownership-offers/${id}`)).body;
const patch = (body: object): Promise<Answer> =>
  authority.call('PATCH', '/v1/identities/payments', { body, headers: any });
const told = (): string[] => authority.log.events.map(({ type }) => type);

/** As a person who signed in under this handle; rejects with the code of the problem. */
async function decide(id: string, who: string, accept = true): Promise<void> {
  const token = await authority.personToken(who, ['owner']);
  const path = `/v1/ownership-offers/${id}/${accept ? 'accept' : 'decline'}`;
  const answer = await authority.call('POST', path, { token, body: accept ? {} : { reason: 'no time' } });
  if (answer.status !== 200) throw new Error(answer.body.code);
}

async function escalate(): Promise<void> {
  await escalateOwnershipOffersJob({ ...authority.deps }).run(new AbortController().signal);
}

test('an offer changes nothing until it is accepted, and then the new owner is accountable', async () => {
  const made = await offer('Lin');
  expect(made.status, made.text).toBe(201);
  expect(operations['ownership-offers.create'].response.parse(made.body)).toEqual(made.body);
  expect(made.body).toMatchObject({
    from: 'ada',
    to: 'Lin',
    state: 'open',
    step: 'person',
    client_id: 'payments',
  });
  expect(made.body.due_at).toBe(new Date(authority.clock.now() + 7 * DAY).toISOString());
  const shown = (await authority.call('GET', '/v1/identities/payments')).body;
  expect(shown).toMatchObject({ owner: { person: 'ada' }, ownership: { offer: made.body, clock: null } });
  expect(operations['identities.get'].response.parse(shown)).toEqual(shown);
  await decide(made.body.id, 'lin');
  expect(await ownerOf('payments')).toMatchObject({ person: 'Lin', team: 'crew' });
  expect(await offerNow(made.body.id)).toMatchObject({ state: 'accepted', decided_by: 'Lin', due_at: null });
  expect(told().slice(-2)).toEqual(['ownership_offer.accepted', 'identity.updated']);
});

test('a machine accepts nothing, and nobody accepts what is offered to another', async () => {
  const { body } = await offer('lin');
  for (const verb of ['accept', 'decline']) {
    const answer = await authority.call('POST', `/v1/ownership-offers/${body.id}/${verb}`, { body: {} });
    expect(answer.body).toMatchObject({ status: 403, code: 'needs_people' });
  }
  await expect(decide(body.id, 'kim')).rejects.toThrow('not_offered');
  await expect(decide(body.id, 'ada')).rejects.toThrow('not_offered');
  expect(await ownerOf('payments')).toMatchObject({ person: 'ada' });
});

test('another accountable person in a change of an identity is an offer; the rest is changed at once', async () => {
  const dry = await authority.call('PATCH', '/v1/identities/payments?dry_run=true', {
    body: { owner: { person: 'lin' } },
    headers: any,
  });
  expect(dry.body.changes).toMatchObject([{ op: 'create', kind: 'OwnershipOffer', name: 'payments → lin' }]);
  const answer = await patch({ purpose: 'pays', owner: { person: 'lin', backup: 'kim' } });
  expect(answer.body).toMatchObject({ purpose: 'pays', owner: { person: 'ada', backup: 'kim' } });
  const listed = await authority.call('GET', '/v1/ownership-offers?identity=payments&state=open');
  expect(listed.body.items).toMatchObject([{ to: 'lin', from: 'ada' }]);
  // The same wish again is the same offer; another one takes its place.
  await patch({ owner: { person: 'LIN' } });
  await patch({ owner: { person: 'kim' } });
  const all = await authority.call('GET', '/v1/ownership-offers?identity=payments');
  expect(all.body.items.map((each: { to: string; state: string }) => [each.to, each.state])).toEqual(
    expect.arrayContaining([
      ['lin', 'withdrawn'],
      ['kim', 'open'],
    ]),
  );
  expect(all.body.items).toHaveLength(2);
  await decide(all.body.items.find((each: { state: string }) => each.state === 'open').id, 'kim');
  // Nobody is their own backup.
  expect(await ownerOf('payments')).toMatchObject({ person: 'kim', backup: null });
});

test('the one who is accountable stays so when it is declined or withdrawn', async () => {
  const first = (await offer('lin')).body.id;
  await decide(first, 'lin', false);
  expect(await offerNow(first)).toMatchObject({ state: 'declined', decided_by: 'lin', reason: 'no time' });
  const second = (await offer('lin')).body.id;
  const taken = await authority.call('POST', `/v1/ownership-offers/${second}/withdraw`, { body: {} });
  expect(taken.body.state).toBe('withdrawn');
  await expect(decide(second, 'lin')).rejects.toThrow('illegal_transition');
  const again = await authority.call('POST', `/v1/ownership-offers/${second}/withdraw`, { body: {} });
  expect(again.body.code).toBe('illegal_transition');
  expect(await ownerOf('payments')).toMatchObject({ person: 'ada' });
});

test('what nobody answers goes to the manager after 7 days, to the lead after 14, and is lost after 21', async () => {
  const { id } = (await offer('lin')).body;
  authority.clock.advance(7 * DAY - 1);
  await escalate();
  expect(await offerNow(id)).toMatchObject({ step: 'person', candidate: 'lin' });
  authority.clock.advance(1);
  await escalate();
  await escalate();
  expect(await offerNow(id)).toMatchObject({ step: 'manager', candidate: 'moe', version: 2 });
  authority.clock.advance(7 * DAY);
  await escalate();
  expect(await offerNow(id)).toMatchObject({ step: 'team_lead', candidate: 'kim' });
  authority.clock.advance(7 * DAY);
  await escalate();
  expect(await offerNow(id)).toMatchObject({ state: 'lost', due_at: null });
  expect(told().at(-1)).toBe('ownership_offer.lost');
  expect(await ownerOf('payments')).toMatchObject({ person: 'ada' });
});

test('whoever it went on to takes it over themselves; who was asked first still may', async () => {
  const first = (await offer('lin')).body.id;
  authority.clock.advance(7 * DAY);
  await escalate();
  await decide(first, 'moe');
  expect(await ownerOf('payments')).toMatchObject({ person: 'moe' });
  const second = (await offer('lin')).body.id;
  authority.clock.advance(7 * DAY);
  await escalate();
  await decide(second, 'lin');
  expect(await ownerOf('payments')).toMatchObject({ person: 'lin' });
});

test('a manager or lead who has left, or is nobody, is passed over', async () => {
  await authority.call('PATCH', '/v1/people/moe', { body: { status: 'left' }, headers: any });
  const { id } = (await offer('lin')).body;
  authority.clock.advance(7 * DAY);
  await escalate();
  expect(await offerNow(id)).toMatchObject({ step: 'team_lead', candidate: 'kim' });
});

test('of two acceptances at once exactly one counts', async () => {
  const { id } = (await offer('lin')).body;
  authority.clock.advance(7 * DAY);
  await escalate();
  const results = await Promise.allSettled([decide(id, 'lin'), decide(id, 'moe')]);
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(told().filter((type) => type === 'ownership_offer.accepted')).toHaveLength(1);
  const { decided_by: winner } = await offerNow(id);
  expect(await ownerOf('payments')).toMatchObject({ person: winner });
});

test('nobody who has left becomes an owner or a backup, in any way', async () => {
  await enter({ handle: 'gone', name: 'Gone', status: 'left' });
  const left = { status: 409, code: 'owner_left' };
  expect((await create('a', { person: 'Gone' })).body).toMatchObject({
    ...left,
    errors: [{ pointer: '/owner/person' }],
  });
  expect((await create('a', { person: 'ada', backup: 'gone' })).body).toMatchObject({
    ...left,
    errors: [{ pointer: '/owner/backup' }],
  });
  expect((await offer('gone')).body).toMatchObject(left);
  expect((await patch({ owner: { person: 'gone' } })).body).toMatchObject(left);
  expect((await patch({ owner: { backup: 'gone' } })).body).toMatchObject(left);
});

test('where nobody has to accept, who is named is accountable at once', async () => {
  await authority.close();
  authority = await openAuthority({ ownerAcceptance: ownerAcceptance('off') });
  await enter({ handle: 'lin', name: 'Lin' });
  await create('payments', { person: 'ada', backup: 'lin' });
  const made = await offer('lin');
  expect(made.body).toMatchObject({ state: 'accepted', decided_by: null, from: 'ada' });
  expect(await ownerOf('payments')).toMatchObject({ person: 'lin', backup: null });
  // Whom the directory does not know is taken: a deployment without one is legal.
  expect((await patch({ owner: { person: 'somebody' } })).body.owner.person).toBe('somebody');
});

test('who owned it at any instant is known', async () => {
  const before = new Date(authority.clock.now()).toISOString();
  authority.clock.advance(DAY);
  await decide((await offer('lin')).body.id, 'lin');
  const asOf = `/v1/identities/payments?as_of=${encodeURIComponent(before)}`;
  expect((await authority.call('GET', asOf)).body.owner.person).toBe('ada');
  expect(await ownerOf('payments')).toMatchObject({ person: 'lin' });
});

test('an identity that has ended is offered to nobody', async () => {
  await authority.call('POST', '/v1/identities', {
    body: identityBody('d', { client_id: 'd', state: 'draft' }),
  });
  await authority.call('POST', '/v1/identities/d/decommission', { body: { reason: 'over' } });
  const answer = await authority.call('POST', '/v1/identities/d/offers', { body: { to: 'lin' } });
  expect(answer.body.code).toBe('illegal_transition');
});

test('whoever signs in is known by handle, e-mail address and external id, and not at all once they have left', async () => {
  await enter({ handle: 'pat', name: 'Pat', email: 'pat@example.com', external_id: 'sub-p.a.t' });
  for (const name of ['PAT', 'Pat@example.com', 'p.a.t']) {
    const { id } = (await offer('pat')).body;
    await decide(id, name);
    expect(await ownerOf('payments')).toMatchObject({ person: 'pat' });
    await decide((await offer('kim')).body.id, 'kim');
  }
  const { id } = (await offer('pat')).body;
  await authority.call('PATCH', '/v1/people/pat', { body: { status: 'left' }, headers: any });
  await expect(decide(id, 'p.a.t')).rejects.toThrow('invalid_token');
});

test('an auditor accepts nothing, for an auditor changes nothing', async () => {
  const { id } = (await offer('lin')).body;
  const token = await authority.personToken('lin', ['auditor']);
  const answer = await authority.call('POST', `/v1/ownership-offers/${id}/accept`, { token, body: {} });
  expect(answer.body.code).toBe('insufficient_scope');
});
