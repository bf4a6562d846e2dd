import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { newRequest } from '../../../test/issuing.ts';

let authority: Authority;
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function identity(client_id: string, change: Record<string, unknown> = {}): Promise<string> {
  const body = identityBody(client_id, { client_id, environment: 'prod', ...change });
  const made = await authority.call('POST', '/v1/identities', { body });
  expect(made.status, made.text).toBe(201);
  return made.body.id;
}
const issue = (of: string, more: Record<string, unknown> = {}): Promise<Answer> =>
  authority.call('POST', `/v1/identities/${of}/certificates`, { body: { csr: newRequest(), ...more } });
/** Nothing was made: neither a certificate nor the credential that it would have served. */
async function expectNothingMade(of: string): Promise<void> {
  for (const noun of ['certificates', 'credentials'])
    expect((await authority.call('GET', `/v1/${noun}?identity=${of}`)).body.items).toEqual([]);
  expect(
    authority.log.events.filter(
      ({ type, outcome }) => type.startsWith('certificate.') && outcome === 'success',
    ),
  ).toEqual([]);
}
const policy = (rule: string, parameters: object, more: object = {}): Promise<Answer> =>
  authority.call('POST', '/v1/policies', {
    body: { name: rule, rule, parameters, mode: 'enforce', ...more },
  });

describe('policies on certificates', () => {
  beforeEach(async () => {
    authority = await openAuthority();
    await identity('payments');
  });

  test('a method that is not allowed gets none, and nothing is made', async () => {
    expect((await policy('methods_allowed', { methods: ['private_key_jwt'] })).status).toBe(201);
    const refused = await issue('payments');
    expect([refused.status, refused.body.code], refused.text).toEqual([403, 'refused_by_policy']);
    await expectNothingMade('payments');
  });

  test('one that is allowed gets one', async () => {
    await policy('methods_allowed', { methods: ['tls_client_auth'] });
    const issued = await issue('payments');
    expect(issued.status, issued.text).toBe(201);
  });

  test('a policy that only warns is told with the certificate', async () => {
    await policy('methods_allowed', { methods: ['private_key_jwt'] }, { mode: 'warn' });
    const issued = await issue('payments');
    expect(issued.status, issued.text).toBe(201);
    expect(issued.body.warnings).toHaveLength(1);
  });
});

test('a method that the deployment refuses in an environment gets none there', async () => {
  authority = await openAuthority({
    refusedMethods: new Map([['prod', new Set(['tls_client_auth' as const])]]),
  });
  await identity('payments');
  await identity('tester', { environment: 'test' });
  const refused = await issue('payments');
  expect([refused.status, refused.body.code], refused.text).toEqual([403, 'refused_by_policy']);
  await expectNothingMade('payments');
  expect((await issue('tester')).status).toBe(201);
});

describe('approvals before certificates', () => {
  beforeEach(async () => {
    authority = await openAuthority();
    const body = {
      name: 'all',
      subject: 'identity',
      match: { environments: ['prod'] },
      steps: [{ quorum: 1, roles: ['approver'] }],
    };
    const made = await authority.call('POST', '/v1/approval-rules', { body });
    expect(made.status, made.text).toBe(201);
  });

  test('who waits for approval gets none; who is approved gets one', async () => {
    const id = await identity('payments');
    const shown = await authority.call('GET', `/v1/identities/${id}`);
    expect(shown.body.state).toBe('requested');
    const early = await issue('payments');
    expect([early.status, early.body.code], early.text).toEqual([409, 'illegal_transition']);
    await expectNothingMade('payments');
    const approved = await authority.call('POST', `/v1/identities/${id}/approve`, {
      token: await authority.personToken('kim', ['approver']),
      body: { content_hash: shown.body.pending.content_hash },
    });
    expect(approved.status, approved.text).toBe(200);
    expect((await issue('payments')).status).toBe(201);
  });
});
