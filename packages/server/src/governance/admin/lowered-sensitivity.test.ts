import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
} from '../../../test/authority.ts';
import { parseLifetimeLimits } from '../../policy/token-lifetime-limits.ts';

// registry/approval/lowered-scopes.ts

const FRAUD = 'https://fraud.test/api';
const PATH = `/v1/resource-servers/${encodeURIComponent(FRAUD)}`;
const scopes = (write: number, read = 1): { scopes: object[] } => ({
  scopes: [
    { name: 'read', sensitivity: read },
    { name: 'write', sensitivity: write },
  ],
});

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
  await declare({ identifier: FRAUD, name: 'Fraud', ...scopes(3) });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const declare = (body: object): Promise<Answer> => authority.call('POST', '/v1/resource-servers', { body });
async function policy(rule: string, parameters: object, mode = 'enforce'): Promise<void> {
  const body = { name: `${rule} ${mode}`, rule, parameters, mode };
  const made = await authority.call('POST', '/v1/policies', { body });
  expect(made.status, made.text).toBe(201);
}
async function rule(match: object): Promise<void> {
  const body = { name: 'sensitive', match, steps: [{ quorum: 1, roles: ['approver'] }] };
  const made = await authority.call('POST', '/v1/approval-rules', { body });
  expect(made.status, made.text).toBe(201);
}
const patch = (body: object, token?: string): Promise<Answer> =>
  authority.call('PATCH', PATH, {
    body,
    headers: { 'If-Match': '*' },
    ...(token === undefined ? {} : { token }),
  });
const said = ({ status, body }: Answer): unknown[] => [status, body.code];

test('nobody gets past a rule by calling a scope less sensitive, but a person with the role admin', async () => {
  await rule({ min_sensitivity: 2 });
  expect(said(await patch(scopes(1)))).toEqual([403, 'needs_people']);
  const operator = await authority.personToken('otto', ['operator']);
  expect(said(await patch(scopes(0), operator))).toEqual([403, 'not_an_approver']);
  const declared = {
    apiVersion: 'countersign/v1',
    kind: 'ResourceServer',
    metadata: { name: 'Fraud' },
    spec: { identifier: FRAUD, ...scopes(1) },
  };
  const applied = await authority.call('POST', '/v1/apply', { body: { documents: [declared] } });
  expect(said(applied), applied.text).toEqual([403, 'needs_people']);
  const asked = await authority.call('POST', '/v1/access', { body: accessBody('a', FRAUD, ['write']) });
  expect(asked.body.state).toBe('requested');
  const admin = await authority.personToken('ada', ['admin']);
  expect((await patch(scopes(1), admin)).status).toBe(200);
});

test('what is no less asked about than before is anybody’s to change who may', async () => {
  await rule({ min_sensitivity: 2 });
  for (const change of [scopes(2), scopes(3), scopes(3, 0), scopes(3, 2), { name: 'Frauds' }])
    expect((await patch(change)).status, JSON.stringify(change)).toBe(200);
});

test('rules of another API, or that ask whatever the sensitivity, hold no change up', async () => {
  await rule({ min_sensitivity: 2, resource_servers: ['https://other.test'] });
  expect((await patch(scopes(0))).status).toBe(200);
});

test.each([
  ['binding_for_sensitive_scopes', {}, 'enforce'],
  ['binding_for_sensitive_scopes', { min_sensitivity: 3 }, 'report'],
  ['review_cadence', { every: '90d', min_sensitivity: 2 }, 'warn'],
])(
  '%s %j, %s: nobody gets past a policy by calling a scope less sensitive, but an admin',
  async (asked, parameters, mode) => {
    await policy(asked, parameters, mode);
    expect(said(await patch(scopes(1)))).toEqual([403, 'needs_people']);
    const operator = await authority.personToken('otto', ['operator']);
    expect(said(await patch(scopes(1), operator))).toEqual([403, 'not_an_approver']);
    const dry = await authority.call('PATCH', `${PATH}?dry_run=true`, {
      body: scopes(1),
      headers: { 'If-Match': '*' },
    });
    expect(said(dry)).toEqual([403, 'needs_people']);
    const admin = await authority.personToken('ada', ['admin']);
    expect((await patch(scopes(1), admin)).status).toBe(200);
  },
);

test('a token that a policy refuses is not had by calling its scope less sensitive for a moment', async () => {
  await policy('binding_for_sensitive_scopes', {});
  const asked = { body: accessBody('a', FRAUD, ['write']) };
  expect(said(await authority.call('POST', '/v1/access', asked))).toEqual([403, 'refused_by_policy']);
  await patch(scopes(0));
  expect(said(await authority.call('POST', '/v1/access', asked))).toEqual([403, 'refused_by_policy']);
});

test('policies that are off, or that do not look at scopes, hold no change up', async () => {
  await policy('binding_for_sensitive_scopes', {}, 'off');
  await policy('review_cadence', { every: '90d' });
  await policy('methods_allowed', { methods: ['private_key_jwt'] });
  expect((await patch(scopes(0))).status).toBe(200);
});

test('the lifetimes that the host gives tokens by sensitivity are held the same way', async () => {
  const read = parseLifetimeLimits(['sensitivity-2=5m'], [], []);
  await authority.close();
  authority = await openAuthority({ lifetimeLimits: read.ok ? read.limits : undefined });
  await declare({ identifier: FRAUD, name: 'Fraud', ...scopes(3) });
  expect((await patch(scopes(2))).status).toBe(200);
  expect(said(await patch(scopes(1)))).toEqual([403, 'needs_people']);
});

test('a scope that is taken away and brought back is what it was called last', async () => {
  await rule({ min_sensitivity: 2 });
  const [read] = scopes(3).scopes;
  expect((await patch({ scopes: [read] })).status).toBe(200);
  expect(said(await patch(scopes(1)))).toEqual([403, 'needs_people']);
  expect((await patch({ scopes: [read, { name: 'writes', sensitivity: 0 }] })).status).toBe(200);
  expect(said(await patch(scopes(0)))).toEqual([403, 'needs_people']);
  expect((await patch(scopes(2))).status).toBe(200);
  const admin = await authority.personToken('ada', ['admin']);
  expect((await patch(scopes(1), admin)).status).toBe(200);
  expect((await patch({ scopes: [read] })).status).toBe(200);
  expect((await patch(scopes(1))).status).toBe(200);
});

test('an API that is deleted and declared again has the scopes that it had', async () => {
  await policy('binding_for_sensitive_scopes', {});
  const gone = await authority.call('DELETE', PATH, { headers: { 'If-Match': '*' } });
  expect(gone.status, gone.text).toBe(200);
  const again = { identifier: FRAUD, name: 'Fraud' };
  expect(said(await declare({ ...again, ...scopes(1) }))).toEqual([403, 'needs_people']);
  const document = {
    apiVersion: 'countersign/v1',
    kind: 'ResourceServer',
    metadata: { name: 'Fraud' },
    spec: { identifier: FRAUD, ...scopes(1) },
  };
  const applied = await authority.call('POST', '/v1/apply', { body: { documents: [document] } });
  expect(said(applied), applied.text).toEqual([403, 'needs_people']);
  expect((await declare({ identifier: 'https://other.test', name: 'Other', ...scopes(1) })).status).toBe(201);
  expect((await declare({ ...again, ...scopes(3, 0) })).status).toBe(201);
});
