import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Authority,
  identityBody,
  ISSUER,
  openAuthority,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';
import { ownerAcceptance } from '../../registry/owner/acceptance.ts';
import type { SendMail } from '../notices/send-waiting.ts';
import type { Job } from './job.ts';
import { runReviewsJob } from './run-reviews.ts';
import { sendMailsJob } from './send-mails.ts';
import { writeDigestsJob } from './write-digests.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const never = new AbortController().signal;

type Sent = Parameters<SendMail>[0];

let authority: Authority;
let sent: Sent[];
let answer: Awaited<ReturnType<SendMail>>;
let job: Job;
let other: Job;

beforeEach(async () => {
  authority = await openAuthority({ mail: true, ownerAcceptance: ownerAcceptance('required') });
  [sent, answer] = [[], { kind: 'sent' }];
  [job, other] = [await node(), await node()];
  for (const [handle, email] of [
    ['ada', 'ada@example.com'],
    ['bea', 'bea@example.com'],
    ['cyd', undefined],
  ]) {
    await make('/v1/people', { handle, name: handle, ...(email === undefined ? {} : { email }) });
  }
  await make('/v1/teams', { name: 'core', members: ['bea'], channel: 'core@example.com' });
  await make('/v1/identities', identityBody('pays', { client_id: 'pays' }));
  await job.run(never);
  sent = [];
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function node(): Promise<Job> {
  const sendMail: SendMail = async (mail) => {
    sent.push(mail);
    return answer;
  };
  const made = sendMailsJob({ ...authority.deps, sendMail });
  await made.run(never);
  return made;
}

async function make(path: string, body: unknown): Promise<{ id: string }> {
  const made = await authority.call('POST', path, { body });
  expect(made.status, made.text).toBeLessThan(300);
  return made.body;
}

const told = (): string[] => sent.map(({ to, subject }) => `${to}: ${subject}`);
const owner = (person: string, more: object = {}) => ({ owner: { person, ...more } });
const any = { 'If-Match': '*' };

test('the owner is told of a state, once, however many nodes there are', async () => {
  await make('/v1/identities/pays/suspend', { reason: 'odd calls' });
  await Promise.all([job.run(never), other.run(never)]);
  expect(told()).toEqual(['ada@example.com: pays is suspended: odd calls']);
  expect(sent[0]?.text).toContain(ISSUER);
  await job.run(never);
  expect(sent).toHaveLength(1);
});

test('of what is of no concern to an owner no mail goes out', async () => {
  await authority.call('PATCH', '/v1/identities/pays', { body: { name: 'Pays' }, headers: any });
  await make('/v1/identities/pays/credentials', { type: 'client_secret' });
  await authority.call('POST', '/v1/identities/pays/suspend?dry_run=true', { body: { reason: 'x' } });
  await job.run(never);
  expect(told()).toEqual([]);
});

test('whoever has left, or has no address, is stood in for by the backup, then by the team', async () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ['cyd', { backup: 'bea', team: 'core' }, 'bea@example.com'],
    ['cyd', { backup: 'core' }, 'core@example.com'],
    ['nobody', { team: 'core' }, 'core@example.com'],
    ['dan@example.com', {}, 'dan@example.com'],
    ['cyd', {}, ''],
  ];
  for (const [at, [person, more, address]] of cases.entries()) {
    const client_id = `c${at}`;
    await make('/v1/identities', identityBody('x', { client_id, ...owner(person, more) }));
    await make(`/v1/identities/${client_id}/suspend`, { reason: 'x' });
    sent = [];
    await job.run(never);
    expect([person, sent.map(({ to }) => to)]).toEqual([person, address === '' ? [] : [address]]);
  }
});

test('what happens together is told together', async () => {
  for (let at = 0; at < 120; at++) {
    await make('/v1/identities', identityBody('x', { client_id: `m${at}` }));
    await make(`/v1/identities/m${at}/suspend`, { reason: 'x' });
  }
  await job.run(never);
  expect(told()).toEqual([
    'ada@example.com: 100 notices about machines that you answer for',
    'ada@example.com: 20 notices about machines that you answer for',
  ]);
  expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(2);
});

