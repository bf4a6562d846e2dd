import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verdictAt } from '../../registry/policy/verdict-at.ts';
import {
  accessBody,
  type Authority,
  identityBody,
  openAuthority,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';

const DAY = 86_400_000;
const PAY = 'https://pay.test';
const any = { headers: { 'If-Match': '*' } };

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await make(
    '/v1/identities',
    identityBody('payments', { client_id: 'payments', environment: 'prod', expires_at: ends(400) }),
  );
  await make('/v1/resource-servers', resourceServerBody(PAY, ['create', 'approve', 'read']));
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function make(path: string, body: unknown) {
  const answer = await authority.call('POST', path, { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}
const declare = (policy: object) => make('/v1/policies', { name: 'p', ...policy });
const person = (handle: string, roles: Parameters<Authority['personToken']>[1]) =>
  authority.personToken(handle, roles);
const ends = (days: number): string => new Date(START + days * DAY).toISOString();
const duties = { pairs: [{ one: { scope: 'create' }, other: { scope: 'approve' } }] };

describe('a policy as an object', () => {
  test('is made, shown, changed by people only, and every version of it is kept', async () => {
    const made = await declare({ rule: 'credential_age', parameters: { max_age: '30d' } });
    expect(made).toMatchObject({ mode: 'report', match: {}, tests: [], version: 1 });
    authority.clock.advance(1000);
    const path = `/v1/policies/${made.id}`;
    const change = { ...any, body: { mode: 'enforce' } };
    expect((await authority.call('PATCH', path, change)).body.code).toBe('needs_people');
    const ada = await person('ada', ['admin']);
    const changed = await authority.call('PATCH', path, { ...change, token: ada });
    expect(changed.body).toMatchObject({ mode: 'enforce', version: 2 });
    const then = await authority.call('GET', `${path}?as_of=${new Date(START + 500).toISOString()}`);
    expect(then.body.mode).toBe('report');
    expect((await authority.call('DELETE', path, any)).body.code).toBe('needs_people');
    await authority.call('DELETE', path, { ...any, token: ada });
    expect((await authority.call('GET', '/v1/policies')).body.items).toEqual([]);
    expect(authority.log.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['policy.created', 'policy.updated', 'policy.deleted']),
    );
  });

  test.each([
    [{ rule: 'credential_age', parameters: {} }, '/parameters/max_age'],
    [{ rule: 'credential_age', parameters: { max_age: '30 days' } }, '/parameters/max_age'],
    [{ rule: 'lifetime_ceiling', parameters: {} }, '/parameters'],
    [{ rule: 'methods_allowed', parameters: { methods: ['password'] } }, '/parameters/methods/0'],
    [{ rule: 'no_such_rule' }, '/rule'],
    [{ rule: 'owner_required', mode: 'shout' }, '/mode'],
    [{ rule: 'owner_required', parameters: { fallback: true } }, '/parameters'],
  ])('%j is refused where it is wrong', async (policy, pointer) => {
    const answer = await authority.call('POST', '/v1/policies', { body: { name: 'p', ...policy } });
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    expect(answer.body.errors[0].pointer).toContain(pointer);
  });

  test('parameters of a change are those of its rule', async () => {
    const { id } = await declare({ rule: 'credential_age', parameters: { max_age: '30d' } });
    const body = { parameters: { methods: ['api_key'] } };
    const answer = await authority.call('PATCH', `/v1/policies/${id}`, { ...any, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
  });

  test('there are at most 100', async () => {
    const { id } = await declare({ rule: 'owner_required' });
    const record = await authority.storage.policies.byId(id);
    if (record === undefined) throw new Error('it is there');
    await authority.storage.transaction(async ({ policies }) => {
      for (let made = 1; made < 100; made++) {
        await policies.insert({ ...record, id: `pol_${String(made).padStart(20, '0')}`, name: `p${made}` });
      }
    });
    const body = { name: 'more', rule: 'owner_required' };
    expect((await authority.call('POST', '/v1/policies', { body })).body.code).toBe('limit_reached');
  });

  test('one whose own tests fail is not made, and says what was expected and what came', async () => {
    const tests = [
      { name: 'a backup', given: { identity: { backup: 'lin' } }, expect: 'allow' },
      { name: 'no backup is fine', given: {}, expect: 'allow' },
    ];
    const body = { name: 'backups', rule: 'owner_required', tests };
    const answer = await authority.call('POST', '/v1/policies', { body });
    expect([answer.status, answer.body.code]).toEqual([422, 'policy_test_failed']);
    expect(answer.body.detail).toContain('"no backup is fine" expected allow, and warn came');
    expect(answer.body.detail).toContain('has no backup');
    expect((await authority.call('GET', '/v1/policies')).body.items).toEqual([]);
  });
});

describe('what tests of a policy mean', () => {
  const run = async (policy: object) =>
    (await authority.call('POST', '/v1/policies/test', { body: policy })).body;
  const noBackup = (expected: string) => [{ name: 't', given: {}, expect: expected }];

  test.each([
    ['report', 'refuse', 1],
    ['enforce', 'refuse', 1],
    ['warn', 'warn', 1],
    ['enforce', 'warn', 0],
    ['enforce', 'allow', 0],
  ])('in mode %s a breach that should %s: %i passes', async (mode, expected, passed) => {
    const report = await run({ rule: 'owner_required', mode, tests: noBackup(expected) });
    expect(report.passed).toBe(passed);
    expect(report.failed).toHaveLength(1 - passed);
  });

  test('spans count from the instant that is judged, and a match that does not hold allows', async () => {
    const tests = [
      { name: 'old', given: { credentials: [{ type: 'client_secret', age: '31d' }] }, expect: 'refuse' },
      { name: 'young', given: { credentials: [{ type: 'client_secret', age: '30d' }] }, expect: 'allow' },
      {
        name: 'elsewhere',
        given: { identity: { environment: 'dev' }, credentials: [{ type: 'client_secret', age: '31d' }] },
        expect: 'allow',
      },
    ];
    const match = { environments: ['prod'] };
    const report = await run({ rule: 'credential_age', parameters: { max_age: '30d' }, match, tests });
    expect(report).toEqual({ passed: 3, failed: [] });
  });
});

describe('the ladder at a write', () => {
  const both = accessBody('payments', PAY, ['create', 'approve']);
  const ask = (target = '/v1/access') => authority.call('POST', target, { body: both });

  test('report says nothing, warn warns in the answer, enforce refuses by name; a dry run says the same', async () => {
    const { id } = await declare({ name: 'four eyes', rule: 'separation_of_duties', parameters: duties });
    const ada = await person('ada', ['admin']);
    const setMode = (mode: string) =>
      authority.call('PATCH', `/v1/policies/${id}`, { ...any, body: { mode }, token: ada });
    expect((await ask('/v1/access?dry_run=true')).body.warnings).toBeUndefined();
    await setMode('warn');
    const warned = {
      policy: 'four eyes',
      rule: 'separation_of_duties',
      why: 'holds create together with approve',
    };
    const planned = await ask('/v1/access?dry_run=true');
    expect(planned.body.warnings).toMatchObject([warned, { why: 'holds approve together with create' }]);
    expect(planned.body.changes).toHaveLength(1);
    await setMode('enforce');
    for (const target of ['/v1/access?dry_run=true', '/v1/access']) {
      const refused = await ask(target);
      expect([refused.status, refused.body.code]).toEqual([403, 'refused_by_policy']);
      expect(refused.body.detail).toContain('the policy "four eyes" (separation_of_duties)');
    }
    await setMode('warn');
    const made = await ask();
    expect([made.status, made.body.warnings.length]).toEqual([201, 2]);
    const told = authority.log.events.filter(({ type }) => type === 'policy_breach.warned');
    expect(told).toHaveLength(2);
  });

  test('what was broken before may stay as it is, and may not get worse', async () => {
    const made = await make('/v1/access', accessBody('payments', PAY, ['read'], { expires_at: ends(300) }));
    await declare({ rule: 'lifetime_ceiling', parameters: { access: '90d' }, mode: 'enforce' });
    const patch = (body: object) => authority.call('PATCH', `/v1/access/${made.id}`, { ...any, body });
    expect((await patch({ justification: 'still needed' })).status).toBe(200);
    expect((await patch({ expires_at: ends(200) })).status).toBe(200);
    expect((await patch({ expires_at: ends(250) })).body.code).toBe('refused_by_policy');
    expect((await patch({ expires_at: ends(80) })).status).toBe(200);
    expect((await patch({ expires_at: ends(91) })).body.code).toBe('refused_by_policy');
  });

  test('a credential of a method that is not allowed is not made, and does not come back', async () => {
    const secret = await make('/v1/identities/payments/credentials', { type: 'client_secret' });
    const path = `/v1/credentials/${secret.id}`;
    await authority.call('PATCH', path, { ...any, body: { state: 'suspended' } });
    const parameters = { methods: ['private_key_jwt'] };
    await declare({
      rule: 'methods_allowed',
      parameters,
      mode: 'enforce',
      match: { environments: ['prod'] },
    });
    const more = { body: { type: 'client_secret' } };
    const refused = await authority.call('POST', '/v1/identities/payments/credentials', more);
    expect(refused.body.code).toBe('refused_by_policy');
    const back = await authority.call('PATCH', path, { ...any, body: { state: 'active' } });
    expect(back.body.code).toBe('refused_by_policy');
  });

  test('an owner without a backup is refused at creation and by a change, and a hand-over is not', async () => {
    await declare({ rule: 'owner_required', mode: 'enforce' });
    const body = identityBody('x', { client_id: 'x', owner: { person: 'lin' } });
    expect((await authority.call('POST', '/v1/identities', { body })).body.code).toBe('refused_by_policy');
    const owner = { person: 'lin', backup: 'kim' };
    await make('/v1/identities', { ...body, owner });
    const patch = (change: object) => authority.call('PATCH', '/v1/identities/x', { ...any, body: change });
    expect((await patch({ owner: { backup: null } })).body.code).toBe('refused_by_policy');
    expect((await patch({ purpose: 'another' })).status).toBe(200);
    for (const handle of ['lin', 'kim']) await make('/v1/people', { handle, name: handle });
    const left = await authority.call('PATCH', '/v1/people/lin', { ...any, body: { status: 'left' } });
    expect(left.status, left.text).toBe(200);
    expect((await authority.call('GET', '/v1/identities/x')).body.owner).toMatchObject({
      person: 'kim',
      backup: null,
    });
  });

  test('two halves with two machines of one owner are refused, where the policy looks at owners', async () => {
    await declare({
      rule: 'separation_of_duties',
      parameters: { ...duties, across: 'owner' },
      mode: 'enforce',
    });
    const owner = { person: 'ada', backup: 'kim' };
    for (const [client_id, own] of [
      ['one', owner],
      ['two', { ...owner, person: 'ADA' }],
      ['three', { person: 'lin' }],
    ] as const) {
      await make('/v1/identities', identityBody(client_id, { client_id, owner: own }));
    }
    await make('/v1/access', accessBody('one', PAY, ['create']));
    await make('/v1/access', accessBody('three', PAY, ['approve']));
    const refused = await authority.call('POST', '/v1/access', { body: accessBody('two', PAY, ['approve']) });
    expect(refused.body.code).toBe('refused_by_policy');
    expect(refused.body.detail).toContain('which one of the same owner holds');
  });

  test('the authority itself is not locked out: what is built in is warned of', async () => {
    await declare({ rule: 'methods_allowed', parameters: { methods: ['private_key_jwt'] }, mode: 'enforce' });
    const made = await authority.call('POST', '/v1/identities/admin/credentials', {
      body: { type: 'client_secret' },
    });
    expect([made.status, made.body.warnings.length]).toEqual([201, 1]);
  });

  test('what was suspended while a policy came is not given back against it', async () => {
    const made = await make('/v1/access', both);
    const record = await authority.storage.access.byId(made.id);
    if (record === undefined) throw new Error('it is gone');
    await authority.storage.access.replace({ ...record, state: 'suspended', version: record.version + 1 });
    await declare({ rule: 'separation_of_duties', parameters: duties, mode: 'enforce' });
    const answer = await authority.call('POST', `/v1/access/${made.id}/restore`, {
      body: { reason: 'is needed' },
      token: await person('moe', ['approver']),
    });
    expect([answer.status, answer.body.code]).toEqual([403, 'refused_by_policy']);
    expect((await authority.call('GET', `/v1/access/${made.id}`)).body.state).toBe('suspended');
  });

  test('what waited while a policy came is refused when it is approved', async () => {
    await make('/v1/approval-rules', { name: 'all', steps: [{ quorum: 1, roles: ['approver'] }] });
    const waiting = await make('/v1/access', both);
    await declare({ rule: 'separation_of_duties', parameters: duties, mode: 'enforce' });
    const answer = await authority.call('POST', `/v1/access/${waiting.id}/approve`, {
      body: { content_hash: waiting.pending.content_hash },
      token: await person('moe', ['approver']),
    });
    expect(answer.body.code).toBe('refused_by_policy');
    expect((await authority.call('GET', `/v1/access/${waiting.id}`)).body.state).toBe('requested');
  });
});

describe('an exception', () => {
  const asked = { policy: 'p', identity: 'payments', reason: 'moves in May', expires_at: ends(10) };
  const except = async (token?: string, more: object = {}) =>
    authority.call('POST', '/v1/policy-exceptions', {
      body: { ...asked, ...more },
      ...(token === undefined ? {} : { token }),
    });

  beforeEach(async () => {
    await declare({ rule: 'separation_of_duties', parameters: duties, mode: 'enforce' });
  });

  test('is made by people, never by who answers for the machine, and ends within a year', async () => {
    expect((await except()).body.code).toBe('needs_people');
    const { person: owner } = (await authority.call('GET', '/v1/identities/payments')).body.owner;
    const self = await except(await person(owner, ['admin']));
    expect(self.body.code).toBe('self_approval');
    const moe = await person('moe', ['approver']);
    expect((await except(moe, { expires_at: ends(400) })).status).toBe(400);
    expect((await except(moe, { expires_at: undefined })).status).toBe(400);
    expect((await except(moe, { policy: 'nothing' })).status).toBe(422);
    const made = await except(moe);
    expect(made.body).toMatchObject({ policy_name: 'p', client_id: 'payments', approved_by: 'moe' });
    expect((await except(moe)).body.code).toBe('already_exists');
  });

  test('counts until its end by the clock, and makes room for the next one then', async () => {
    const both = { body: accessBody('payments', PAY, ['create', 'approve'], { expires_at: ends(300) }) };
    expect((await authority.call('POST', '/v1/access', both)).body.code).toBe('refused_by_policy');
    const moe = await person('moe', ['approver']);
    await except(moe);
    expect((await authority.call('POST', '/v1/access?dry_run=true', both)).status).toBe(200);
    authority.clock.advance(10 * DAY);
    expect((await authority.call('POST', '/v1/access?dry_run=true', both)).status).toBe(403);
    const again = await except(await person('moe', ['approver']), { expires_at: ends(20) });
    expect(again.status).toBe(201);
    expect((await authority.call('POST', '/v1/access?dry_run=true', both)).status).toBe(200);
    const list = await authority.call('GET', '/v1/policy-exceptions?identity=payments');
    expect(list.body.items).toMatchObject([{ id: again.body.id }]);
    const revoked = await authority.call('DELETE', `/v1/policy-exceptions/${again.body.id}`, any);
    expect(revoked.body.state).toBe('revoked');
    expect((await authority.call('POST', '/v1/access?dry_run=true', both)).status).toBe(403);
    const told = authority.log.events.map(({ type }) => type);
    expect(told).toEqual(
      expect.arrayContaining([
        'policy_exception.created',
        'policy_exception.expired',
        'policy_exception.revoked',
      ]),
    );
  });
});

describe('declared', () => {
  const document = (spec: object, name = 'backups') => ({
    apiVersion: 'countersign/v1',
    kind: 'Policy',
    metadata: { name },
    spec,
  });
  const exception = {
    apiVersion: 'countersign/v1',
    kind: 'PolicyException',
    metadata: { name: 'payments' },
    spec: { policy: 'backups', identity: 'payments', reason: 'one week', expires_in: '7d' },
  };
  const policy = { rule: 'owner_required', mode: 'warn', match: { environments: ['prod'] } };
  const apply = (documents: unknown[], ask: object = {}, query = '') =>
    authority.call('POST', `/v1/apply${query}`, { body: { documents }, ...ask });

  test('is brought about, exported, and then changes nothing', async () => {
    expect((await apply([document(policy)])).body.changes).toMatchObject([{ op: 'create', kind: 'Policy' }]);
    const moe = { token: await person('moe', ['admin']) };
    const applied = await apply([exception], moe);
    expect(applied.body.changes).toMatchObject([
      { op: 'create', kind: 'PolicyException', name: 'payments from backups' },
    ]);
    const { documents } = (await authority.call('GET', '/v1/export')).body;
    const own = documents.filter(({ kind }: { kind: string }) => kind.startsWith('Policy'));
    expect(own).toHaveLength(2);
    expect((await apply(documents)).body.changes).toEqual([]);
    expect((await apply([exception])).body.changes).toEqual([]);
    const changed = { ...policy, mode: 'enforce' };
    expect((await apply([document(changed)])).body.code).toBe('needs_people');
    expect((await apply([document(changed)], moe)).body.changes).toMatchObject([
      { op: 'update', fields: ['mode'] },
    ]);
    expect((await apply([document({ rule: 'inactivity' })], moe)).body.code).toBe('illegal_transition');
  });

  test('an exception takes a person', async () => {
    const answer = await apply([document(policy), exception]);
    expect(answer.body.code).toBe('needs_people');
    expect(answer.body.detail).toContain('PolicyException payments');
  });

  test('a failing test stops everything before anything is changed', async () => {
    const tests = [{ name: 'nobody needs a backup', given: {}, expect: 'allow' }];
    const identity = {
      apiVersion: 'countersign/v1',
      kind: 'Identity',
      metadata: { name: 'new' },
      spec: { kind: 'job', environment: 'dev', purpose: 'x', owner: { person: 'ada' }, expires_in: '30d' },
    };
    for (const query of ['', '?dry_run=true']) {
      const answer = await apply([identity, document({ ...policy, tests })], {}, query);
      expect([answer.status, answer.body.code]).toEqual([422, 'policy_test_failed']);
      expect(answer.body.detail).toContain('expected allow, and warn came');
      expect(answer.body.errors[0].pointer).toBe('/documents/1/spec/tests');
    }
    expect((await authority.call('GET', '/v1/identities/new')).status).toBe(404);
  });

  test('what is not declared any more goes with prune, by people', async () => {
    const ada = { token: await person('ada', ['admin']) };
    await apply([document(policy), document(policy, 'other')]);
    const body = { documents: [document(policy)], prune: true };
    expect((await authority.call('POST', '/v1/apply', { body })).body.code).toBe('needs_people');
    const pruned = await authority.call('POST', '/v1/apply', { body, ...ada });
    expect(pruned.body.changes).toMatchObject([{ op: 'delete', kind: 'Policy', name: 'other' }]);
  });

  test('a warning is in the answer', async () => {
    await apply([document({ ...policy, match: {} })]);
    const identity = {
      apiVersion: 'countersign/v1',
      kind: 'Identity',
      metadata: { name: 'new' },
      spec: { kind: 'job', environment: 'dev', purpose: 'x', owner: { person: 'ada' }, expires_in: '30d' },
    };
    expect((await apply([identity])).body.warnings).toMatchObject([
      { policy: 'backups', why: 'has no backup' },
    ]);
  });
});

describe('what if', () => {
  const whatIf = async (body: object) =>
    (await authority.call('POST', '/v1/policies/what-if', { body })).body;

  test('looks at the estate for one after the other, and for few who wait: tokens are issued meanwhile', async () => {
    const policy = { rule: 'owner_required', parameters: { backup: true } };
    const ask = async () => await authority.call('POST', '/v1/policies/what-if', { body: { policy } });
    const answers = await Promise.all(Array.from({ length: 12 }, ask));
    const busy = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 200).length).toBe(4);
    expect(busy.length).toBe(8);
    expect(busy[0]?.body).toMatchObject({ code: 'unavailable' });
    expect(busy[0]?.headers['retry-after']).toBe('10');
    expect((await ask()).status).toBe(200);
    // What fails gives its turn back.
    const bad = { policy, within: '500d' };
    await authority.call('POST', '/v1/policies/what-if', { body: bad });
    expect((await ask()).status).toBe(200);
  });

  test('counts and names who would be refused, page after page, and changes nothing', async () => {
    for (const client_id of ['a', 'b', 'c']) {
      await make('/v1/identities', identityBody(client_id, { client_id, owner: { person: 'ada' } }));
    }
    await make(
      '/v1/identities',
      identityBody('d', { client_id: 'd', owner: { person: 'ada', backup: 'lin' } }),
    );
    const events = authority.log.events.length;
    const asked = { policy: { rule: 'owner_required' }, limit: 2 };
    const all = (await authority.call('GET', '/v1/identities')).body.items as {
      owner: { backup: unknown };
      built_in: boolean;
    }[];
    // The admin has no backup either, and is never refused.
    expect(all.filter(({ built_in }) => built_in)).toMatchObject([{ owner: { backup: null } }]);
    const lacking = all.filter(({ owner, built_in }) => !built_in && owner.backup === null).length;
    const first = await whatIf(asked);
    expect(first.summary).toMatchObject({ identities: all.length, refused: lacking, refused_in_use: 0 });
    expect(first.summary.text).toBe(`would refuse ${lacking} of ${all.length} identities, 0 of them in use`);
    const named = [...first.items];
    let cursor = first.next_cursor;
    while (cursor !== null) {
      const page = await whatIf({ ...asked, cursor });
      expect(page.summary).toBeNull();
      named.push(...page.items);
      cursor = page.next_cursor;
    }
    expect(named).toHaveLength(lacking);
    expect(new Set(named.map(({ client_id: id }) => id)).size).toBe(lacking);
    expect(authority.log.events.length).toBe(events);
  });

  test('says what of it was used lately, and leaves out who is excepted', async () => {
    const credential = await make('/v1/identities/payments/credentials', { type: 'client_secret' });
    const access = await make(
      '/v1/access',
      accessBody('payments', PAY, ['create', 'approve'], { expires_at: ends(300) }),
    );
    await authority.storage.credentialUse.note(credential.id, START + DAY);
    const server = await authority.storage.resourceServers.byIdentifier(PAY);
    const row = {
      accessId: access.id,
      credentialId: credential.id,
      resourceServerId: server?.id ?? '',
      denied: 5,
      lastDeniedAt: START,
      lastOkAt: START + DAY,
      days: '',
    };
    await authority.storage.usage.put([
      { ...row, scope: 'create', ok: 40 },
      { ...row, scope: 'read', ok: 2 },
    ]);
    authority.clock.advance(2 * DAY);
    const policy = { rule: 'separation_of_duties', parameters: duties };
    const answer = await whatIf({ policy });
    expect(answer.summary).toMatchObject({ refused: 1, refused_in_use: 1, calls: 42, refused_calls: 40 });
    expect(answer.items).toMatchObject([{ client_id: 'payments', in_use: 'yes', calls: 40 }]);
    authority.clock.advance(40 * DAY);
    const later = await whatIf({ policy });
    expect(later.summary).toMatchObject({ refused: 1, refused_in_use: 0, calls: 0 });
    expect(later.items[0].in_use).toBe('unknown');
    await declare(policy);
    const moe = await person('moe', ['approver']);
    const exception = { policy: 'p', identity: 'payments', reason: 'x', expires_at: ends(60) };
    await authority.call('POST', '/v1/policy-exceptions', { body: exception, token: moe });
    const excepted = await whatIf({ policy, exceptions_of: 'p' });
    expect(excepted.summary).toMatchObject({ refused: 0, excepted: 1 });
  });

  test('a cursor of something else and a span that is too long are refused', async () => {
    const policy = { rule: 'owner_required' };
    const bad = await authority.call('POST', '/v1/policies/what-if', { body: { policy, cursor: 'x' } });
    expect(bad.status).toBe(400);
    const long = await authority.call('POST', '/v1/policies/what-if', { body: { policy, within: '500d' } });
    expect(long.status).toBe(400);
  });
});

test('an instant is judged by the policies and exceptions of then', async () => {
  const made = await make('/v1/identities/payments/credentials', { type: 'client_secret' });
  const { storage, clock } = authority;
  const at: number[] = [clock.now()];
  const next = (): void => {
    clock.advance(DAY);
    at.push(clock.now());
  };
  next();
  const parameters = { methods: ['private_key_jwt'] };
  const { id } = await declare({ rule: 'methods_allowed', parameters, mode: 'enforce' });
  next();
  const moe = await person('moe', ['admin']);
  const exception = { policy: 'p', identity: 'payments', reason: 'x', expires_at: ends(10) };
  await authority.call('POST', '/v1/policy-exceptions', { body: exception, token: moe });
  next();
  const asked = { ...any, body: { mode: 'warn' }, token: await person('moe', ['admin']) };
  await authority.call('PATCH', `/v1/policies/${id}`, asked);
  const identity = await storage.identities.byClientId('payments');
  const credential = await storage.credentials.byId(made.id);
  if (identity === undefined || credential === undefined) throw new Error('they are there');
  const told = [];
  for (const instant of at) {
    const verdict = await verdictAt(storage, identity, credential, instant);
    told.push(verdict?.breaches.map(({ policy, from }) => [policy, from]));
  }
  const until = START + 10 * DAY;
  expect(told).toEqual([undefined, [['p', 0]], [['p', until]], undefined]);
});
