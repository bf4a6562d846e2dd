import { expect, test } from 'vitest';
import { fakeAuthority, ISSUER, json, type Reply, runAgainst } from '../../test/fake-authority.ts';
import { NOW, type Ran, runCli, temporaryFolder } from '../../test/fake-host.ts';

const JWK = { kty: 'EC', crv: 'P-256', kid: 'k1', alg: 'ES256', use: 'sig' };
const POINT = {
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
};
const credential = (expires_at: string): object => ({ items: [{ expires_at }], next_cursor: null });

const HEALTHY: Readonly<Record<string, Reply>> = {
  'GET /healthz': {},
  'GET /readyz': { ready: true, checks: { database: true, audit: true } },
  'GET /oauth/jwks': { keys: [{ ...JWK, ...POINT }] },
  'GET /v1/credentials': ({ path }) =>
    path.includes('expires_before') ? { items: [], next_cursor: null } : credential('2027-02-19T12:00:00Z'),
};

async function examine(
  routes: Readonly<Record<string, Reply>>,
  more: object = {},
): Promise<Ran & { bad: string[] }> {
  const ran = await runAgainst(fakeAuthority({ ...HEALTHY, ...routes }), ['doctor'], more);
  return { ...ran, bad: ran.out.split('\n').filter((line) => /^(?:warn|fail|skip)/.test(line)) };
}

test('a healthy authority is ok line by line', async () => {
  const { code, out, err } = await runAgainst(fakeAuthority(HEALTHY), ['doctor']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.replace(/in \d+ ms/, 'in 1 ms')).toBe(`ok    node         24.11.0
ok    settings     https://authority.example, from COUNTERSIGN_ISSUER
ok    reachable    https://authority.example answered in 1 ms
ok    tls          certificate trusted by the usual CAs
ok    clock        under 1 s apart
ok    issuer       metadata names https://authority.example
ok    keys         1 published (ES256)
ok    ready        database, audit
ok    credential   admin, ends in 90d (2027-02-19T12:00:00Z)
ok    ending soon  no credential ends within 14 days
`);
});

test('as JSON it is a list of findings', async () => {
  const { out } = await runAgainst(fakeAuthority(HEALTHY), ['doctor', '-o', 'json']);
  expect((JSON.parse(out) as { status: string }[]).map(({ status }) => status)).toEqual(Array(10).fill('ok'));
});

test('without an authority the rest is skipped, and the fix is to start or name one', async () => {
  const { code, out } = await runCli(['doctor'], { cwd: temporaryFolder() });
  expect(code).toBe(1);
  expect(out).toContain('fail  settings     Which authority?');
  expect(out.match(/^skip/gm)).toHaveLength(8);
});

test('an authority that does not answer fails once', async () => {
  const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  const { code, bad, out } = await examine({
    'GET /healthz': () => {
      throw new TypeError('fetch failed', { cause });
    },
  });
  expect(code).toBe(1);
  expect(bad.filter((line) => line.startsWith('fail'))).toEqual([
    'fail  reachable    https://authority.example: The authority cannot be reached: nothing listens there (ECONNREFUSED).',
  ]);
  expect(out).toContain('fix: Is the authority running?');
});

test.each([
  ['a few seconds', 20_000, 0, 'warn  clock        20 s apart'],
  ['more than a minute', 120_000, 1, 'fail  clock        120 s apart'],
])('clocks that are %s apart are told', async (_, skew, exit, line) => {
  const late = () => json({}, { headers: { date: new Date(NOW - skew).toUTCString() } });
  const { code, bad } = await examine({ 'GET /healthz': late });
  expect({ code, bad }).toEqual({ code: exit, bad: [line] });
});

test('metadata of another issuer fails, whatever else works', async () => {
  const { code, bad } = await examine({
    'GET /.well-known/oauth-authorization-server': { issuer: 'https://evil.example' },
  });
  expect(code).toBe(1);
  expect(bad[0]).toContain('fail  issuer');
  expect(bad[0]).toContain(ISSUER);
});

test('each part that is not ready is named', async () => {
  const { code, bad } = await examine({
    'GET /readyz': () => json({ ready: false, checks: { database: false, audit: true } }, { status: 503 }),
  });
  expect({ code, bad }).toEqual({ code: 1, bad: ['fail  ready        database does not work'] });
});

test('an own credential that ends soon is a warning with the command that renews it', async () => {
  const { code, bad, out } = await examine({ 'GET /v1/credentials': credential('2026-11-25T12:00:00Z') });
  expect(code).toBe(0);
  expect(bad).toEqual([
    'warn  credential   admin, ends in 4d (2026-11-25T12:00:00Z)',
    'warn  ending soon  1 credential ends within 14 days',
  ]);
  expect(out).toContain('fix: countersign credentials create admin --type client_secret --secret-file FILE');
});

test('a secret that is refused fails the credential', async () => {
  const { code, bad } = await examine({
    'POST /oauth/token': () => json({ error: 'invalid_client' }, { status: 401 }),
  });
  expect(code).toBe(1);
  expect(bad[0]).toBe('fail  credential   The authority gives no token: invalid_client');
});

test.each([
  ['18.20.0', 'fail', 1],
  ['20.18.9', 'fail', 1],
  ['20.19.0', 'warn', 0],
  ['23.1.0', 'warn', 0],
])('Node %s is a %s', async (nodeVersion, status, exit) => {
  const { code, bad } = await examine({}, { nodeVersion });
  expect(code).toBe(exit);
  expect(bad[0]).toMatch(new RegExp(`^${status}  node`));
});