test('whom it is offered to, and what is found to be severe', async () => {
  await make('/v1/identities/pays/offers', { to: 'bea' });
  await job.run(never);
  expect(told()).toEqual([
    'bea@example.com: pays is offered to you by ada: accept it, or it goes on to others',
  ]);
  sent = [];
  const identity = await authority.storage.identities.byClientId('pays');
  const view = { id: 'fnd_1', identity: identity?.id, client_id: 'pays', kind: 'weak_method', state: 'open' };
  await authority.changes.run({ identity: 'countersign' }, async (_stores, tell) => {
    const finding = (severity: string) => ({ ...view, severity, reason: 'an API key\r\nBcc: x in prod' });
    tell({ type: 'finding.opened', resource: 'fnd_1', after: finding('medium') });
    tell({ type: 'finding.updated', resource: 'fnd_1', before: finding('medium'), after: finding('high') });
    tell({ type: 'finding.updated', resource: 'fnd_1', before: finding('high'), after: finding('high') });
    const credential = { id: 'crd_1', identity: identity?.id, client_id: 'pays', label: 'main' };
    const expires_at = '2026-12-24T00:00:00.000Z';
    tell({ type: 'credential.expiring', resource: 'crd_1', after: { ...credential, expires_at } });
    const waiting = [
      { reviewer: 'person:bea', items: 3 },
      { reviewer: 'role:reviewer', items: 9 },
      { reviewer: 'team:core', items: 1 },
    ];
    const review = { id: 'rvw_1', name: 'spring', due_at: expires_at };
    tell({ type: 'review.reminder', resource: 'rvw_1', before: review, after: { ...review, waiting } });
  });
  await job.run(never);
  const lines = sent.flatMap(({ to, text }) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('- '))
      .map((line) => `${to} ${line}`),
  );
  expect(lines.toSorted()).toEqual([
    'ada@example.com - pays: an API key Bcc: x in prod',
    'ada@example.com - pays: the credential main ends on 2026-12-24',
    'bea@example.com - 3 accesses wait for your decision in the review spring, until 2026-12-24',
    'core@example.com - 1 access waits for your decision in the review spring, until 2026-12-24',
  ]);
});

test('a server that is away is tried less and less for three days; what it takes then is told', async () => {
  answer = { kind: 'failed', reason: 'ECONNREFUSED' };
  await make('/v1/identities/pays/suspend', { reason: 'x' });
  await expect(job.run(never)).rejects.toThrow('takes no mail: ECONNREFUSED');
  await job.run(never);
  expect(sent).toHaveLength(1);
  for (let hour = 0; hour < 24; hour++) {
    authority.clock.advance(HOUR);
    await job.run(never).catch(() => undefined);
  }
  expect(sent.length).toBeLessThan(11);
  answer = { kind: 'sent' };
  authority.clock.advance(12 * HOUR);
  await job.run(never);
  expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(1);
  const tries = sent.length;
  authority.clock.advance(DAY);
  await job.run(never);
  expect(sent).toHaveLength(tries);
  answer = { kind: 'failed', reason: 'ECONNREFUSED' };
  await make('/v1/identities/pays/resume', { reason: 'x' });
  for (let hour = 0; hour < 100; hour++) {
    await job.run(never).catch(() => undefined);
    authority.clock.advance(HOUR);
  }
  const given = sent.length;
  authority.clock.advance(30 * DAY);
  await job.run(never);
  expect(sent).toHaveLength(given);
});

test('a mailbox that is not there holds up nobody else', async () => {
  await make('/v1/identities/pays/offers', { to: 'bea' });
  await make('/v1/identities/pays/suspend', { reason: 'x' });
  answer = { kind: 'refused', reason: 'EENVELOPE 550' };
  await job.run(never);
  expect(sent).toHaveLength(2);
  authority.clock.advance(DAY);
  await job.run(never);
  expect(sent).toHaveLength(2);
});

test('without a mail server nothing is written for one', async () => {
  const silent = await openAuthority();
  await silent.call('POST', '/v1/identities', { body: identityBody('x', { client_id: 'x' }) });
  await silent.call('POST', '/v1/identities/x/suspend', { body: { reason: 'x' } });
  expect(await silent.storage.mails.due(silent.clock.now(), 10)).toEqual([]);
  await silent.close();
});

test('a reviewer is told when a review begins, reminded of it, and reads of it in the digest', async () => {
  await digests().run(never);
  await make('/v1/resource-servers', resourceServerBody('https://fraud.test', ['read']));
  await make('/v1/access', accessBody('pays', 'https://fraud.test', ['read']));
  await make('/v1/identities', identityBody('x', { client_id: 'other', ...owner('bea') }));
  const review = await make('/v1/reviews', {
    name: 'spring',
    query: { resource_server: 'https://fraud.test' },
    reviewers: ['backup'],
    due_at: new Date(MONDAY + 2 * DAY).toISOString(),
    reminders: ['3d'],
    fallback_for: '1d',
  });
  await job.run(never);
  sent = [];
  await make(`/v1/reviews/${review.id}/start`, undefined);
  await job.run(never);
  const waits = 'bea@example.com: 1 access waits for your decision in the review spring, until 2026-11-25';
  expect(told()).toEqual([waits]);
  until(MONDAY - HOUR);
  await runReviewsJob({ ...authority.deps, mostItems: 100 }).run(never);
  await job.run(never);
  expect(told()).toEqual([waits, waits]);
  until(MONDAY);
  await digests().run(never);
  await job.run(never);
  const text = sent.find(({ to, subject }) => to === 'bea@example.com' && subject.includes('things'))?.text;
  expect(text).toContain('For you to review; silence suspends:\n- 2026-11-25  spring: 1 access\n');
});

