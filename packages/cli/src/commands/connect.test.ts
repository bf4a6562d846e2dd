import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeAuthority, json, problem, type Reply, runAgainst } from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const END = '2027-02-19T12:00:00.000Z';
const FRAUD = {
  id: 'rsv_0123456789abcdefghij',
  identifier: 'https://fraud.example',
  name: 'fraud',
  scopes: [],
};
const IDENTITY = { id: 'idn_0123456789abcdefghij', client_id: 'payments', state: 'active', expires_at: END };
const ACCESS = { id: 'acs_0123456789abcdefghij', scopes: ['fraud:read'], expires_at: END };
const CREDENTIAL = { id: 'crd_0123456789abcdefghij', expires_at: END };
const SECRET = 'csk_AAAAAAAA_secretsecret';

const ROUTES: Readonly<Record<string, Reply>> = {
  'GET /v1/resource-servers': { items: [FRAUD, { ...FRAUD, name: 'fraud-eu' }], next_cursor: null },
  'POST /v1/identities': () => json(IDENTITY, { status: 201 }),
  'POST /v1/access': () => json(ACCESS, { status: 201 }),
  'POST /v1/identities/idn_0123456789abcdefghij/credentials': () =>
    json({ ...CREDENTIAL, secret: SECRET }, { status: 201 }),
};

const CONNECT = [
  'connect',
  'payments',
  '--to',
  'fraud',
  '--scopes',
  'fraud:read',
  '--owner',
  'ada',
  '--for',
  '90d',
];

