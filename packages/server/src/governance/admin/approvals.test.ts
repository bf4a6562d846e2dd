import { createHash } from 'node:crypto';
import { canonicalJson } from '@countersign/tlog';
import { ADMIN_SCOPE_NAMES, operations } from '@countersign/admin-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  RESOURCE,
  START,
} from '../../../test/authority.ts';

import { lapseApprovalsJob } from '../jobs/lapse-approvals.ts';

const FRAUD = 'https://fraud.test/api';
const DAY = 86_400_000;

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  for (const name of ['a', 'b']) {
    const body = identityBody(name, { client_id: name, environment: 'prod', owner: { person: 'zoe' } });
    await authority.call('POST', '/v1/identities', { body });
  }
  await authority.call('POST', '/v1/resource-servers', {
    body: {
      identifier: FRAUD,
      name: 'Fraud',
      scopes: [
        { name: 'read', sensitivity: 1 },
        { name: 'list', sensitivity: 1 },
        { name: 'write', sensitivity: 3 },
      ],
    },
  });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const rule = (name: string, change: Record<string, unknown> = {}): Promise<Answer> =>
  authority.call('POST', '/v1/approval-rules', {
    body: { name, match: { environments: ['prod'] }, steps: [{ quorum: 1, roles: ['approver'] }], ...change },
  });
const ask = (scopes: readonly string[] = ['read'], change: Record<string, unknown> = {}, token?: string) =>
  authority.call('POST', '/v1/access', {
    body: accessBody('a', FRAUD, scopes, change),
    ...(token === undefined ? {} : { token }),
  });
const approver = (handle: string, teams: readonly string[] = []): Promise<string> =>
  authority.personToken(handle, ['approver'], { teams });
const hashOf = (answer: Answer): string => answer.body.pending.content_hash;

async function decide(
  verb: 'approve' | 'reject',
  access: Answer,
  token: string,
  change: Record<string, unknown> = {},
): Promise<Answer> {
  const shown = await authority.call('GET', `/v1/access/${access.body.id}`);
  const content_hash = shown.body.pending?.content_hash ?? '0'.repeat(64);
  return await authority.call('POST', `/v1/access/${access.body.id}/${verb}`, {
    token,
    body: { content_hash, ...(verb === 'reject' ? { comment: 'no' } : {}), ...change },
  });
}
const eventsOf = (answer: Answer): string[] =>
  authority.log.events.filter((event) => event.resource === answer.body.id).map((event) => event.type);

