import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Ask,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';
import { NO_DAYS, withDay } from '../../registry/use/day-map.ts';
import { keepWatch } from '../../registry/use/watch.ts';
import { createCredentialPlaces } from '../../registry/use/credential-places.ts';
import { createIssuancePace } from '../../registry/issuance-pace.ts';
import { lookForFindingsJob } from '../jobs/look-for-findings.ts';
import { rightSize } from '../jobs/right-size.ts';
import { watchProposalsJob } from '../jobs/watch-proposals.ts';

const DAY = 86_400_000;
const API = 'https://pay.test';
const TEN = Array.from({ length: 10 }, (_, place) => `s${place}`);
const never = new AbortController().signal;
const hasty = { breathe: () => Promise.resolve() };

let authority: Authority;
let api: string;
let credential: string;
/** Who reads once the admin's secret has ended. */
let later: string | undefined;
beforeEach(async () => {
  later = undefined;
  authority = await openAuthority();
  await keepWatch(authority.storage.settings, START);
  api = (await ok('POST', '/v1/resource-servers', { body: resourceServerBody(API, TEN) })).id;
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const reader = (): Ask => (later === undefined ? {} : { token: later });

// oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
async function ok(method: string, target: string, ask: Ask = {}): Promise<any> {
  const answer = await authority.call(method, target, { ...reader(), ...ask });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

/** An identity with a secret and access to these scopes of the API; ends far ahead. */
async function machine(
  clientId: string,
  scopes: readonly string[] = TEN,
  more: Record<string, unknown> = {},
): Promise<string> {
  const expires_at = new Date(START + 900 * DAY).toISOString();
  const body = identityBody(clientId, { client_id: clientId, expires_at, cadence: 'daily', ...more });
  await ok('POST', '/v1/identities', { body });
  const made = await ok('POST', `/v1/identities/${clientId}/credentials`, {
    body: { type: 'client_secret' },
  });
  credential = made.id;
  return (await ok('POST', '/v1/access', { body: accessBody(clientId, API, scopes, { expires_at }) })).id;
}

/** The API has told of everything from the start until now. */
async function told(until = authority.clock.now()): Promise<void> {
  await authority.storage.coverage.add(api, 'seen', { from: START, to: until }, 60_000);
}

async function used(
  access: string,
  scopes: readonly string[],
  at = authority.clock.now(),
  denied = 0,
): Promise<void> {
  await authority.storage.usage.put(
    scopes.map((scope) => ({
      accessId: access,
      scope,
      credentialId: credential,
      resourceServerId: api,
      ok: denied === 0 ? 7 : 0,
      denied,
      lastOkAt: denied === 0 ? at : undefined,
      lastDeniedAt: denied === 0 ? undefined : at,
      days: denied === 0 ? withDay(NO_DAYS, Math.floor(at / DAY)) : NO_DAYS,
    })),
  );
}

async function round(): Promise<void> {
  await keepWatch(authority.storage.settings, authority.clock.now());
  await rightSize({ ...authority.deps, pacer: hasty }, never);
}

/** Day by day, as the authority lives: a pause of days would be a gap in what it knows. */
async function days(count: number): Promise<void> {
  for (let day = 0; day < count; day++) {
    authority.clock.advance(DAY);
    await keepWatch(authority.storage.settings, authority.clock.now());
  }
  if (count > 60) later = await authority.personToken('mia', ['admin']);
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
async function proposals(query = 'state=open'): Promise<any[]> {
  const answer = await authority.call('GET', `/v1/proposals?${query}`, reader());
  expect(answer.status, answer.text).toBe(200);
  expect(operations['proposals.list'].response.parse(answer.body)).toEqual(answer.body);
  return answer.body.items;
}

const post = (id: string, verb: string, ask: Ask = {}): Promise<Answer> =>
  authority.call('POST', `/v1/proposals/${id}/${verb}`, { body: {}, ...ask });

const watch = (missedReductions: 'report' | 'restore' = 'report'): Promise<void> =>
  watchProposalsJob({ ...authority.deps, missedReductions }).run(never);

const scopesOf = async (access: string): Promise<string[]> =>
  (await ok('GET', `/v1/access/${access}`)).scopes;

const told_ = (type: string): number => authority.log.events.filter((event) => event.type === type).length;

describe('what is proposed', () => {
  test('of ten scopes of which three are used, the other seven, and with what it rests on', async () => {
    const access = await machine('pay');
    await days(120);
    await told();
    await used(access, ['s1', 's4', 's7']);
    await round();
    const [proposal, ...more] = await proposals();
    expect(more).toEqual([]);
    expect(proposal).toMatchObject({
      kind: 'narrow',
      client_id: 'pay',
      subject: { kind: 'access', id: access },
      resource: API,
      change: { keep: ['s1', 's4', 's7'], take: ['s0', 's2', 's3', 's5', 's6', 's8', 's9'] },
      basis: { cadence: 'daily', ok: 21, denied: 0, seen_by: [{ resource_server: API, coverage: 1 }] },
      fix: `countersign proposals apply ${proposal.id}`,
    });
    const { from, to } = proposal.basis.window;
    expect(Date.parse(to) - Date.parse(from)).toBe(30 * DAY);
    expect(await proposals(`identity=pay&kind=narrow&subject=${access}`)).toHaveLength(1);
    expect(await proposals('kind=remove')).toEqual([]);
    await round();
    expect(told_('proposal.opened')).toBe(1);
  });

  test('nothing of a yearly job before two of its years, and nothing of one that is called when it is needed', async () => {
    await machine('yearly', TEN, { cadence: 'annual' });
    await machine('drill', TEN, { cadence: 'on_demand' });
    await days(400);
    await told();
    await round();
    expect(await proposals()).toEqual([]);
    const { items } = await ok('GET', '/v1/identities/drill/right-sizing');
    expect(items).toMatchObject([{ verdict: 'unknown', kind: null }]);
    expect(items[0].reason).toContain('on_demand');
  });

  test('nothing where use could not have been seen, and why is said', async () => {
    const access = await machine('pay');
    await days(40);
    await used(access, ['s1']);
    await round();
    expect(await proposals()).toEqual([]);
    const answer = await authority.call('GET', '/v1/identities/pay/right-sizing');
    expect(operations['proposals.assess'].response.parse(answer.body)).toEqual(answer.body);
    const verdict = answer.body.items.find(
      ({ subject }: { subject: { id: string } }) => subject.id === access,
    );
    expect(verdict).toMatchObject({ verdict: 'needed', kind: null });
    expect(verdict.basis.scopes[0]).toMatchObject({ scope: 's0', state: 'unknown' });
  });

  test('it is withdrawn when its API falls silent, and when it is used after all', async () => {
    const access = await machine('pay');
    await days(40);
    await told();
    await used(access, ['s1']);
    await round();
    expect(await proposals()).toHaveLength(1);
    await days(3);
    await round();
    expect(await proposals()).toEqual([]);
    expect(await proposals('state=withdrawn')).toHaveLength(1);
    await told();
    await used(access, ['s1', 's2']);
    await round();
    expect((await proposals())[0].change.take).not.toContain('s2');
    await used(access, TEN);
    await round();
    expect(await proposals()).toEqual([]);
    expect(told_('proposal.withdrawn')).toBe(2);
  });

  test('a refused attempt is no use', async () => {
    const access = await machine('pay', ['s1', 's2']);
    await days(40);
    await told();
    await used(access, ['s1']);
    await used(access, ['s2'], authority.clock.now(), 9);
    await round();
    expect((await proposals())[0].change.take).toEqual(['s2']);
  });

  test('a scope that was given lately is left alone, however old its access is', async () => {
    const access = await machine('pay', ['s1', 's2']);
    await days(40);
    const scopes = ['s1', 's2', 's3'];
    await ok('PATCH', `/v1/access/${access}`, { body: { scopes }, headers: { 'If-Match': '*' } });
    await days(20);
    await told();
    await used(access, ['s1']);
    await round();
    expect((await proposals())[0].change).toEqual({ keep: ['s1', 's3'], take: ['s2'] });
    await days(11);
    await told();
    await used(access, ['s1']);
    await round();
    expect((await proposals())[0].change).toEqual({ keep: ['s1'], take: ['s2', 's3'] });
  });

  test('dismissed, it waits until then; a year at most', async () => {
    const access = await machine('pay');
    await days(40);
    await told();
    await used(access, ['s1']);
    await round();
    const [{ id }] = await proposals();
    const until = (ahead: number): string => new Date(authority.clock.now() + ahead * DAY).toISOString();
    expect((await post(id, 'dismiss', { body: { reason: 'x', until: until(400) } })).status).toBe(400);
    const preview = await authority.call('POST', `/v1/proposals/${id}/dismiss?dry_run=true`, {
      body: { reason: 'x', until: until(10) },
    });
    expect(preview.body.changes).toMatchObject([{ op: 'update', kind: 'Proposal', name: 'pay: narrow' }]);
    expect((await post(id, 'dismiss', { body: { reason: 'x', until: until(10) } })).body).toMatchObject({
      state: 'dismissed',
      dismissed_by: 'admin',
      dismissed_reason: 'x',
    });
    await round();
    expect(await proposals()).toEqual([]);
    await days(11);
    await told();
    await used(access, ['s1']);
    await round();
    expect((await proposals()).map((each) => each.id)).toEqual([id]);
  });
});

describe('carrying out', () => {
  /** One that has been there for 40 days and uses s1 alone, and the proposal about it. */
  async function narrowed(): Promise<{ access: string; id: string }> {
    const access = await machine('pay', ['s1', 's2', 's3']);
    await days(40);
    await told();
    await used(access, ['s1']);
    await round();
    const [{ id }] = await proposals();
    return { access, id };
  }

  test('the dry run says the same as doing it, and changes nothing', async () => {
    const { access, id } = await narrowed();
    const preview = await authority.call('POST', `/v1/proposals/${id}/apply?dry_run=true`, { body: {} });
    expect(preview.body.changes).toMatchObject([
      { op: 'update', kind: 'Access', name: `pay → ${API}`, fields: ['scopes'], after: { scopes: ['s1'] } },
      { op: 'update', kind: 'Proposal', name: 'pay: narrow' },
    ]);
    expect(await scopesOf(access)).toEqual(['s1', 's2', 's3']);
    const applied = await ok('POST', `/v1/proposals/${id}/apply`, { body: {} });
    expect(applied).toMatchObject({ state: 'applied', applied_by: 'admin', refusals: 0 });
    expect(applied.fix).toBe(`countersign proposals rollback ${id}`);
    expect(await scopesOf(access)).toEqual(['s1']);
    expect((await post(id, 'apply')).status).toBe(409);
    expect([told_('proposal.applied'), told_('access.updated')]).toEqual([1, 1]);
  });

  test('it is a finding while it is open, and another one when it is missed', async () => {
    const { access, id } = await narrowed();
    const pace = createIssuancePace(START);
    const life = { inactivity: 'report', suspendedForMs: 30 * DAY } as const;
    const job = lookForFindingsJob({ ...authority.deps, pace, places: createCredentialPlaces(), ...life });
    const found = async (): Promise<string[]> => {
      authority.clock.advance(2 * 3_600_000);
      await job.run(never);
      const { items } = await ok('GET', '/v1/findings?identity=pay&state=open&limit=200');
      return items
        .filter(({ kind }: { kind: string }) => kind.endsWith('privileged') || kind.startsWith('reduced'))
        .map(
          (each: { kind: string; severity: string; fix: string }) =>
            `${each.severity} ${each.kind}: ${each.fix}`,
        );
    };
    await job.run(never);
    expect(await found()).toEqual([`low over_privileged: countersign proposals apply ${id}`]);
    // Its API has told of these hours too; without that it would not be said any more.
    await told();
    expect((await post(id, 'apply')).status).toBe(200);
    expect(await found()).toEqual([]);
    await used(access, ['s2'], authority.clock.now(), 4);
    authority.clock.advance(3_600_000);
    await watch();
    expect(await found()).toEqual([`high reduced_but_needed: countersign proposals rollback ${id}`]);
    await post(id, 'rollback');
    expect(await found()).toEqual([]);
  });

  test('what was used since it was proposed is not taken', async () => {
    const { access, id } = await narrowed();
    await used(access, ['s3']);
    const answer = await post(id, 'apply');
    expect(answer.status).toBe(409);
    expect(answer.body.detail).toContain('does not hold any more');
    expect(await scopesOf(access)).toHaveLength(3);
  });

  test('of two at once one carries it out', async () => {
    const { id } = await narrowed();
    const answers = await Promise.all([post(id, 'apply'), post(id, 'apply')]);
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409]);
    expect(told_('access.updated')).toBe(1);
  });

  test('given back in one step, with nothing that was not there, and only in its window', async () => {
    const { access, id } = await narrowed();
    await post(id, 'apply');
    const headers = { 'If-Match': '*' };
    const justification = 'changed meanwhile';
    await ok('PATCH', `/v1/access/${access}`, { body: { justification }, headers });
    const preview = await authority.call('POST', `/v1/proposals/${id}/rollback?dry_run=true`, { body: {} });
    expect(preview.body.changes).toMatchObject([
      { kind: 'Access', fields: ['scopes'] },
      { kind: 'Proposal' },
    ]);
    expect((await post(id, 'rollback')).body).toMatchObject({ state: 'rolled_back' });
    expect((await scopesOf(access)).toSorted()).toEqual(['s1', 's2', 's3']);
    expect((await post(id, 'rollback')).status).toBe(409);
    // What was missed once is left alone for a whole window.
    await days(20);
    await told();
    await used(access, ['s1']);
    await round();
    expect(await proposals()).toEqual([]);
  });

  test('after its window it is settled and stays', async () => {
    const { access, id } = await narrowed();
    await post(id, 'apply');
    await days(7);
    expect((await post(id, 'rollback')).status).toBe(409);
    await watch();
    expect((await ok('GET', `/v1/proposals/${id}`)).state).toBe('settled');
    expect(await scopesOf(access)).toEqual(['s1']);
  });

  test('refusals by the API are seen; what is missed is given back where the setting says so', async () => {
    const { access, id } = await narrowed();
    await post(id, 'apply');
    authority.clock.advance(3_600_000);
    await watch();
    expect((await ok('GET', `/v1/proposals/${id}`)).refusals).toBe(0);
    await used(access, ['s2'], authority.clock.now(), 4);
    authority.clock.advance(3_600_000);
    await watch();
    expect(await ok('GET', `/v1/proposals/${id}`)).toMatchObject({ state: 'applied', refusals: 4 });
    expect(await scopesOf(access)).toEqual(['s1']);
    authority.clock.advance(3_600_000);
    await watch('restore');
    expect(await ok('GET', `/v1/proposals/${id}`)).toMatchObject({ state: 'rolled_back' });
    expect((await scopesOf(access)).toSorted()).toEqual(['s1', 's2', 's3']);
  });

  test('refusals of tokens are seen, of this and of nothing else', async () => {
    const { id } = await narrowed();
    await post(id, 'apply');
    const refused = (scopes: string, resource = API): Promise<void> =>
      authority.log.append({
        id: `evt_${scopes}_${resource}`,
        at: new Date(authority.clock.now()).toISOString(),
        type: 'token.refused',
        outcome: 'refused',
        identity: 'pay',
        resource,
        scopes_asked: scopes,
        reason: 'scope_not_held',
      });
    authority.clock.advance(120_000);
    await refused('s2');
    await refused('s9');
    await refused('s2', 'https://other.test');
    await watch();
    expect((await ok('GET', `/v1/proposals/${id}`)).refusals).toBe(1);
    authority.clock.advance(2 * 3_600_000);
    await watch();
    expect((await ok('GET', `/v1/proposals/${id}`)).refusals).toBe(1);
  });

  test('where a rule asks for people it waits for them, and nobody gives it back to himself', async () => {
    const { access, id } = await narrowed();
    await ok('POST', '/v1/approval-rules', {
      body: { name: 'all', subject: 'access', match: {}, steps: [{ quorum: 1, roles: ['admin'] }] },
    });
    const mia = await authority.personToken('mia', ['admin']);
    const noa = await authority.personToken('noa', ['admin']);
    expect((await post(id, 'apply', { token: mia })).body).toMatchObject({ applied_by: 'mia' });
    await used(access, ['s2'], authority.clock.now(), 4);
    authority.clock.advance(120_000);
    await watch('restore');
    const waiting = await ok('GET', `/v1/proposals/${id}`);
    expect(waiting).toMatchObject({ state: 'rollback_requested', approval: expect.stringMatching(/^arq_/) });
    expect(await scopesOf(access)).toEqual(['s1']);
    const request = await ok('GET', `/v1/approvals/${waiting.approval}`);
    const say = (token: string): Promise<Answer> =>
      authority.call('POST', `/v1/approvals/${waiting.approval}/approve`, {
        token,
        body: { content_hash: request.content_hash },
      });
    expect((await say(await authority.personToken('mia', ['admin']))).body.code).toBe('self_approval');
    expect((await say(noa)).status).toBe(200);
    authority.clock.advance(120_000);
    await watch('restore');
    expect((await ok('GET', `/v1/proposals/${id}`)).state).toBe('rolled_back');
    expect((await scopesOf(access)).toSorted()).toEqual(['s1', 's2', 's3']);
  });

  test('it takes the scope of what it changes, and an owner only its own', async () => {
    const { id } = await narrowed();
    const token = await operator(authority, 'bot', ['findings:write', 'findings:read']).catch(() => '');
    if (token !== '') expect((await post(id, 'apply', { token })).status).toBe(403);
    const auditor = await authority.personToken('aud', ['auditor']);
    expect((await post(id, 'apply', { token: auditor })).status).toBe(403);
    const stranger = await authority.personToken('zoe', ['owner']);
    expect((await post(id, 'apply', { token: stranger })).body.code).toBe('not_own');
    const own = await authority.personToken('ada', ['owner']);
    expect((await post(id, 'apply', { token: own })).status).toBe(200);
  });
});

describe('the other kinds', () => {
  test('an access that nobody uses is removed, and comes back as it was, with its end', async () => {
    const idle = await machine('pay', ['s1', 's2']);
    const other = 'https://other.test';
    await ok('POST', '/v1/resource-servers', { body: resourceServerBody(other, ['a']) });
    await days(40);
    await told();
    await authority.storage.credentialUse.note(credential, authority.clock.now());
    await round();
    const [proposal] = await proposals();
    expect(proposal).toMatchObject({ kind: 'remove', subject: { id: idle }, change: { keep: [] } });
    const before = await ok('GET', `/v1/access/${idle}`);
    await ok('POST', `/v1/proposals/${proposal.id}/apply`, { body: {} });
    expect((await ok('GET', `/v1/access/${idle}`)).state).toBe('revoked');
    await ok('POST', `/v1/proposals/${proposal.id}/rollback`, { body: { reason: 'the report' } });
    const { items } = await ok('GET', '/v1/access?identity=pay&state=active');
    expect(items).toMatchObject([{ scopes: before.scopes, expires_at: before.expires_at }]);
  });

  test('tokens that live far longer than they are used are to live shorter, where their age is known', async () => {
    const access = await machine('pay', ['s1']);
    await days(40);
    await told();
    const lifetime = async (oldestAge: number | undefined, unagedAt?: number): Promise<unknown> => {
      await used(access, ['s1']);
      const [row] = await authority.storage.usage.ofAccess([access]);
      if (row === undefined) throw new Error('nothing was counted');
      const aged = {
        ...(oldestAge === undefined ? {} : { oldestAge }),
        ...(unagedAt === undefined ? {} : { unagedAt }),
      };
      await authority.storage.usage.put([{ ...row, ...aged }]);
      await round();
      return (await proposals('kind=shorten&state=open'))[0]?.change.token_lifetime;
    };
    const now = authority.clock.now();
    expect(await lifetime(undefined, now)).toBeUndefined();
    expect(await lifetime(40, now - 5 * DAY)).toBeUndefined();
    expect(await lifetime(500)).toBeUndefined();
    expect(await lifetime(70, now - 35 * DAY)).toEqual({ from: 600, to: 180 });
    const [{ id }] = await proposals('kind=shorten&state=open');
    await ok('POST', `/v1/proposals/${id}/apply`, { body: {} });
    expect((await ok('GET', `/v1/access/${access}`)).token_lifetime).toBe(180);
    await ok('POST', `/v1/proposals/${id}/rollback`, { body: {} });
    expect((await ok('GET', `/v1/access/${access}`)).token_lifetime).toBeNull();
  });

  test('an identity that nobody uses is retired in phases, and kept when it is called', async () => {
    await machine('old');
    await days(40);
    await told();
    await round();
    const [proposal, ...more] = await proposals();
    expect(more).toEqual([]);
    expect(proposal).toMatchObject({ kind: 'retire', subject: { kind: 'identity' } });
    await ok('POST', `/v1/proposals/${proposal.id}/apply`, { body: {} });
    expect(await ok('GET', '/v1/identities/old')).toMatchObject({ state: 'decommissioning' });
    const identity = await authority.storage.identities.byClientId('old');
    if (identity === undefined) throw new Error('it is gone');
    authority.deps.ending.saw(
      identity,
      { resourceServer: API, instance: undefined, source: '10.0.0.1', userAgent: 'curl/8' },
      'let_through',
      authority.clock.now(),
    );
    await authority.deps.ending.flush();
    authority.clock.advance(120_000);
    await watch('restore');
    expect((await ok('GET', `/v1/proposals/${proposal.id}`)).state).toBe('rolled_back');
    expect(await ok('GET', '/v1/identities/old')).toMatchObject({ state: 'active' });
  });

  test('a secret beside a key that took its place is suspended, and resumed', async () => {
    await machine('pay');
    const secret = credential;
    const federated = { type: 'spiffe', spiffe_id: 'spiffe://test/pay' };
    const made = await authority.call('POST', '/v1/identities/pay/credentials', { body: federated });
    const key = made.status === 201 ? made.body.id : await tlsCredential();
    await days(40);
    await authority.storage.credentialUse.note(key, authority.clock.now());
    await authority.storage.settings.setOnce('credential_use.since', String(START));
    await round();
    const [proposal] = await proposals('kind=upgrade&state=open');
    expect(proposal).toMatchObject({ subject: { id: secret }, change: { in_favour_of: key } });
    await ok('POST', `/v1/proposals/${proposal.id}/apply`, { body: {} });
    expect((await ok('GET', `/v1/credentials/${secret}`)).state).toBe('suspended');
    await ok('POST', `/v1/proposals/${proposal.id}/rollback`, { body: {} });
    expect((await ok('GET', `/v1/credentials/${secret}`)).state).toBe('active');
  });

  test('a secret that leaked does not come back by itself, however often it is missed', async () => {
    const [secret, proposal] = await suspendedSecret();
    await ok('POST', '/v1/leaks', { body: { secret, where: 'a.env' } });
    await refusedAsSuspended();
    await watch('restore');
    expect((await ok('GET', `/v1/credentials/${credential}`)).state).toBe('suspended');
    expect(await ok('GET', `/v1/proposals/${proposal}`)).toMatchObject({ state: 'settled' });
  });

  test('what somebody changed since does not come back by itself, and people may still give it back', async () => {
    const [, proposal] = await suspendedSecret();
    const headers = { 'If-Match': '*' };
    for (const state of ['active', 'suspended'])
      await ok('PATCH', `/v1/credentials/${credential}`, { body: { state }, headers });
    await refusedAsSuspended();
    await watch('restore');
    expect((await ok('GET', `/v1/credentials/${credential}`)).state).toBe('suspended');
    expect(await ok('GET', `/v1/proposals/${proposal}`)).toMatchObject({ state: 'applied', refusals: 1 });
    await ok('POST', `/v1/proposals/${proposal}/rollback`, { body: {} });
    expect((await ok('GET', `/v1/credentials/${credential}`)).state).toBe('active');
  });
});

/** A secret beside which a key is used, suspended by its proposal. */
async function suspendedSecret(): Promise<readonly [string, string]> {
  await machine('pay');
  const made = await ok('POST', '/v1/identities/pay/credentials', { body: { type: 'client_secret' } });
  credential = made.id;
  const key = await tlsCredential();
  await days(40);
  await authority.storage.credentialUse.note(key, authority.clock.now());
  await authority.storage.settings.setOnce('credential_use.since', String(START));
  await round();
  const open = await proposals('kind=upgrade&state=open');
  const proposal = open.find((each) => each.subject.id === credential);
  await ok('POST', `/v1/proposals/${proposal.id}/apply`, { body: {} });
  return [made.secret, proposal.id];
}

async function refusedAsSuspended(): Promise<void> {
  authority.clock.advance(120_000);
  await authority.log.append({
    id: `evt_${authority.clock.now()}`,
    at: new Date(authority.clock.now()).toISOString(),
    type: 'token.refused',
    outcome: 'refused',
    identity: 'pay',
    reason: 'credential_suspended',
  });
}

async function tlsCredential(): Promise<string> {
  const { publicKey } = (await import('node:crypto')).generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = { type: 'private_key_jwt', jwk: { ...publicKey.export({ format: 'jwk' }), alg: 'ES256' } };
  return (await ok('POST', '/v1/identities/pay/credentials', { body })).id;
}
