import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { maximumAgeOf } from '../../registry/credential-age.ts';
import { createCredentialPlaces } from '../../registry/use/credential-places.ts';
import { createIssuancePace } from '../../registry/issuance-pace.ts';
import { ownerAcceptance } from '../../registry/owner/acceptance.ts';
import { escalateOwnershipOffersJob } from './escalate-ownership-offers.ts';
import type { Job } from './job.ts';
import { lookForFindingsJob } from './look-for-findings.ts';
import { runOrphanClocksJob } from './run-orphan-clocks.ts';

const DAY = 86_400_000;
const any = { 'if-match': '*' };
const never = new AbortController().signal;

let authority: Authority;
let look: Job;
beforeEach(async () => {
  authority = await openAuthority({ ownerAcceptance: ownerAcceptance('required') });
  const pace = createIssuancePace(authority.clock.now());
  const life = { inactivity: 'suspend', suspendedForMs: 30 * DAY } as const;
  look = lookForFindingsJob({
    ...authority.deps,
    ...life,
    pace,
    places: createCredentialPlaces(),
    maximumAge: maximumAgeOf(new Map()),
  });
  await look.run(never);
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const enter = (handle: string, more: object = {}): Promise<Answer> =>
  authority.call('POST', '/v1/people', { body: { handle, name: handle, ...more } });
const become = (who: string, status: string): Promise<Answer> =>
  authority.call('PATCH', `/v1/people/${who}`, { body: { status }, headers: any });
const own = (owner: object, more: object = {}): Promise<Answer> =>
  authority.call('POST', '/v1/identities', {
    body: identityBody('pay', { client_id: 'pay', owner, ...more }),
  });

/** Kinds of what is open about `pay`, with severity, after a round. */
async function found(): Promise<Record<string, string>> {
  authority.clock.advance(3_600_001);
  await look.run(never);
  const { body } = await authority.call('GET', '/v1/findings?identity=pay&state=open');
  return Object.fromEntries(
    body.items.map((each: Record<string, string>) => [each['kind'], each['severity']]),
  );
}
const fixOf = async (kind: string): Promise<string> =>
  (await authority.call('GET', `/v1/findings?identity=pay&kind=${kind}`)).body.items.at(-1).fix;

test('a deployment without a directory has no findings about owners', async () => {
  await own({ person: 'ada' });
  expect(await found()).toEqual({});
});

test('whom the directory does not know is said, with the command that enters them', async () => {
  await enter('lin');
  await own({ person: 'Bob Mc', backup: 'lin', team: 'crew' });
  expect(await found()).toEqual({ owner_unknown: 'low' });
  expect(await fixOf('owner_unknown')).toBe("countersign people create --handle 'Bob Mc' --name 'Bob Mc'");
  await enter('Bob Mc');
  await authority.call('POST', '/v1/teams', { body: { name: 'crew', members: ['lin'] } });
  expect(await found()).toEqual({});
});

test('nobody behind the owner is a finding, whether nobody was named or all have left', async () => {
  await enter('ada');
  await enter('lin');
  await own({ person: 'ada' });
  expect(await found()).toEqual({ no_backup: 'low' });
  const body = { owner: { backup: 'lin' } };
  await authority.call('PATCH', '/v1/identities/pay', { body, headers: any });
  expect(await found()).toEqual({});
  await become('lin', 'left');
  expect(await found()).toEqual({ no_backup: 'low' });
  await enter('kim');
  await authority.call('POST', '/v1/teams', { body: { name: 'crew', members: ['ada', 'kim'] } });
  const team = { owner: { team: 'crew' } };
  await authority.call('PATCH', '/v1/identities/pay', { body: team, headers: any });
  expect(await found()).toEqual({});
});

test('an emptied team is a finding', async () => {
  for (const handle of ['ada', 'lin', 'kim']) await enter(handle);
  await authority.call('POST', '/v1/teams', { body: { name: 'crew', members: ['kim'] } });
  await own({ person: 'ada', backup: 'lin', team: 'crew' });
  expect(await found()).toEqual({});
  await become('kim', 'left');
  expect(await found()).toEqual({ team_emptied: 'medium' });
});

test('who is leaving is a warning; who has left is one at once, and urgent from day 7', async () => {
  await enter('ada');
  await enter('lin');
  await own({ person: 'ada', backup: 'lin' });
  await become('ada', 'leaving');
  expect(await found()).toEqual({ owner_leaving: 'medium' });
  expect(await fixOf('owner_leaving')).toBe('countersign people hand-over ada --to PERSON');
  await become('ada', 'left');
  expect(await found()).toEqual({ orphaned: 'medium', no_backup: 'low' });
  expect(await fixOf('orphaned')).toBe('countersign identities update pay --owner lin');
  authority.clock.advance(7 * DAY);
  expect(await found()).toMatchObject({ orphaned: 'high' });
  await become('ada', 'active');
  expect(await found()).toEqual({});
});

test('what is most sensitive is urgent from day 3', async () => {
  await enter('ada');
  await own({ person: 'ada' }, { sensitivity: 3 });
  await become('ada', 'left');
  authority.clock.advance(3 * DAY);
  expect(await found()).toMatchObject({ orphaned: 'high' });
});

test('what was offered to all and taken by nobody is lost, until it is offered anew', async () => {
  for (const handle of ['ada', 'lin', 'kim']) await enter(handle);
  await own({ person: 'ada', backup: 'kim' });
  await authority.call('POST', '/v1/identities/pay/offers', { body: { to: 'lin' } });
  expect(await found()).toEqual({});
  authority.clock.advance(7 * DAY);
  await escalateOwnershipOffersJob({ ...authority.deps }).run(never);
  expect(await found()).toEqual({ owner_lost: 'high' });
  await authority.call('POST', '/v1/identities/pay/offers', { body: { to: 'kim' } });
  expect(await found()).toEqual({});
});

test('a suspended orphan keeps its finding', async () => {
  await enter('ada');
  await own({ person: 'ada' });
  await become('ada', 'left');
  authority.clock.advance(14 * DAY);
  await runOrphanClocksJob({ ...authority.deps }).run(never);
  expect(await found()).toMatchObject({ orphaned: 'high' });
  const resumed = await authority.call('POST', '/v1/identities/pay/resume', { body: { reason: 'x' } });
  expect(resumed.body.code).toBe('owner_left');
  await enter('lin');
});