describe('what a rule asks approval of', () => {
  test('waits, and is active when enough people have approved exactly this', async () => {
    expect((await rule('two', { steps: [{ quorum: 2, roles: ['approver'] }] })).status).toBe(201);
    const asked = await ask();
    expect(asked.status, asked.text).toBe(201);
    expect(operations['access.create'].response.parse(asked.body)).toEqual(asked.body);
    expect(asked.body).toMatchObject({
      state: 'requested',
      approved_by: null,
      approved_at: null,
      pending: { given: 0, needed: 2, expires_at: new Date(START + 3 * DAY).toISOString() },
    });
    expect(await authority.storage.access.activeOfIdentity(asked.body.identity)).toEqual([]);
    const first = await decide('approve', asked, await approver('ann'));
    expect(first.body).toMatchObject({ state: 'requested', pending: { given: 1, needed: 2 } });
    const second = await decide('approve', asked, await approver('bob'));
    expect(second.status, second.text).toBe(200);
    expect(second.body).toMatchObject({ state: 'active', approved_by: 'ann, bob', pending: null });
    expect(second.body.approvals.map((each: { person: string }) => each.person)).toEqual(['ann', 'bob']);
    expect(eventsOf(asked)).toEqual(['access.requested', 'access.approval_given', 'access.approved']);
    const told = authority.log.events.find(({ type }) => type === 'access.approved');
    expect(told).toMatchObject({ person: 'bob', person_issuer: 'https://people.test' });
    expect(JSON.parse(told?.detail ?? '').after.request.decisions).toHaveLength(2);
  });

  test('has the hash of its canonical JSON, which anybody can make again', async () => {
    await rule('prod');
    const asked = await ask(['write', 'read'], { token_lifetime: 60 });
    const content = {
      identity: 'a',
      resource_server: FRAUD,
      scopes: ['read', 'write'],
      conditions: null,
      token_lifetime: 60,
      expires_at: asked.body.expires_at,
      justification: 'is needed',
    };
    expect(asked.body.pending.content).toEqual(content);
    expect(hashOf(asked)).toBe(createHash('sha256').update(canonicalJson(content)).digest('hex'));
  });

  test('is what the rules match, and everything else is active at once', async () => {
    await rule('sensitive', { match: { min_sensitivity: 3 } });
    expect((await ask(['read'])).body.state).toBe('active');
    const other = authority.call('POST', '/v1/access', { body: accessBody('b', FRAUD, ['write']) });
    expect((await other).body.state).toBe('requested');
  });

  test.each([
    [{ environments: ['dev'] }, 'active'],
    [{ environments: ['dev', 'prod'] }, 'requested'],
    [{ kinds: ['agent'] }, 'active'],
    [{ kinds: ['service'], min_sensitivity: 1 }, 'requested'],
    [{ third_party: true }, 'active'],
    [{ third_party: false }, 'requested'],
    [{ resource_servers: ['https://other.test'] }, 'active'],
    [{ resource_servers: [FRAUD] }, 'requested'],
    [{}, 'requested'],
  ])('%j: %s', async (match, state) => {
    await rule('r', { match });
    expect((await ask()).body.state).toBe(state);
  });

  test('an edit voids what was approved', async () => {
    await rule('two', { steps: [{ quorum: 2, roles: ['approver'] }] });
    const asked = await ask();
    await decide('approve', asked, await approver('ann'));
    const edited = await authority.call('PATCH', `/v1/access/${asked.body.id}`, {
      body: { scopes: ['read', 'write'] },
      headers: { 'If-Match': '*' },
    });
    expect(edited.body).toMatchObject({ state: 'requested', pending: { given: 0 } });
    const late = await decide('approve', asked, await approver('bob'), { content_hash: hashOf(asked) });
    expect(late).toMatchObject({ status: 409, body: { code: 'content_changed' } });
    expect(eventsOf(asked)).toContain('access.request_voided');
    // Who approved the one before may approve this one.
    expect((await decide('approve', asked, await approver('ann'), { comment: 'still' })).status).toBe(200);
  });

  test('sensitivity 3 takes a comment, and a rejection always', async () => {
    await rule('prod');
    const asked = await ask(['write']);
    const silent = await decide('approve', asked, await approver('ann'));
    expect(silent).toMatchObject({ status: 400, body: { errors: [{ pointer: '/comment' }] } });
    expect((await decide('reject', asked, await approver('ann'), { comment: undefined })).status).toBe(400);
    const rejected = await decide('reject', asked, await approver('ann'), { comment: 'too much' });
    expect(rejected.body).toMatchObject({ state: 'rejected', approvals: [{ comment: 'too much' }] });
    expect((await ask(['read'])).status).toBe(201);
  });

  test('cannot be approved twice, nor after it was decided', async () => {
    await rule('two', { steps: [{ quorum: 2, roles: ['approver'] }] });
    const asked = await ask();
    const ann = await approver('ann');
    await decide('approve', asked, ann);
    expect((await decide('approve', asked, ann)).body.code).toBe('illegal_transition');
    const content_hash = hashOf(asked);
    await decide('reject', asked, await approver('bob'), { content_hash });
    const late = await decide('approve', asked, await approver('cyd'), { content_hash });
    expect(late).toMatchObject({ status: 409, body: { code: 'illegal_transition' } });
  });

  test('lapses when nobody decides in time', async () => {
    await rule('prod');
    const asked = await ask();
    const token = await authority.personToken('ann', ['approver'], { claims: { exp: 9_999_999_999 } });
    authority.clock.advance(3 * DAY);
    const content_hash = hashOf(asked);
    const late = await authority.call('POST', `/v1/access/${asked.body.id}/approve`, {
      token,
      body: { content_hash },
    });
    expect(late).toMatchObject({ status: 409, body: { code: 'illegal_transition' } });
  });

  test('is swept when nobody decided in time: an access lapses, an identity is rejected', async () => {
    await rule('prod');
    await rule('machines', { subject: 'identity' });
    const asked = await ask();
    const body = identityBody('late', { client_id: 'late', environment: 'prod' });
    await authority.call('POST', '/v1/identities', { body });
    const job = lapseApprovalsJob(authority.deps);
    await job.run(new AbortController().signal);
    expect((await authority.call('GET', '/v1/approvals?state=pending')).body.items).toHaveLength(2);
    authority.clock.advance(3 * DAY);
    await job.run(new AbortController().signal);
    await job.run(new AbortController().signal);
    expect((await authority.call('GET', `/v1/access/${asked.body.id}`)).body.state).toBe('lapsed');
    expect((await authority.call('GET', '/v1/identities/late')).body.state).toBe('rejected');
    expect((await authority.call('GET', '/v1/approvals?state=lapsed')).body.items).toHaveLength(2);
    expect(eventsOf(asked)).toEqual(['access.requested', 'access.request_lapsed', 'access.lapsed']);
    expect((await ask()).status).toBe(201);
  });

  test('gives nothing to what was stopped meanwhile', async () => {
    await rule('prod');
    const asked = await ask();
    await authority.call('POST', '/v1/identities/a/suspend', { body: { reason: 'odd' } });
    const stopped = await decide('approve', asked, await approver('ann'));
    expect(stopped).toMatchObject({ status: 409, body: { code: 'illegal_transition' } });
    await authority.call('POST', '/v1/identities/a/resume', { body: { reason: 'fine' } });
    expect((await decide('approve', asked, await approver('ann'))).body.state).toBe('active');
  });
});

