import { expect, test } from 'vitest';
import { fakeAuthority, json, runAgainst } from '../../test/fake-authority.ts';

const FRAUD = {
  id: 'rsv_1',
  identifier: 'https://fraud.example',
  name: 'fraud',
  scopes: [{ name: 'fraud:read' }],
};

test('scopes are given with their descriptions, and are what the API gets', async () => {
  const authority = fakeAuthority({ 'POST /v1/resource-servers': () => json(FRAUD, { status: 201 }) });
  const { code, out, err } = await runAgainst(authority, [
    'resource-servers',
    'create',
    '--identifier=https://fraud.example',
    '--name=fraud',
    '--signing-alg=RS256',
    '--scope=fraud:read=read scores, all=of them',
    '--scope=fraud:write',
    '--token-lifetime=300',
    '--output=name',
  ]);
  expect({ code, out, err }).toEqual({
    code: 0,
    out: 'https://fraud.example\n',
    err: 'Created https://fraud.example\n',
  });
  expect(JSON.parse(authority.asked[0]?.body ?? '')).toEqual({
    identifier: 'https://fraud.example',
    name: 'fraud',
    scopes: [{ name: 'fraud:read', description: 'read scores, all=of them' }, { name: 'fraud:write' }],
    token: { lifetime: 300, signing_alg: 'RS256' },
  });
});

test('an identifier reaches the API as one path segment', async () => {
  const authority = fakeAuthority({ 'GET /v1/resource-servers/https://fraud.example': FRAUD });
  expect((await runAgainst(authority, ['resource-servers', 'get', 'https://fraud.example'])).code).toBe(0);
  expect(authority.asked[0]?.path).toBe('/v1/resource-servers/https%3A%2F%2Ffraud.example');
});

test('deleting is shown first', async () => {
  const change = {
    op: 'delete',
    kind: 'ResourceServer',
    name: 'https://fraud.example',
    before: {},
    after: null,
    fields: [],
  };
  const authority = fakeAuthority({
    'GET /v1/resource-servers/https://fraud.example': FRAUD,
    'DELETE /v1/resource-servers/https://fraud.example': { dry_run: true, changes: [change] },
  });
  const { code, err } = await runAgainst(authority, ['resource-servers', 'delete', 'https://fraud.example']);
  expect(code).toBe(6);
  expect(err).toContain('- ResourceServer https://fraud.example\n0 to add, 0 to change, 1 to end.\n');
  expect(authority.asked[1]).toMatchObject({
    method: 'DELETE',
    path: expect.stringContaining('dry_run=true') as string,
  });
  expect(authority.asked[1]?.headers['if-match']).toBe('"3"');
});

test('a number that is none is a usage error', async () => {
  const { code, err } = await runAgainst(fakeAuthority(), [
    'resource-servers',
    'update',
    'rsv_1',
    '--token-lifetime',
    '5m',
  ]);
  expect(code).toBe(2);
  expect(err).toBe('error: --token-lifetime takes a number, not 5m.\n');
});
