import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type FakeAuthority,
  fakeAuthority,
  METADATA,
  problem,
  type Reply,
  runAgainst,
} from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const END = '2027-02-19T12:00:00.000Z';
const FRAUD = {
  id: 'rsv_0123456789abcdefghij',
  identifier: 'https://fraud.example',
  name: 'fraud',
  scopes: [{ name: 'fraud:read' }, { name: 'fraud:write' }],
};
const IDENTITY = {
  id: 'idn_0123456789abcdefghij',
  client_id: 'payments',
  kind: 'service',
  environment: 'dev',
  purpose: 'Calls fraud',
  owner: { person: 'ada' },
  state: 'active',
  security_stop: false,
  expires_at: END,
};
const ACCESS = { id: 'acs_0123456789abcdefghij', scopes: ['fraud:read'], expires_at: END };
const CREDENTIAL = { id: 'crd_0123456789abcdefghij', label: 'payments', expires_at: END };
const SECRET = 'csk_AAAAAAAA_secretsecret';

const created = (kind: string, name: string) => ({
  op: 'create',
  kind,
  name,
  before: null,
  after: { made: 'yes' },
  fields: ['made'],
});
const IDENTITY_MADE = created('Identity', 'payments');
const CREDENTIAL_MADE = created('Credential', 'payments/payments');
const ACCESS_MADE = created('Access', 'payments → https://fraud.example');
const ALL = [IDENTITY_MADE, CREDENTIAL_MADE, ACCESS_MADE];

interface Scene {
  /** Before anything is applied. */
  readonly identity?: object;
  readonly access?: object;
  /** What the plan says. */
  readonly changes?: readonly object[];
  readonly apply?: () => object;
  readonly trustedIssuer?: object;
  /** Of the token endpoint, for certificates. */
  readonly alias?: string;
  /** What was applied has to be approved by people. */
  readonly waits?: boolean;
  readonly api?: object;
}

/** An authority that knows more once documents were applied. */
function scene({
  identity,
  access,
  changes = ALL,
  apply,
  trustedIssuer,
  alias,
  waits,
  api = FRAUD,
}: Scene = {}): FakeAuthority {
  let applied = false;
  const routes: Readonly<Record<string, Reply>> = {
    'GET /v1/resource-servers': { items: [api, { ...FRAUD, name: 'fraud-eu' }], next_cursor: null },
    'GET /v1/identities/payments': () => (applied ? IDENTITY : (identity ?? problem('not_found', 404))),
    'GET /v1/access': ({ path }) => {
      const made = waits ? { ...ACCESS, state: 'requested' } : ACCESS;
      const there = [applied ? made : access].filter((each) => each !== undefined);
      return { items: waits && path.includes('state=active') ? [] : there, next_cursor: null };
    },
    ...(alias === undefined
      ? {}
      : {
          'GET /.well-known/oauth-authorization-server': {
            ...METADATA,
            mtls_endpoint_aliases: { token_endpoint: alias },
          },
        }),
    'GET /v1/trusted-issuers/tis_1': trustedIssuer ?? problem('not_found', 404),
    'GET /v1/credentials': { items: [CREDENTIAL], next_cursor: null },
    'POST /v1/apply': ({ path }) => {
      if (path.endsWith('?dry_run=true')) return { dry_run: true, changes };
      applied = true;
      const secrets = changes.includes(CREDENTIAL_MADE)
        ? [{ name: 'payments', identity: 'payments', secret: SECRET }]
        : [];
      return apply?.() ?? { changes, secrets };
    },
  };
  return fakeAuthority(routes);
}

const writes = (authority: FakeAuthority) =>
  authority.asked.filter(({ method, path }) => method !== 'GET' && !path.includes('dry_run'));

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