describe('a change of what is active', () => {
  async function active(): Promise<Answer> {
    const asked = await ask(['read']);
    await rule('prod');
    return asked;
  }
  const patch = (access: Answer, body: Record<string, unknown>): Promise<Answer> =>
    authority.call('PATCH', `/v1/access/${access.body.id}`, { body, headers: { 'If-Match': '*' } });

  test.each([
    ['a scope more', { scopes: ['read', 'list'] }],
    ['a later end', { expires_at: new Date(START + 25 * DAY).toISOString() }],
    ['a longer token', { token_lifetime: null }],
    ['a further network', { conditions: { networks: ['192.0.2.0/24', '198.51.100.0/24'] } }],
    ['no network', { conditions: { networks: null } }],
    ['another time', { conditions: { times: null } }],
    ['a weaker binding', { conditions: { binding: 'any' } }],
    ['no conditions', { conditions: null }],
  ] as readonly (readonly [string, Record<string, unknown>])[])(
    'that gives more waits, and the old version stays in force: %s',
    async (_, change) => {
      const times = [{ days: ['mon'], from: '08:00', to: '18:00', time_zone: 'UTC' }];
      const conditions = { networks: ['192.0.2.0/24'], times, binding: 'dpop' };
      const given = await ask(['read'], { token_lifetime: 60, conditions });
      await rule('prod');
      const changed = await patch(given, change);
      expect(changed.status, changed.text).toBe(200);
      expect(changed.body).toMatchObject({ state: 'active', version: 1, token_lifetime: 60, conditions });
      expect(changed.body.pending).toMatchObject({ given: 0, needed: 1 });
      const shown = await authority.call('GET', `/v1/approvals/${changed.body.pending.approval}`);
      expect(shown.body.changes).toEqual(Object.keys(change));
      const approved = await decide('approve', given, await approver('ann'));
      expect(approved.body).toMatchObject({ state: 'active', version: 2, approved_by: 'ann', pending: null });
      expect(approved.body).toMatchObject(change['conditions'] === null ? { conditions: null } : {});
    },
  );

  test.each([
    ['a scope less', { scopes: ['read'] }],
    ['an earlier end', { expires_at: new Date(START + 2 * DAY).toISOString() }],
    ['a shorter token', { token_lifetime: 30 }],
    ['a network within', { conditions: { networks: ['192.0.2.128/25'] } }],
    ['a stronger binding', { conditions: { binding: 'dpop' } }],
    ['other words', { justification: 'is needed more' }],
  ])('that gives no more needs nobody: %s', async (_, change) => {
    const conditions = { networks: ['192.0.2.0/24'], binding: 'any' };
    const given = await ask(['read', 'list'], { token_lifetime: 60, conditions });
    await rule('prod');
    const changed = await patch(given, change);
    expect(changed.body).toMatchObject({ version: 2, pending: null });
  });

  test('is void when the access changes otherwise, or ends', async () => {
    const given = await active();
    await patch(given, { scopes: ['read', 'list'] });
    const changed = await patch(given, { token_lifetime: 30 });
    expect(changed.body).toMatchObject({ version: 2, pending: null });
    expect((await decide('approve', given, await approver('ann'))).status).toBe(409);
    await patch(given, { scopes: ['read', 'list'] });
    await authority.call('DELETE', `/v1/access/${given.body.id}`, { headers: { 'If-Match': '*' } });
    expect((await decide('approve', given, await approver('ann'))).status).toBe(409);
    expect(eventsOf(given).filter((type) => type === 'access.request_voided')).toHaveLength(2);
  });

  test('is rejected and the access stays as it is', async () => {
    const given = await active();
    await patch(given, { scopes: ['read', 'list'] });
    const rejected = await decide('reject', given, await approver('ann'));
    expect(rejected.body).toMatchObject({ state: 'active', scopes: ['read'], version: 1, pending: null });
    expect(eventsOf(given).at(-1)).toBe('access.change_rejected');
  });

  test('can be a renewal', async () => {
    const given = await active();
    const later = new Date(START + 28 * DAY).toISOString();
    const renewed = await authority.call('POST', `/v1/access/${given.body.id}/renew`, {
      body: { expires_at: later },
    });
    expect(renewed.body).toMatchObject({ expires_at: given.body.expires_at });
    expect(renewed.body.pending.content.expires_at).toBe(later);
    expect((await decide('approve', given, await approver('ann'))).body.expires_at).toBe(later);
  });

  test('is shown by a dry run, and nothing is asked', async () => {
    const given = await active();
    const dry = await authority.call('PATCH', `/v1/access/${given.body.id}?dry_run=true`, {
      body: { scopes: ['read', 'list'] },
      headers: { 'If-Match': '*' },
    });
    expect(dry.body.changes).toMatchObject([{ op: 'update', kind: 'Access', fields: ['request'] }]);
    expect((await authority.call('GET', '/v1/approvals')).body.items).toEqual([]);
  });

  test('is near its end for a time before it ends', async () => {
    const given = await active();
    const list = async (): Promise<string[]> =>
      (await authority.call('GET', '/v1/access?state=expiring')).body.items.map(
        ({ id }: Answer['body']) => id,
      );
    expect(await list()).toEqual([]);
    authority.clock.advance(7 * DAY);
    expect(await list()).toEqual([given.body.id]);
    const shown = await authority.call('GET', `/v1/access/${given.body.id}`);
    expect(shown.body).toMatchObject({ state: 'active', expiring: true });
  });
});

