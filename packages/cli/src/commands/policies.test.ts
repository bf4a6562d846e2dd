import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeAuthority, problem, runAgainst } from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const YAML = `apiVersion: countersign/v1
kind: Policy
metadata: { name: backups }
spec:
  rule: owner_required
  mode: report
  match: { environments: [prod] }
  tests:
    - { name: none, given: {}, expect: refuse }
---
apiVersion: countersign/v1
kind: Team
metadata: { name: core }
spec: { members: [] }
`;

function folder(yaml = YAML): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'policies.yaml'), yaml);
  return cwd;
}

const ITEM = {
  identity: 'idn_00000000000000000001',
  client_id: 'payments',
  environment: 'prod',
  owner: 'ada',
  breaches: [{ subject: { kind: 'identity', id: 'idn_00000000000000000001' }, why: 'has no backup' }],
  last_used: null,
  in_use: 'yes',
  calls: 40,
};
const SUMMARY = { text: 'would refuse 3 of 412 identities, 2 of them in use' };

test('tests of a file are run by the authority; what fails is shown, and the exit code is 1', async () => {
  const failed = [{ name: 'none', expected: 'refuse', came: 'allow', why: [] }];
  const authority = fakeAuthority({ 'POST /v1/policies/test': { passed: 0, failed } });
  const ran = await runAgainst(authority, ['policies', 'test', 'policies.yaml'], { cwd: folder() });
  expect(ran.code).toBe(1);
  expect(ran.out).toContain('backups');
  expect(ran.err).toContain('0 passed, 1 failed.');
  expect(JSON.parse(authority.asked[0]?.body ?? '')).toMatchObject({
    rule: 'owner_required',
    tests: [{ name: 'none', expect: 'refuse' }],
  });
  const fine = fakeAuthority({ 'POST /v1/policies/test': { passed: 1, failed: [] } });
  expect((await runAgainst(fine, ['policies', 'test', 'policies.yaml'], { cwd: folder() })).code).toBe(0);
});

test('what is wrong with a policy in a file is told with its line, and nobody is asked', async () => {
  const authority = fakeAuthority();
  const cwd = folder(YAML.replace('mode: report', 'mode: shout'));
  const ran = await runAgainst(authority, ['policies', 'test', 'policies.yaml'], { cwd });
  expect([ran.code, authority.asked]).toEqual([2, []]);
  expect(ran.err).toContain('policies.yaml:6:');
  const none = await runAgainst(authority, ['policies', 'test', 'policies.yaml'], {
    cwd: folder('apiVersion: countersign/v1\nkind: Team\nmetadata: { name: core }\nspec: {}\n'),
  });
  expect([none.code, none.err]).toEqual([2, expect.stringContaining('no document of kind Policy')]);
});

test('whom a proposed policy would refuse is counted on stderr and named on stdout, page after page', async () => {
  const authority = fakeAuthority({
    'POST /v1/policies/what-if': ({ body }) =>
      JSON.parse(body).cursor === undefined
        ? { summary: SUMMARY, items: [ITEM], next_cursor: 'abc' }
        : { summary: null, items: [{ ...ITEM, client_id: 'billing' }], next_cursor: null },
  });
  const args = ['policies', 'what-if', '--file', 'policies.yaml', '--within', '90d', '--all', '-o', 'name'];
  const ran = await runAgainst(authority, args, { cwd: folder() });
  expect([ran.code, ran.out]).toEqual([0, 'payments\nbilling\n']);
  expect(ran.err).toContain('Would refuse 3 of 412 identities, 2 of them in use.');
  expect(authority.asked.map(({ body }) => JSON.parse(body))).toMatchObject([
    { policy: { rule: 'owner_required', match: { environments: ['prod'] } }, within: '90d' },
    { cursor: 'abc' },
  ]);
});

test('a policy that exists is tried with its exceptions; which one has to be said', async () => {
  const id = 'pol_00000000000000000001';
  const authority = fakeAuthority({
    [`GET /v1/policies/${id}`]: { id, rule: 'inactivity', parameters: {}, match: {} },
    'POST /v1/policies/what-if': { summary: SUMMARY, items: [], next_cursor: null },
  });
  expect((await runAgainst(authority, ['policies', 'what-if', id])).code).toBe(0);
  expect(JSON.parse(authority.asked[1]?.body ?? '')).toMatchObject({ exceptions_of: id });
  expect((await runAgainst(authority, ['policies', 'what-if'])).code).toBe(2);
});

test('a test that fails is exit code 1 of apply, and a warning is told', async () => {
  const failing = fakeAuthority({ 'POST /v1/apply': () => problem('policy_test_failed', 422) });
  const cwd = folder();
  expect((await runAgainst(failing, ['apply', '-f', 'policies.yaml'], { cwd })).code).toBe(1);
  expect((await runAgainst(failing, ['plan', '-f', 'policies.yaml'], { cwd })).code).toBe(1);
  const warning = {
    policy: 'backups',
    rule: 'owner_required',
    subject: { kind: 'identity', id: 'idn_1' },
    why: 'has no backup',
  };
  const warned = fakeAuthority({
    'POST /v1/apply': ({ path }) =>
      path.includes('dry_run')
        ? { dry_run: true, changes: [] }
        : { changes: [], secrets: [], warnings: [warning] },
  });
  const ran = await runAgainst(warned, ['apply', '-f', 'policies.yaml'], { cwd });
  expect([ran.code, ran.err]).toEqual([
    0,
    expect.stringContaining('Warning: the identity has no backup: policy "backups" (owner_required)'),
  ]);
});
