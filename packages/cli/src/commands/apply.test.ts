import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Asked, fakeAuthority, problem, runAgainst } from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const SECRET = 'csk_AAAAAAAA_0123456789abcdefghijABCDEFGHIJ01';

const YAML = `# two objects
apiVersion: countersign/v1
kind: ResourceServer
metadata: { name: fraud }
spec:
  identifier: https://fraud.example
  scopes: [{ name: "fraud:read" }]
---
apiVersion: countersign/v1
kind: Credential
metadata: { name: main }
spec:
  identity: payments
  type: client_secret
  secretFile: secrets/payments.secret
`;

function folderWith(yaml = YAML): string {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'declared'));
  writeFileSync(join(cwd, 'declared/authority.yaml'), yaml);
  return cwd;
}

const CHANGES = [
  {
    op: 'create',
    kind: 'ResourceServer',
    name: 'https://fraud.example',
    before: null,
    after: { name: 'fraud' },
    fields: ['name'],
  },
  {
    op: 'update',
    kind: 'Access',
    name: 'a → b',
    before: { scopes: ['x'] },
    after: { scopes: ['x', 'y'] },
    fields: ['scopes'],
  },
];
const PLAN = { dry_run: true, changes: CHANGES };
const SHOWN = `+ ResourceServer https://fraud.example
    name: fraud
~ Access a → b
    scopes: ["x"] → ["x","y"]
1 to add, 1 to change, 0 to end.
`;

const answering =
  (changes: object[], secrets: object[] = []) =>
  ({ path }: Asked): object =>
    path.includes('dry_run') ? { dry_run: true, changes } : { changes, secrets };

test('plan shows what would change and ends with 6', async () => {
  const authority = fakeAuthority({ 'POST /v1/apply': PLAN });
  const { code, out } = await runAgainst(authority, ['plan', '-f', 'declared'], { cwd: folderWith() });
  expect({ code, out }).toEqual({ code: 6, out: SHOWN });
  expect(authority.asked.map(({ path }) => path)).toEqual(['/v1/apply?dry_run=true']);
});

test('plan ends with 0 where there is nothing to change', async () => {
  const authority = fakeAuthority({ 'POST /v1/apply': { dry_run: true, changes: [] } });
  const { code, out } = await runAgainst(authority, ['plan', '-f', 'declared'], { cwd: folderWith() });
  expect({ code, out }).toEqual({ code: 0, out: 'Nothing to change.\n' });
});

test('plan on a terminal is coloured: green for new, yellow for changed, red for ended', async () => {
  const authority = fakeAuthority({
    'POST /v1/apply': { dry_run: true, changes: [...CHANGES, { ...CHANGES[0], op: 'delete' }] },
  });
  const { out } = await runAgainst(authority, ['plan', '-f', 'declared'], {
    cwd: folderWith(),
    terminal: true,
  });
  expect(out).toContain('\u001b[32m+ ResourceServer');
  expect(out).toContain('\u001b[33m~ Access');
  expect(out).toContain('\u001b[31m- ResourceServer');
});