describe('who may approve', () => {
  test('no machine, whatever it holds', async () => {
    await rule('prod');
    const asked = await ask();
    const machine = await decide('approve', asked, await authority.tokenFor('admin'));
    expect(machine).toMatchObject({ status: 403, body: { code: 'needs_people' } });
  });

  test('whom the step asks: a role, a team, or somebody by name', async () => {
    await rule('r', { steps: [{ quorum: 1, teams: ['risk'], people: ['Cyd@example.test'] }] });
    const asked = await ask();
    const none = await decide('approve', asked, await approver('ann'));
    expect(none).toMatchObject({ status: 403, body: { code: 'not_an_approver' } });
    expect((await decide('approve', asked, await approver('bob', ['risk']))).body.state).toBe('active');
    const other = await authority.call('POST', '/v1/access', { body: accessBody('b', FRAUD, ['read']) });
    expect((await decide('approve', other, await approver('cyd@example.test'))).body.state).toBe('active');
  });

  test('for two steps of a rule two people, for two rules the same', async () => {
    await rule('r', {
      steps: [
        { quorum: 1, teams: ['risk'] },
        { quorum: 1, roles: ['approver'] },
      ],
    });
    await rule('s', { steps: [{ quorum: 1, roles: ['approver'] }] });
    const asked = await ask();
    const first = await decide('approve', asked, await approver('ann', ['risk']));
    expect(first.body).toMatchObject({ state: 'requested', pending: { given: 2, needed: 3 } });
    expect((await decide('approve', asked, await approver('bob'))).body.state).toBe('active');
  });

  test('not who asked, under whatever name and by whatever machine', async () => {
    await rule('prod');
    const byPerson = await ask(['read'], {}, await authority.personToken('ann', ['operator']));
    const self = { status: 403, body: { code: 'self_approval' } };
    expect(await decide('approve', byPerson, await approver('ann'))).toMatchObject(self);
    // The same sign-in under another handle; the same handle in other letters and under another sign-in.
    const alias = await authority.personToken('other', ['approver'], {
      claims: { idp: { iss: 'https://people.test', sub: 'sub-ann' } },
    });
    expect(await decide('approve', byPerson, alias)).toMatchObject(self);
    expect(await decide('approve', byPerson, await approver('ANN'))).toMatchObject(self);
    // One human of the directory, by handle and by e-mail.
    const person = { handle: 'ann', name: 'Ann', email: 'ann@example.test' };
    expect((await authority.call('POST', '/v1/people', { body: person })).status).toBe(201);
    expect(await decide('approve', byPerson, await approver('ann@example.test'))).toMatchObject(self);
    expect((await decide('approve', byPerson, await approver('bob'))).body.state).toBe('active');
  });

  test('not the owner or backup of the machine that asked, nor who made its credential', async () => {
    await authority.call('POST', '/v1/identities', {
      body: identityBody('ci', { client_id: 'ci', owner: { person: 'ann', backup: 'bea', team: 'core' } }),
    });
    await authority.call('POST', '/v1/identities/ci/credentials', {
      body: { type: 'client_secret' },
      token: await authority.personToken('cyd', ['operator']),
    });
    await authority.call('POST', '/v1/access', {
      body: accessBody('ci', RESOURCE, ['access:write', 'access:read', 'identities:write']),
    });
    await rule('prod');
    const asked = await ask(['read'], {}, await authority.tokenFor('ci'));
    expect(asked.status, asked.text).toBe(201);
    // Handing it over afterwards changes nothing.
    await authority.call('PATCH', '/v1/identities/ci', {
      body: { owner: { person: 'dan', backup: 'eve' } },
      headers: { 'If-Match': '*' },
    });
    for (const handle of ['ann', 'bea', 'cyd', 'dan', 'eve']) {
      expect((await decide('approve', asked, await approver(handle))).body.code, handle).toBe(
        'self_approval',
      );
    }
    // A member of its team is somebody else.
    expect((await decide('approve', asked, await approver('fay', ['core']))).body.state).toBe('active');
  });

  test('not who edited it through another, nor whose token was exchanged', async () => {
    await operator(authority, 'ci', ['access:write']);
    await authority.call('PATCH', '/v1/identities/ci', {
      body: { owner: { person: 'ann' } },
      headers: { 'If-Match': '*' },
    });
    await rule('prod');
    const first = await ask(['read'], {}, await authority.personToken('bob', ['operator']));
    const edit = (token: string, justification: string): Promise<Answer> =>
      authority.call('PATCH', `/v1/access/${first.body.id}`, {
        token,
        body: { justification },
        headers: { 'If-Match': '*' },
      });
    const exchanged = await authority.tokenFor('ci', { sub: 'b', act: { sub: 'ci' } });
    expect((await edit(exchanged, 'once more')).status).toBe(200);
    for (const handle of ['bob', 'ann', 'zoe']) {
      const refused = await decide('approve', first, await approver(handle));
      expect(refused.body.code, handle).toBe('self_approval');
    }
    expect((await decide('approve', first, await approver('cyd'))).body.state).toBe('active');
  });

  test('not the owner of the identity where a rule says so', async () => {
    await rule('prod', { owner_may_approve: false });
    const asked = await ask();
    expect((await decide('approve', asked, await approver('zoe'))).body.code).toBe('self_approval');
    expect((await decide('approve', asked, await approver('ann'))).status).toBe(200);
  });

  test('the inbox shows each what waits for them', async () => {
    await rule('prod');
    const asked = await ask(['read'], {}, await authority.personToken('ann', ['operator']));
    const inbox = async (token: string): Promise<Answer> =>
      await authority.call('GET', '/v1/approvals?state=pending&for=me', { token });
    const mine = await inbox(await approver('bob'));
    expect(mine.body.items).toMatchObject([
      { subject: { id: asked.body.id }, client_id: 'a', resource: FRAUD, present: null, requested_by: 'ann' },
    ]);
    expect(operations['approvals.list'].response.parse(mine.body)).toEqual(mine.body);
    expect((await inbox(await approver('ann'))).body.items).toEqual([]);
    expect((await inbox(await authority.tokenFor('admin'))).status).toBe(403);
    const id = mine.body.items[0].id as string;
    const approved = await authority.call('POST', `/v1/approvals/${id}/approve`, {
      token: await approver('bob'),
      body: { content_hash: mine.body.items[0].content_hash },
    });
    expect(approved.body).toMatchObject({ state: 'approved', decisions: [{ person: 'bob' }] });
  });
});