// START is a Saturday.
const MONDAY = Date.parse('2026-11-23T07:00:00.000Z');
const until = (at: number): void => authority.clock.advance(at - authority.clock.now());
const digests = (): Job => writeDigestsJob({ ...authority.deps, digestDay: 1 });

test('once a week an owner is told of what needs them, in one mail from one node', async () => {
  const [one, two] = [digests(), digests()];
  await Promise.all([one.run(never), two.run(never)]);
  await make('/v1/resource-servers', resourceServerBody('https://fraud.test', ['read']));
  await make('/v1/access', accessBody('pays', 'https://fraud.test', ['read']));
  await make('/v1/identities', identityBody('x', { client_id: 'other', ...owner('bea') }));
  await make('/v1/identities', {
    ...identityBody('x', { client_id: 'far', ...owner('cyd') }),
    expires_at: new Date(START + 300 * DAY).toISOString(),
  });
  await make('/v1/identities/other/offers', { to: 'ada' });
  await job.run(never);
  sent = [];
  until(MONDAY - 1);
  await one.run(never);
  await job.run(never);
  expect(sent).toEqual([]);
  until(MONDAY);
  await Promise.all([one.run(never), two.run(never)]);
  await Promise.all([job.run(never), other.run(never)]);
  expect(told().toSorted()).toEqual([
    'ada@example.com: 3 things about your machines need you',
    'bea@example.com: 1 thing about your machines needs you',
  ]);
  const text = sent.find(({ to }) => to === 'ada@example.com')?.text ?? '';
  expect(text).toMatch(
    /Offered to you.*:\n- 2026-\d\d-\d\d {2}other, offered by bea: countersign ownership-offers accept off_/,
  );
  expect(text).toContain(
    'Ends within 30 days:\n- 2026-12-11  pays: its access to https://fraud.test\n- 2026-12-21  pays\n',
  );
  // A node that starts later that week writes none again.
  sent = [];
  until(MONDAY + 3 * DAY);
  await Promise.all([digests().run(never), one.run(never)]);
  await job.run(never);
  expect(sent).toEqual([]);
  until(MONDAY + 7 * DAY);
  await two.run(never);
  await job.run(never);
  expect(sent.map(({ to }) => to)).toContain('ada@example.com');
});

test('a node that dies halfway is stood in for, and nobody is told twice', async () => {
  await digests().run(never);
  for (let at = 0; at < 5; at++) {
    await make('/v1/identities', identityBody('x', { client_id: `p${at}`, ...owner(`p${at}@example.com`) }));
  }
  until(MONDAY);
  const stop = new AbortController();
  const { storage } = authority;
  let written = 0;
  const dying = writeDigestsJob({
    ...authority.deps,
    digestDay: 1,
    storage: {
      ...storage,
      mails: {
        ...storage.mails,
        insert: async (record) => {
          if (++written === 3) stop.abort();
          return await storage.mails.insert(record);
        },
      },
    },
  });
  await dying.run(stop.signal);
  expect(written).toBe(3);
  await digests().run(never);
  await job.run(never);
  expect(sent.map(({ to }) => to).toSorted()).toEqual([
    'ada@example.com',
    ...Array.from({ length: 5 }, (_, at) => `p${at}@example.com`),
  ]);
});

test('a deployment that wants none gets none', async () => {
  const none = writeDigestsJob({ ...authority.deps, digestDay: undefined });
  await none.run(never);
  until(MONDAY + 14 * DAY);
  await none.run(never);
  await job.run(never);
  expect(sent).toEqual([]);
});

test('while no server takes mail nothing waits for longer than three days, however much there is', async () => {
  for (let at = 0; at < 12; at++) {
    const client_id = `m${at}`;
    await make('/v1/identities', identityBody('x', { client_id, ...owner(`p${at}@example.com`) }));
    await make(`/v1/identities/${client_id}/suspend`, { reason: 'x' });
  }
  answer = { kind: 'failed', reason: 'it is away' };
  for (let tried = 0; tried < 3; tried++) {
    await expect(job.run(never)).rejects.toThrow('it is away');
    authority.clock.advance(11 * MINUTE);
  }
  authority.clock.advance(3 * DAY);
  await make('/v1/identities/m3/resume', { reason: 'x' });
  [sent, answer] = [[], { kind: 'sent' }];
  await job.run(never);
  expect(told()).toEqual(['p3@example.com: m3 is active: x']);
  const { storage, clock } = authority;
  expect(await storage.mails.due(clock.now() + 30 * DAY, 100)).toEqual([]);
});

test('what nobody tried to send is not given up: the authority itself was away', async () => {
  await make('/v1/identities/pays/suspend', { reason: 'x' });
  authority.clock.advance(4 * DAY);
  await job.run(never);
  expect(told()).toEqual(['ada@example.com: pays is suspended: x']);
});