test('apply makes the secret file that is not there, 0600, and never prints the secret', async () => {
  const cwd = folderWith();
  const secrets = [{ name: 'main', identity: 'payments', secret: SECRET }];
  const authority = fakeAuthority({ 'POST /v1/apply': answering(CHANGES, secrets) });
  const { code, out, err } = await runAgainst(authority, ['apply', '-f', 'declared/authority.yaml'], { cwd });
  const file = join(cwd, 'declared/secrets/payments.secret');
  expect({ code, out, err }).toEqual({
    code: 0,
    out: SHOWN,
    err: `The secret of payments/main is in ${file} (mode 0600).\n`,
  });
  expect(readFileSync(file, 'utf8')).toBe(`${SECRET}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { documents } = JSON.parse(authority.asked[0]?.body ?? '') as { documents: { spec: object }[] };
  expect(documents[1]?.spec).toEqual({ identity: 'payments', type: 'client_secret' });
});

test('apply sends the secret of a file that is there', async () => {
  const cwd = folderWith();
  mkdirSync(join(cwd, 'declared/secrets'));
  const secret = 'csk_GS5BTzhR_Cq1MXTB9VMxJ2PPShyN5KNp6cXqMKrNr3vWyOK';
  writeFileSync(join(cwd, 'declared/secrets/payments.secret'), `${secret}\n`);
  const authority = fakeAuthority({ 'POST /v1/apply': answering([]) });
  const { err } = await runAgainst(authority, ['apply', '-f', 'declared'], { cwd });
  // Not a real one, and the contract sees that: it is told by its place, and not shown.
  expect(err).toMatch(/^error: declared\/authority.yaml:\d+:\d+: spec.secret must be a client secret/);
  expect(err).not.toContain(secret);
});

test('a credential that exists leaves no empty file behind', async () => {
  const cwd = folderWith();
  const { err } = await runAgainst(
    fakeAuthority({ 'POST /v1/apply': answering([]) }),
    ['apply', '-f', 'declared'],
    { cwd },
  );
  expect(err).toBe(
    'No secret came for payments/main: it exists, and its secret was told when it was made.\n',
  );
  expect(existsSync(join(cwd, 'declared/secrets/payments.secret'))).toBe(false);
});

test('secrets that were made before it stopped are kept', async () => {
  const cwd = folderWith();
  const stopped = ({ path }: Asked): object =>
    path.includes('dry_run')
      ? PLAN
      : problem('unavailable', 503, { secrets: [{ name: 'main', identity: 'payments', secret: SECRET }] });
  const { code } = await runAgainst(
    fakeAuthority({ 'POST /v1/apply': stopped }),
    ['apply', '-f', 'declared'],
    { cwd },
  );
  expect(code).toBe(7);
  expect(readFileSync(join(cwd, 'declared/secrets/payments.secret'), 'utf8')).toBe(`${SECRET}\n`);
});

test('what would end something needs a yes', async () => {
  const ending = [{ op: 'delete', kind: 'Access', name: 'a → b', before: {}, after: null, fields: [] }];
  const authority = fakeAuthority({ 'POST /v1/apply': answering(ending) });
  const { code, err } = await runAgainst(authority, ['apply', '-f', 'declared', '--prune'], {
    cwd: folderWith(),
  });
  expect(code).toBe(6);
  expect(err).toBe(
    '- Access a → b\n0 to add, 0 to change, 1 to end.\nNothing was changed. To do it: the same with --yes\n',
  );
  expect(authority.asked).toHaveLength(1);
  const done = await runAgainst(authority, ['apply', '-f', 'declared', '--prune', '--yes'], {
    cwd: folderWith(),
  });
  expect(done.code).toBe(0);
});

test('mistakes are told with file and line, before anything is sent', async () => {
  const authority = fakeAuthority();
  const fault = async (yaml: string): Promise<string> => {
    const { code, err } = await runAgainst(authority, ['plan', '-f', 'declared'], { cwd: folderWith(yaml) });
    expect(code).toBe(2);
    return err;
  };
  expect(await fault('a: [')).toMatch(/^error: declared\/authority.yaml:1:5 is not YAML/);
  expect(await fault('- 1')).toMatch(/^error: declared\/authority.yaml:1:1 is not an object/);
  expect(await fault('')).toMatch(/^error: There is no document in declared/);
  expect(await fault(YAML.replace('https://fraud.example', 'fraud'))).toBe(
    'error: declared/authority.yaml:6:3: spec.identifier must be an absolute URI without fragment\n',
  );
  expect(await fault(YAML.replace('secretFile: secrets/payments.secret', `secret: ${SECRET}`))).toMatch(
    /^error: declared\/authority.yaml:15:3 holds a secret/,
  );
  expect(await fault(YAML.replace('identifier:', 'identifer:'))).toBe(
    [
      'error: declared/authority.yaml:6:3: spec.identifier is missing',
      'declared/authority.yaml:6:3: unknown member spec.identifer: did you mean identifier\n',
    ].join('\n'),
  );
  expect(authority.asked).toEqual([]);
});

test('all mistakes of a document are told at once, its missing end too', async () => {
  const yaml = `apiVersion: countersign/v1
kind: Access
metadata: { name: a }
spec:
  identity: payments
  resourceServer: fraud
  scopes: [fraud:read]
  justification: scores
`;
  const { code, err } = await runAgainst(fakeAuthority(), ['plan', '-f', 'declared'], {
    cwd: folderWith(yaml),
  });
  expect(code).toBe(2);
  expect(err).toContain('spec.resource_server is missing');
  expect(err).toContain(
    'authority.yaml:6:3: unknown member spec.resourceServer: did you mean resource_server',
  );
  expect(err).toContain('spec.expires_at or spec.expires_in is missing');
  const named = yaml.replace('resourceServer', 'resource_server').concat('  expires_in: 9d\n');
  const other = await runAgainst(fakeAuthority(), ['plan', '-f', 'declared'], { cwd: folderWith(named) });
  expect(other.err).toContain('or the id (rsv_…), not a name');
});

test('a wrong word or a wrong kind of value is told with what may stand there', async () => {
  const yaml = `apiVersion: countersign/v1
kind: Identity
metadata: { name: a }
spec:
  kind: servce
  environment: dev
  purpose: pays
  owner: ann
  expires_in: 90
`;
  const told = async (text: string): Promise<string> =>
    (await runAgainst(fakeAuthority(), ['plan', '-f', 'declared'], { cwd: folderWith(text) })).err;
  const err = await told(yaml);
  expect(err).toMatch(/:5:3: spec\.kind: "servce" is not among service, job, .*: did you mean service\n/);
  expect(err).toContain(':8:3: spec.owner must be an object of person, backup, team, not text\n');
  expect(err).toContain(':9:3: spec.expires_in must be text, not a number\n');
  expect(await told(yaml.replace('Identity', 'Identty'))).toMatch(
    /:2:1: kind: "Identty" is not among Person, .*: did you mean Identity\n/,
  );
});

test('what the API refuses is told with file and line too', async () => {
  const refused = () =>
    problem('validation_failed', 400, {
      errors: [{ pointer: '/documents/0/spec/scopes', detail: 'is in use' }],
    });
  const { code, err } = await runAgainst(
    fakeAuthority({ 'POST /v1/apply': refused }),
    ['plan', '-f', 'declared'],
    {
      cwd: folderWith(),
    },
  );
  expect(code).toBe(2);
  expect(err).toBe('error: declared/authority.yaml:7:3: spec.scopes: is in use\n');
});

test('export writes documents that can be read back', async () => {
  const documents = [
    { apiVersion: 'countersign/v1', kind: 'Access', metadata: { name: 'a\u202E' }, spec: {} },
  ];
  const { out, err } = await runAgainst(fakeAuthority({ 'GET /v1/export': { documents } }), ['export']);
  expect(out).toBe(
    '---\napiVersion: countersign/v1\nkind: Access\nmetadata:\n  name: "a\\u202e"\nspec: {}\n',
  );
  expect(err).toBe('1 objects, without secrets.\n');
});