describe('rules', () => {
  test('once there, are changed and removed by admins who signed in alone', async () => {
    const made = await rule('prod');
    const path = `/v1/approval-rules/${made.body.id}`;
    const change = (token: string, method = 'PATCH', body: unknown = { owner_may_approve: false }) =>
      authority.call(method, path, {
        token,
        ...(method === 'PATCH' ? { body } : {}),
        headers: { 'If-Match': '*' },
      });
    expect((await change(await authority.tokenFor('admin'))).body.code).toBe('needs_people');
    expect((await change(await authority.tokenFor('admin'), 'DELETE')).body.code).toBe('needs_people');
    expect((await change(await approver('ann'))).status).toBe(403);
    const admin = await authority.personToken('root', ['admin']);
    expect((await change(admin)).body).toMatchObject({ owner_may_approve: false, version: 2 });
    const asked = await ask();
    expect((await change(admin, 'DELETE')).body.state).toBe('deleted');
    // What waits keeps waiting.
    expect((await authority.call('GET', `/v1/access/${asked.body.id}`)).body).toMatchObject({
      state: 'requested',
      pending: { needed: 1 },
    });
    expect((await decide('approve', asked, await approver('ann'))).body.state).toBe('active');
  });

  test('are documents, and a change of them by a machine is refused', async () => {
    const document = (quorum: number): unknown => ({
      apiVersion: 'countersign/v1',
      kind: 'ApprovalRule',
      metadata: { name: 'prod' },
      spec: { match: { environments: ['prod'] }, steps: [{ quorum, roles: ['approver'] }] },
    });
    const apply = (documents: unknown[], token?: string): Promise<Answer> =>
      authority.call('POST', '/v1/apply', {
        body: { documents },
        ...(token === undefined ? {} : { token }),
      });
    expect((await apply([document(1)])).body.changes).toMatchObject([{ op: 'create', kind: 'ApprovalRule' }]);
    const { documents } = (await authority.call('GET', '/v1/export')).body;
    expect(documents).toContainEqual(expect.objectContaining({ kind: 'ApprovalRule' }));
    expect((await apply(documents)).body.changes).toEqual([]);
    expect((await apply([document(2)])).body.code).toBe('needs_people');
    const admin = await authority.personToken('root', ['admin']);
    expect((await apply([document(2)], admin)).body.changes).toMatchObject([{ op: 'update' }]);
  });

  test('a declared access waits too, and applying it again asks for nothing anew', async () => {
    await rule('prod');
    const document = {
      apiVersion: 'countersign/v1',
      kind: 'Access',
      metadata: { name: 'a to fraud' },
      spec: {
        identity: 'a',
        resource_server: FRAUD,
        scopes: ['read'],
        justification: 'is needed',
        conditions: { networks: ['192.0.2.0/24'] },
        expires_at: new Date(START + 10 * DAY).toISOString(),
      },
    };
    const apply = (): Promise<Answer> =>
      authority.call('POST', '/v1/apply', { body: { documents: [document] } });
    const first = await apply();
    expect(first.body.changes).toMatchObject([
      { op: 'create', kind: 'Access', after: { state: 'requested' } },
    ]);
    expect((await apply()).body.changes).toEqual([]);
  });

  test('nobody gets past one by moving an identity to where it matches', async () => {
    const body = identityBody('c', { client_id: 'c', environment: 'dev' });
    await authority.call('POST', '/v1/identities', { body });
    await rule('prod');
    const given = await authority.call('POST', '/v1/access', { body: accessBody('c', FRAUD, ['read']) });
    expect(given.body.state).toBe('active');
    const moved = await authority.call('PATCH', '/v1/identities/c', {
      body: { environment: 'prod' },
      headers: { 'If-Match': '*' },
    });
    expect(moved).toMatchObject({ status: 409, body: { code: 'illegal_transition' } });
  });
});