test('access that people have to approve first is said to wait, and everything else is made', async () => {
  const cwd = temporaryFolder();
  const { code, err } = await runAgainst(scene({ waits: true }), [...CONNECT, '--language', 'curl'], { cwd });
  expect(code).toBe(0);
  expect(err).toContain(
    'payments may use fraud:read at https://fraud.example once people have approved it: countersign approvals list --state pending\n',
  );
  expect(err).toContain('requested');
});

test('identity, credential and access are applied at once; the secret is in a file of its own and nowhere else', async () => {
  const cwd = temporaryFolder();
  const authority = scene();
  const { code, out, err } = await runAgainst(authority, CONNECT, { cwd });
  expect(code).toBe(0);
  expect(authority.asked.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).toEqual([
    'GET /v1/resource-servers',
    'GET /v1/identities/payments',
    'POST /v1/apply',
    'POST /v1/apply',
    'GET /v1/identities/payments',
    'GET /v1/access',
    'GET /v1/credentials',
  ]);
  const [plan, run] = authority.asked.filter(({ method }) => method === 'POST');
  expect(plan?.path).toBe('/v1/apply?dry_run=true');
  expect(run).toMatchObject({ path: '/v1/apply', body: plan?.body });
  const { documents } = JSON.parse(run?.body ?? '') as { documents: { kind: string; spec: object }[] };
  expect(documents.map(({ kind, spec }) => ({ kind, spec }))).toEqual([
    {
      kind: 'Identity',
      spec: {
        client_id: 'payments',
        kind: 'service',
        environment: 'dev',
        purpose: 'Calls fraud',
        owner: { person: 'ada' },
        expires_in: '90d',
      },
    },
    { kind: 'Credential', spec: { identity: 'payments', type: 'client_secret' } },
    {
      kind: 'Access',
      spec: {
        identity: 'payments',
        resource_server: 'https://fraud.example',
        scopes: ['fraud:read'],
        justification: 'Calls fraud',
        expires_in: '90d',
      },
    },
  ]);
  const file = join(cwd, 'payments.secret');
  expect(readFileSync(file, 'utf8')).toBe(`${SECRET}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(out + err).not.toContain(SECRET);
  expect(err).toContain('payments may use fraud:read at https://fraud.example\n');
  expect(err).toContain('to https://fraud.example: put the address of the API there, if it has another\n');
  expect(out.match(/^── .+$/gm)).toEqual([
    '── curl',
    '── TypeScript (@countersign/client)',
    '── Python (standard library)',
    '── Go (standard library)',
    '── Java (17 or later, standard library; save as Call.java, run with: java Call.java)',
  ]);
});

test('one language is printed as a program that can be piped on', async () => {
  const { out } = await runAgainst(scene(), [...CONNECT, '--language', 'typescript'], {
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
  const { out } = await runAgainst(scene(), [...CONNECT, '-o', 'json'], { cwd });
  expect(out).not.toContain(SECRET);
  const answer = JSON.parse(out) as Record<string, unknown>;
  expect(answer).toMatchObject({ identity: IDENTITY, access: ACCESS, credential: CREDENTIAL });
  expect(answer['secret_file']).toBe(join(cwd, 'payments.secret'));
  expect(Object.keys(answer['calls'] as object)).toEqual(['curl', 'typescript', 'python', 'go', 'java']);
});

test('a file that is there is never overwritten, and nothing is made', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'payments.secret'), 'old');
  const authority = scene();
  const { code, err } = await runAgainst(authority, CONNECT, { cwd });
  expect(code).toBe(5);
  expect(err).toContain('may hold the only copy of a secret');
  expect(writes(authority)).toEqual([]);
  const dry = await runAgainst(authority, [...CONNECT, '--dry-run'], { cwd });
  expect(dry.code).toBe(5);
});

test('on a terminal the secret may be shown in place of a file; elsewhere it is refused', async () => {
  const cwd = temporaryFolder();
  const shown = await runAgainst(scene(), [...CONNECT, '--show-secret'], { cwd, answers: [] });
  expect(shown.err).toContain(`secret, shown only now: ${SECRET}\n`);
  expect(existsSync(join(cwd, 'payments.secret'))).toBe(false);
  const piped = await runAgainst(scene(), [...CONNECT, '--show-secret'], { cwd });
  expect(piped).toMatchObject({ code: 2, out: '' });
});

test('the same again makes nothing, and says where the secret is or that another can be made', async () => {
  const cwd = temporaryFolder();
  const there = { identity: IDENTITY, access: ACCESS, changes: [] };
  const lost = await runAgainst(scene(there), CONNECT, { cwd });
  expect(lost.code).toBe(0);
  expect(lost.err).toContain('all of it was there before');
  expect(lost.err).toContain('countersign credentials create payments');
  writeFileSync(join(cwd, 'payments.secret'), 'old');
  const again = await runAgainst(scene(there), CONNECT, { cwd });
  expect(again.err).toContain('  secret      payments.secret\n');
  expect(readFileSync(join(cwd, 'payments.secret'), 'utf8')).toBe('old');
});

test('what is half made is gone on with: only what is not there is declared', async () => {
  const authority = scene({ identity: IDENTITY, changes: [CREDENTIAL_MADE, ACCESS_MADE] });
  expect((await runAgainst(authority, CONNECT, { cwd: temporaryFolder() })).code).toBe(0);
  const { documents } = JSON.parse(writes(authority)[0]?.body ?? '') as { documents: { kind: string }[] };
  expect(documents.map(({ kind }) => kind)).toEqual(['Credential', 'Access']);
});

test.each([
  [{ identity: { ...IDENTITY, owner: { person: 'grace' } } }, 'its owner is grace, not ada'],
  [{ identity: { ...IDENTITY, state: 'suspended' } }, 'Resume it first'],
  [{ identity: { ...IDENTITY, state: 'suspended', security_stop: true } }, 'Take another name'],
  [{ identity: IDENTITY, access: { ...ACCESS, scopes: ['fraud:write'] } }, 'access update acs_'],
])('what is there and is otherwise is a conflict (5), and nothing is changed: %j', async (there, said) => {
  const authority = scene(there);
  const { code, err } = await runAgainst(authority, CONNECT, { cwd: temporaryFolder() });
  expect(code).toBe(5);
  expect(err).toContain(said);
  expect(writes(authority)).toEqual([]);
});

test('a scope that the API lacks is told before anything is written, with what may have been meant', async () => {
  const authority = scene();
  const args = CONNECT.map((arg) => (arg === 'fraud:read' ? 'fraud:rad' : arg));
  expect(await runAgainst(authority, args, { cwd: temporaryFolder() })).toMatchObject({
    code: 2,
    err: 'error: fraud has no scope fraud:rad.\nfix: Did you mean fraud:read?\n',
  });
  expect(authority.asked.every(({ method }) => method === 'GET')).toBe(true);
});

test('a name that cannot be a client_id is told before anybody is asked', async () => {
  const authority = scene();
  const args = CONNECT.map((arg) => (arg === 'payments' ? 'My App' : arg));
  const { code, err } = await runAgainst(authority, args, { cwd: temporaryFolder() });
  expect(code).toBe(2);
  expect(err).toContain('NAME cannot be "My App"\nfix: It is a client_id: ');
  expect(authority.asked).toEqual([]);
});

test('--scope is taken for --scopes', async () => {
  const args = CONNECT.map((arg) => (arg === '--scopes' ? '--scope' : arg));
  expect((await runAgainst(scene(), args, { cwd: temporaryFolder() })).code).toBe(0);
});

test('where it stops half way, the secret that came is kept and the same command goes on', async () => {
  const cwd = temporaryFolder();
  const secrets = [{ name: 'payments', identity: 'payments', secret: SECRET }];
  const apply = () => problem('unavailable', 503, { applied: [IDENTITY_MADE, CREDENTIAL_MADE], secrets });
  const { code, err } = await runAgainst(scene({ apply }), CONNECT, { cwd });
  expect(code).toBe(7);
  expect(err).toContain('The same command goes on from there.');
  expect(readFileSync(join(cwd, 'payments.secret'), 'utf8')).toBe(`${SECRET}\n`);
});

test('where it is refused as a whole, the file is given up', async () => {
  const cwd = temporaryFolder();
  const apply = () => problem('insufficient_scope', 403);
  expect((await runAgainst(scene({ apply }), CONNECT, { cwd })).code).toBe(4);
  expect(existsSync(join(cwd, 'payments.secret'))).toBe(false);
});

test('an API that nobody knows is not found (3), with those that are alike', async () => {
  const { code, err } = await runAgainst(scene(), [...CONNECT.slice(0, 3), 'fra', ...CONNECT.slice(4)]);
  expect(code).toBe(3);
  expect(err).toContain('There is no API called fra.\nfix: Did you mean https://fraud.example');
});

test('a dry run shows the three and makes none', async () => {
  const authority = scene();
  const { code, out } = await runAgainst(authority, [...CONNECT, '--dry-run'], { cwd: temporaryFolder() });
  expect(code).toBe(0);
  expect(out).toMatch(/^\+ Identity payments\n/);
  expect(out).toMatch(/\n3 to add, 0 to change, 0 to end\.\n$/);
  expect(writes(authority)).toEqual([]);
});

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PUBLIC_PEM = pair.publicKey.export({ format: 'pem', type: 'spki' });

function folderWith(name: string, text: string | Buffer): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, name), text);
  return cwd;
}

const credentialOf = (authority: FakeAuthority): unknown => {
  const { documents } = JSON.parse(writes(authority)[0]?.body ?? '') as { documents: { kind: string }[] };
  return documents.find(({ kind }) => kind === 'Credential');
};
/** As where no secret is made. */
const noSecrets = () => ({ changes: ALL, secrets: [] });

test('with a key: the credential of the method is made and no secret, and the calls sign', async () => {
  const cwd = folderWith('public.pem', PUBLIC_PEM);
  const authority = scene({ apply: noSecrets });
  const args = [...CONNECT, '--type', 'private_key_jwt', '--jwk-file', 'public.pem'];
  const { code, out, err } = await runAgainst(authority, args, { cwd });
  expect(code, err).toBe(0);
  expect(credentialOf(authority)).toMatchObject({
    spec: { identity: 'payments', type: 'private_key_jwt', jwk: { kty: 'EC', crv: 'P-256' } },
  });
  expect(existsSync(join(cwd, 'payments.secret'))).toBe(false);
  expect(out.match(/^── .+$/gm)).toEqual([
    '── curl, with countersign to sign',
    '── TypeScript (@countersign/client)',
  ]);
  expect(out).toContain("privateKey: readFileSync('payments.key', 'utf8'),");
  expect(err).toContain('secret      none: the calls look for payments.key');
  expect(err).toContain('--language curl|typescript');
});

test('with a certificate the calls go to the address that asks for one', async () => {
  const cwd = folderWith('ca.pem', '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n');
  const alias = 'https://mtls.example/oauth/token';
  const authority = scene({ apply: noSecrets, alias });
  const args = [...CONNECT, '--type', 'tls_client_auth', '--issued-by', 'ca.pem', '--san-dns', 'p.example'];
  const { out } = await runAgainst(authority, [...args, '--language', 'curl'], { cwd });
  expect(credentialOf(authority)).toMatchObject({ spec: { type: 'tls_client_auth', san_dns: 'p.example' } });
  expect(out).toMatch(/curl .*--cert payments.pem --key payments.key https:\/\/mtls.example\/oauth\/token/);
  expect(out).toContain('--data-urlencode client_id=payments');
  expect(existsSync(join(cwd, 'payments.secret'))).toBe(false);
});

test.each([
  [
    'github_actions',
    'githubActionsToken()',
    'ACTIONS_ID_TOKEN_REQUEST_URL&audience="https://authority.example',
  ],
  ['gitlab', "gitlabToken('COUNTERSIGN_TOKEN')", '"$COUNTERSIGN_TOKEN"'],
  ['kubernetes', 'kubernetesToken()', '/var/run/secrets/countersign/token'],
  ['oidc', "subjectTokenFile('payments.token')", 'cat payments.token'],
])('a workload of %s comes with the token of its platform', async (kind, typescript, curl) => {
  const cwd = temporaryFolder();
  const authority = scene({ apply: noSecrets, trustedIssuer: { id: 'tis_1', kind } });
  const rule = ['--trusted-issuer', 'tis_1', '--condition', 'project_id=17', '--condition', 'ref=main'];
  const { code, out, err } = await runAgainst(authority, [...CONNECT, '--type', 'federated', ...rule], {
    cwd,
  });
  expect(code, err).toBe(0);
  expect(credentialOf(authority)).toMatchObject({
    spec: { trusted_issuer: 'tis_1', conditions: { project_id: '17', ref: 'main' } },
  });
  expect(out).toContain(`subjectToken: ${typescript},`);
  expect(out).toContain(curl);
  expect(out).not.toContain('clientId');
  expect(existsSync(join(cwd, 'payments.secret'))).toBe(false);
});

test.each([
  [['--jwk-file', 'public.pem'], 'takes no --jwk-file'],
  [['--type', 'private_key_jwt', '--jwk-file', 'public.pem', '--secret-file', 'x'], 'has no secret to keep'],
  [['--type', 'private_key_jwt', '--jwk-file', 'public.pem', '--language', 'go'], 'no call in go'],
])('flags that do not fit the method are refused before anything is made: %j', async (more, said) => {
  const authority = scene();
  const cwd = folderWith('public.pem', PUBLIC_PEM);
  const { code, err } = await runAgainst(authority, [...CONNECT, ...more], { cwd });
  expect([code, writes(authority)]).toEqual([2, []]);
  expect(err).toContain(said);
});

test('a credential that is there is never replaced by another', async () => {
  const changes = [CREDENTIAL_MADE, { ...CREDENTIAL_MADE, op: 'update' }];
  const authority = scene({ identity: IDENTITY, access: ACCESS, changes });
  const { code, err } = await runAgainst(authority, CONNECT, { cwd: temporaryFolder() });
  expect([code, writes(authority)]).toEqual([5, []]);
  expect(err).toContain('credentials create payments --type client_secret');
});

const LOCK = { ...FRAUD, identifier: 'coaps://lock.example', token: { format: 'cwt' } };

function lockScene(): FakeAuthority {
  return scene({ api: LOCK });
}

test('for an API whose tokens are CBOR the calls ask in CBOR, in the languages that there are for it', async () => {
  const { code, out } = await runAgainst(lockScene(), [...CONNECT, '-o', 'json'], { cwd: temporaryFolder() });
  expect(code).toBe(0);
  const { calls } = JSON.parse(out) as { calls: Record<string, string> };
  expect(Object.keys(calls)).toEqual(['curl', 'typescript']);
  for (const call of Object.values(calls)) expect(call).toContain('application/ace+cbor');
  expect(out).not.toContain('grant_type');
});

test('for an API whose tokens are CBOR a proof that CBOR has no place for is told before anything is made', async () => {
  const authority = lockScene();
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'public.pem'), PUBLIC_PEM);
  const args = [...CONNECT, '--type', 'private_key_jwt', '--jwk-file', 'public.pem'];
  const { code, err } = await runAgainst(authority, args, { cwd });
  expect(code).toBe(2);
  expect(err).toContain('has no place for that proof');
  expect(writes(authority)).toEqual([]);
  const go = await runAgainst(lockScene(), [...CONNECT, '--language', 'go'], { cwd });
  expect([go.code, go.err]).toEqual([2, expect.stringContaining('--language curl|typescript')]);
});
