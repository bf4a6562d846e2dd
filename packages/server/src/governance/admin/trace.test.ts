import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  resourceServerBody,
} from '../../../test/authority.ts';

const FRAUD = 'https://fraud.test/api';
const LEDGER = 'https://ledger.test/api';
const MINUTE = 60_000;

let authority: Authority;
let credential: string;
let access: string;
beforeEach(async () => {
  authority = await openAuthority();
  for (const api of [FRAUD, LEDGER]) {
    const body = resourceServerBody(api, ['read', 'write', 'usage:write']);
    await authority.call('POST', '/v1/resource-servers', { body });
  }
  await authority.call('POST', '/v1/identities', { body: identityBody('pay', { client_id: 'pay' }) });
  const made = await authority.call('POST', '/v1/identities/pay/credentials', {
    body: { type: 'client_secret' },
  });
  credential = made.body.id;
  const given = await authority.call('POST', '/v1/access', {
    body: accessBody('pay', FRAUD, ['read', 'write']),
  });
  access = given.body.id;
  authority.clock.advance(MINUTE);
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

/** The event that the token endpoint writes. */
async function issue(jti: string, change: Record<string, unknown> = {}): Promise<void> {
  await authority.log.append({
    id: jti,
    at: new Date(authority.clock.now()).toISOString(),
    type: 'token.issued',
    outcome: 'success',
    request_id: `req_${jti}`,
    identity: 'pay',
    credential,
    access,
    resource: FRAUD,
    scopes_asked: 'read write other',
    scopes_held: 'read write',
    jti,
    lifetime: 600,
    method: 'client_secret_basic',
    source: '192.0.2.7',
    instance: 'pod-1',
    node: 'test',
    ...change,
  });
}

async function exchanged(jti: string, row: readonly string[], change: object = {}): Promise<void> {
  const detail = JSON.stringify({ act: { sub: 'x' }, exchanged: row, sub: 'pay' });
  await issue(jti, { identity: 'fraud-api', parent: row[0], resource: LEDGER, detail, ...change });
}

async function trace(jti: string): Promise<Answer['body']> {
  const answer = await authority.call('GET', `/v1/tokens/${jti}/trace`);
  expect(answer.status, answer.text).toBe(200);
  expect(operations['tokens.trace'].response.parse(answer.body)).toEqual(answer.body);
  return answer.body;
}
const told = (body: Answer['body']): string[] =>
  body.rows.map((row: { stage: string; event: { type: string } | null }) => row.event?.type ?? row.stage);

test('the story of a token is told in its order, each row with its event', async () => {
  await issue('jti-1');
  authority.clock.advance(MINUTE);
  await authority.call('POST', '/v1/cutoffs', {
    body: { kind: 'credential', id: credential, reason: 'in a log' },
  });
  const body = await trace('jti-1');
  expect(told(body)).toEqual([
    'identity.created',
    'credential.created',
    'access.created',
    'token.issued',
    'credential.revoked',
    'cutoff.ordered',
  ]);
  expect(body).toMatchObject({
    token: {
      identity: 'pay',
      subject: 'pay',
      credential,
      access,
      resource_server: FRAUD,
      scopes: ['read', 'write'],
      scopes_asked: ['read', 'write', 'other'],
      method: 'client_secret_basic',
      source: '192.0.2.7',
      instance: 'pod-1',
      issued_at: '2026-11-21T12:01:00.250Z',
      expires_at: '2026-11-21T12:11:00.000Z',
    },
    cut_off_at: '2026-11-21T12:02:00.250Z',
    identity: { client_id: 'pay', state: 'active', owner: { person: 'ada', backup: 'bea', team: 'core' } },
    access: { id: access, version: 1, requested_by: 'admin', approved_by: 'admin', approvals: [] },
    credential: { id: credential, type: 'client_secret', made_by: 'admin', state_now: 'revoked' },
    use: { state: 'unknown' },
    complete: true,
  });
  for (const { event, who } of body.rows) {
    const found = authority.log.events.find(({ seq }) => seq === event.seq);
    expect(found).toMatchObject({ id: event.id, type: event.type, identity: who });
  }
  expect(body.notes[0]).toContain('not by token');
});

test('identity and access are told as they were then, not as they are', async () => {
  await issue('jti-1');
  authority.clock.advance(20 * MINUTE);
  const etag = (await authority.call('GET', `/v1/access/${access}`)).headers['etag'] as string;
  const headers = { 'If-Match': etag };
  await authority.call('PATCH', `/v1/access/${access}`, { headers, body: { scopes: ['read'] } });
  await authority.call('PATCH', '/v1/identities/pay', {
    headers: { 'If-Match': '*' },
    body: { owner: { person: 'zoe', backup: 'bea', team: 'core' } },
  });
  const body = await trace('jti-1');
  expect(body.access).toMatchObject({ version: 1, scopes: ['read', 'write'] });
  expect(body.identity.owner.person).toBe('ada');
  // What came after its end has nothing to do with it.
  expect(told(body)).not.toContain('access.updated');
  await issue('jti-2', { scopes_held: 'read' });
  const later = await trace('jti-2');
  expect(later.access).toMatchObject({ version: 2, scopes: ['read'] });
  expect(told(later)).toContain('access.updated');
});

test('who asked and which people approved is told, with what they said', async () => {
  const steps = [{ quorum: 2, roles: ['approver'] }];
  const rule = { name: 'writes', subject: 'access', match: { resource_servers: [LEDGER] }, steps };
  const ruled = await authority.call('POST', '/v1/approval-rules', { body: rule });
  expect(ruled.status, ruled.text).toBe(201);
  const asked = await authority.call('POST', '/v1/access', { body: accessBody('pay', LEDGER, ['write']) });
  const hash = (await authority.call('GET', `/v1/access/${asked.body.id}`)).body.pending.content_hash;
  for (const handle of ['eve', 'fay']) {
    authority.clock.advance(MINUTE);
    const approved = await authority.call('POST', `/v1/access/${asked.body.id}/approve`, {
      body: { content_hash: hash, comment: 'as agreed' },
      token: await authority.personToken(handle, ['approver']),
    });
    expect(approved.status, approved.text).toBe(200);
  }
  await issue('jti-1', { access: asked.body.id, resource: LEDGER, scopes_held: 'write' });
  const body = await trace('jti-1');
  expect(told(body).slice(-4)).toEqual([
    'access.requested',
    'access.approval_given',
    'access.approved',
    'token.issued',
  ]);
  const approvals = body.rows.filter(({ stage }: { stage: string }) => stage === 'approval');
  expect(approvals.map(({ who }: { who: string }) => who)).toEqual(['person:eve', 'person:fay']);
  expect(body.access).toMatchObject({
    requested_by: 'admin',
    approvals: [
      { person: 'eve', decision: 'approve', comment: 'as agreed' },
      { person: 'fay', decision: 'approve' },
    ],
  });
});

test('a chain of exchanges is told from wherever in it one asks', async () => {
  await issue('jti-a');
  await exchanged('jti-b', ['jti-a']);
  await exchanged('jti-c', ['jti-b', 'jti-a'], { identity: 'ledger-api' });
  await issue('jti-other');
  const chainOf = async (jti: string): Promise<string[][]> => {
    const { before, token, after } = await trace(jti);
    return [before, [token], after].map((tokens) => tokens.map((each: { jti: string }) => each.jti));
  };
  expect(await chainOf('jti-a')).toEqual([[], ['jti-a'], ['jti-b', 'jti-c']]);
  expect(await chainOf('jti-b')).toEqual([['jti-a'], ['jti-b'], ['jti-c']]);
  expect(await chainOf('jti-c')).toEqual([['jti-a', 'jti-b'], ['jti-c'], []]);
  expect(await trace('jti-c')).toMatchObject({
    token: { identity: 'ledger-api', subject: 'pay', parent: 'jti-b' },
    complete: true,
  });
});

test('an order about an earlier token of the row reaches it; one about a later token does not', async () => {
  await issue('jti-a');
  await exchanged('jti-b', ['jti-a']);
  authority.clock.advance(MINUTE);
  const order = { kind: 'token', reason: 'lost' };
  await authority.call('POST', '/v1/cutoffs', { body: { ...order, id: 'jti-b' } });
  expect((await trace('jti-a')).cut_off_at).toBeNull();
  expect((await trace('jti-b')).cut_off_at).toBe('2026-11-21T12:02:00.250Z');
  authority.clock.advance(MINUTE);
  await authority.call('POST', '/v1/cutoffs', { body: { ...order, id: 'jti-a' } });
  expect(told(await trace('jti-b')).slice(-2)).toEqual(['cutoff.ordered', 'cutoff.ordered']);
});

test('an order that is forgotten with its token is still told, once', async () => {
  await issue('jti-1');
  await authority.call('POST', '/v1/cutoffs', { body: { kind: 'token', id: 'jti-1', reason: 'lost' } });
  const before = await trace('jti-1');
  await authority.storage.cutoffs.sweepTokens(authority.clock.now());
  const after = await trace('jti-1');
  expect(told(before).filter((type) => type === 'cutoff.ordered')).toHaveLength(1);
  expect(after.rows).toEqual(before.rows);
  expect(after.cut_off_at).toBe(before.cut_off_at);
});

test('orders before the token, after its end, or about another key are not told', async () => {
  await authority.call('POST', '/v1/cutoffs', { body: { kind: 'token', id: 'jti-0', reason: 'other' } });
  await issue('jti-1');
  authority.clock.advance(11 * MINUTE);
  await authority.call('POST', '/v1/cutoffs', { body: { kind: 'identity', id: 'pay', reason: 'late' } });
  const body = await trace('jti-1');
  expect(body.cut_off_at).toBeNull();
  expect(told(body)).not.toContain('cutoff.ordered');
});

test('a key that signed then and is no longer trusted is told', async () => {
  await issue('jti-1');
  const [key] = await authority.storage.signingKeys.live();
  await authority.call('POST', '/v1/cutoffs', { body: { kind: 'key', id: key?.kid, reason: 'stolen' } });
  const body = (await authority.log.find({ type: 'cutoff.ordered' }, { afterSeq: 0, limit: 9 })).length;
  expect(body).toBe(1);
  expect((await trace('jti-1')).cut_off_at).toBe('2026-11-21T12:01:00.250Z');
});

test('use is used, unused or unknown, and nothing else is claimed', async () => {
  await operator(authority, 'fraud-api', ['usage:write']);
  await authority.call('POST', '/v1/access', { body: accessBody('fraud-api', FRAUD, ['usage:write']) });
  await issue('jti-1');
  const scopesOf = async (): Promise<string[]> =>
    (await trace('jti-1')).use.scopes.map((each: { state: string }) => each.state);
  expect(await scopesOf()).toEqual(['unknown', 'unknown']);
  let from = authority.clock.now() - MINUTE;
  for (let seq = 1; seq <= 20; seq++) {
    authority.clock.advance(MINUTE);
    const to = authority.clock.now();
    const row = { credential, access, scope: 'read', ok: 2, denied: 0 };
    const sent = await authority.call('POST', '/v1/usage', {
      token: await authority.tokenFor('fraud-api'),
      body: {
        resource_server: FRAUD,
        instance: 'pod-9',
        boot: 'boot-9',
        seq,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        rows: seq === 3 ? [row] : [],
      },
    });
    expect(sent.status, sent.text).toBeLessThan(300);
    from = to;
  }
  expect(await scopesOf()).toEqual(['used', 'unused']);
  const { rows, use } = await trace('jti-1');
  expect(use.scopes[0]).toMatchObject({ scope: 'read', ok: 2, last_used: expect.any(String) });
  expect(rows.at(-1)).toMatchObject({ stage: 'use', who: FRAUD, event: null });
});

test('a token of which nothing is known is not found; what is no jti neither', async () => {
  expect((await authority.call('GET', '/v1/tokens/nobody/trace')).body).toMatchObject({ code: 'not_found' });
  expect((await authority.call('GET', '/v1/tokens/a%20b/trace')).status).toBe(404);
  await authority.call('POST', '/v1/cutoffs', { body: { kind: 'token', id: 'jti-x', reason: 'found' } });
  expect((await authority.call('GET', '/v1/tokens/jti-x/trace')).status).toBe(404);
});

test('it needs audit:read: an owner is refused, an auditor is not, nor is a machine that holds it', async () => {
  await issue('jti-1');
  const as = async (token: string): Promise<number> =>
    (await authority.call('GET', '/v1/tokens/jti-1/trace', { token })).status;
  expect(await as(await authority.personToken('ann', ['owner']))).toBe(403);
  expect(await as(await authority.personToken('aud', ['auditor']))).toBe(200);
  expect(await as(await operator(authority, 'reader', ['audit:read']))).toBe(200);
  expect(await as(await operator(authority, 'other', ['access:read']))).toBe(403);
});

test('the answer is bounded, and says when more happened', async () => {
  await issue('jti-1');
  for (let count = 0; count < 120; count++) await exchanged(`jti-c${count}`, ['jti-1']);
  for (let count = 0; count < 80; count++) {
    await authority.call('PATCH', `/v1/access/${access}`, {
      headers: { 'If-Match': '*' },
      body: { justification: `for the ${count}th time` },
    });
  }
  const body = await trace('jti-1');
  expect(body.after).toHaveLength(50);
  expect(body.complete).toBe(false);
  expect(body.rows.length).toBeLessThanOrEqual(300);
  expect(told(body)).toContain('access.created');
});