test('identity, access and credential are made; the secret is in a file of its own and nowhere else', async () => {
  const cwd = temporaryFolder();
  const authority = fakeAuthority(ROUTES);
  const { code, out, err } = await runAgainst(authority, CONNECT, { cwd });
  expect(code).toBe(0);
  expect(authority.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /v1/resource-servers?text=fraud',
    'POST /v1/identities',
    'POST /v1/access',
    'POST /v1/identities/idn_0123456789abcdefghij/credentials',
  ]);
  const bodies = authority.asked.slice(1).map(({ body }) => JSON.parse(body) as unknown);
  expect(bodies).toEqual([
    {
      name: 'payments',
      client_id: 'payments',
      kind: 'service',
      environment: 'dev',
      purpose: 'Calls fraud',
      owner: { person: 'ada' },
      expires_at: END,
    },
    {
      identity: IDENTITY.id,
      resource_server: 'https://fraud.example',
      scopes: ['fraud:read'],
      justification: 'Calls fraud',
      expires_at: END,
    },
    { type: 'client_secret', label: 'payments' },
  ]);
  const file = join(cwd, 'payments.secret');
  expect(readFileSync(file, 'utf8')).toBe(`${SECRET}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(out + err).not.toContain(SECRET);
  expect(err).toContain('payments may use fraud:read at https://fraud.example\n');
  expect(out.match(/^── .+$/gm)).toEqual([
    '── curl',
    '── TypeScript (npm install @countersign/client)',
    '── Python (standard library)',
    '── Go (standard library)',
    '── Java (17 or later, standard library; save as Call.java, run with: java Call.java)',
  ]);
});

test('one language is printed as a program that can be piped on', async () => {
  const { out } = await runAgainst(fakeAuthority(ROUTES), [...CONNECT, '--language', 'typescript'], {
    cwd: temporaryFolder(),
  });
  expect(out).toBe(`import { readFileSync } from 'node:fs';
import { createClient } from '@countersign/client';

const client = createClient({
  issuer: 'https://authority.example',
  clientId: 'payments',
  clientSecret: readFileSync('payments.secret', 'utf8').trim(),
  resource: 'https://fraud.example',
  scope: 'fraud:read',
});
const response = await client.fetch('https://fraud.example');
console.log(response.status, await response.text());
await client.close();
`);
});

test('as JSON: what was made without its secret, where that is, and the calls', async () => {
  const cwd = temporaryFolder();
  const { out } = await runAgainst(fakeAuthority(ROUTES), [...CONNECT, '-o', 'json'], { cwd });
  expect(out).not.toContain(SECRET);
  const answer = JSON.parse(out) as Record<string, unknown>;
  expect(answer).toMatchObject({ identity: IDENTITY, access: ACCESS, credential: CREDENTIAL });
  expect(answer['secret_file']).toBe(join(cwd, 'payments.secret'));
  expect(Object.keys(answer['calls'] as object)).toEqual(['curl', 'typescript', 'python', 'go', 'java']);
});

test('a file that is there is never overwritten, and nothing is made', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'payments.secret'), 'old');
  const authority = fakeAuthority(ROUTES);
  const { code, err } = await runAgainst(authority, CONNECT, { cwd });
  expect(code).toBe(5);
  expect(err).toContain('may hold the only copy of a secret');
  expect(authority.asked.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('on a terminal the secret may be shown in place of a file; elsewhere it is refused', async () => {
  const cwd = temporaryFolder();
  const shown = await runAgainst(fakeAuthority(ROUTES), [...CONNECT, '--show-secret'], { cwd, answers: [] });
  expect(shown.err).toContain(`secret, shown only now: ${SECRET}\n`);
  expect(existsSync(join(cwd, 'payments.secret'))).toBe(false);
  const piped = await runAgainst(fakeAuthority(ROUTES), [...CONNECT, '--show-secret'], { cwd });
  expect(piped).toMatchObject({ code: 2, out: '' });
});

test('an identity that exists is a conflict (5), and the file is given up', async () => {
  const cwd = temporaryFolder();
  const taken = () => problem('already_exists', 409, { existing: IDENTITY.id });
  const { code, err } = await runAgainst(
    fakeAuthority({ ...ROUTES, 'POST /v1/identities': taken }),
    CONNECT,
    { cwd },
  );
  expect(code).toBe(5);
  expect(err).toContain(`what is there: ${IDENTITY.id}`);
  expect(existsSync(join(cwd, 'payments.secret'))).toBe(false);
});

test('where it stops half way, it says what is there and how to go on', async () => {
  const cwd = temporaryFolder();
  const refused = () => problem('unknown_scope', 422, { detail: 'fraud has no scope fraud:rad' });
  const { code, err } = await runAgainst(fakeAuthority({ ...ROUTES, 'POST /v1/access': refused }), CONNECT, {
    cwd,
  });
  expect(code).toBe(2);
  expect(err).toContain(
    'fraud has no scope fraud:rad\npayments was created; it has no access and no credential.',
  );
  expect(err).toContain('countersign identities decommission payments');
  expect(existsSync(join(cwd, 'payments.secret'))).toBe(false);
});

test('an API that nobody knows is not found (3), with those that are alike', async () => {
  const { code, err } = await runAgainst(fakeAuthority(ROUTES), [
    ...CONNECT.slice(0, 3),
    'fra',
    ...CONNECT.slice(4),
  ]);
  expect(code).toBe(3);
  expect(err).toContain('There is no API called fra.\nfix: Did you mean https://fraud.example');
});

test('a dry run shows the three and makes none', async () => {
  const change = {
    op: 'create',
    kind: 'Identity',
    name: 'payments',
    before: null,
    after: { kind: 'service' },
    fields: ['kind'],
  };
  const authority = fakeAuthority({ ...ROUTES, 'POST /v1/apply': { dry_run: true, changes: [change] } });
  const { code, out } = await runAgainst(authority, [...CONNECT, '--dry-run'], { cwd: temporaryFolder() });
  expect({ code, out }).toEqual({
    code: 0,
    out: '+ Identity payments\n    kind: service\n1 to add, 0 to change, 0 to end.\n',
  });
  expect(authority.asked.at(-1)?.path).toBe('/v1/apply?dry_run=true');
});
