import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
} from '../../../test/authority.ts';

// registry/approval/lowered-scopes.ts

const FRAUD = 'https://fraud.test/api';
const PATH = `/v1/resource-servers/${encodeURIComponent(FRAUD)}`;
const scopes = (write: number, read = 1): object => ({
  scopes: [
    { name: 'read', sensitivity: read },
    { name: 'write', sensitivity: write },
  ],
});

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
  const body = { identifier: FRAUD, name: 'Fraud', ...scopes(3) };
  await authority.call('POST', '/v1/resource-servers', { body });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

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