describe('identities', () => {
  const make = (change: Record<string, unknown> = {}): Promise<Answer> =>
    authority.call('POST', '/v1/identities', {
      body: identityBody('new', { client_id: 'new', environment: 'prod', ...change }),
    });

  test('wait where a rule asks for it, and are approved by the hash', async () => {
    await rule('machines', { subject: 'identity' });
    const made = await make();
    expect(made.body).toMatchObject({ state: 'requested', pending: { needed: 1 } });
    const edited = await authority.call('PATCH', '/v1/identities/new', {
      body: { purpose: 'another' },
      headers: { 'If-Match': '*' },
    });
    const approve = async (content_hash: string): Promise<Answer> =>
      authority.call('POST', '/v1/identities/new/approve', {
        token: await approver('ann'),
        body: { content_hash },
      });
    expect((await approve(hashOf(made))).body.code).toBe('content_changed');
    const approved = await approve(hashOf(edited));
    expect(approved.body, approved.text).toMatchObject({ state: 'approved', pending: null });
  });

  test('a draft goes to work by itself only where no rule matches', async () => {
    await rule('machines', { subject: 'identity' });
    await make({ state: 'draft' });
    const eager = await authority.call('POST', '/v1/identities/new/activate', { body: {} });
    expect(eager.body.code).toBe('illegal_transition');
    const submitted = await authority.call('POST', '/v1/identities/new/submit', { body: {} });
    expect(submitted.body).toMatchObject({ state: 'requested', pending: { needed: 1 } });
    const rejected = await authority.call('POST', '/v1/identities/new/reject', {
      token: await approver('ann'),
      body: { content_hash: hashOf(submitted), comment: 'no need' },
    });
    expect(rejected.body).toMatchObject({ state: 'rejected', state_reason: 'no need' });
  });
});

test('every scope that a machine can hold is no scope to approve by', () => {
  expect(ADMIN_SCOPE_NAMES).not.toContain('approvals:write');
});
