import { expect, test } from 'vitest';
import { type Asked, fakeAuthority, json, problem, runAgainst } from '../../test/fake-authority.ts';

const PAYMENTS = {
  id: 'idn_0123456789abcdefghij',
  client_id: 'payments',
  name: 'Payments\u001b[31m',
  kind: 'service',
  environment: 'prod',
  purpose: 'collects card payments',
  owner: { person: 'ada@example.com', backup: null, team: 'money' },
  sensitivity: 1,
  cadence: 'continuous',
  state: 'active',
  state_reason: null,
  security_stop: false,
  built_in: false,
  expires_at: '2027-02-19T12:00:00.000Z',
  created_at: '2026-11-21T12:00:00.000Z',
  updated_at: '2026-11-21T12:00:00.000Z',
  version: 3,
};

const DIFFERENCE = {
  dry_run: true,
  changes: [
    {
      op: 'update',
      kind: 'Identity',
      name: 'payments',
      before: { state: 'active', version: 3 },
      after: { state: 'suspended', version: 4 },
      fields: ['state', 'version'],
    },
  ],
};

const page = { items: [PAYMENTS], next_cursor: null };

/** Answers a write, or what it would change. */
const suspending = (asked: Asked): object =>
  asked.path.includes('dry_run=true') ? DIFFERENCE : { ...PAYMENTS, state: 'suspended' };

test('a list is a table whose cells a terminal does not obey', async () => {
  const { code, out, err } = await runAgainst(fakeAuthority({ 'GET /v1/identities': page }), [
    'identities',
    'list',
  ]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(
    'CLIENT ID  NAME              KIND     ENVIRONMENT  STATE   OWNER            EXPIRES\n' +
      'payments   Payments\\x1b[31m  service  prod         active  ada@example.com  2027-02-19T12:00:00.000Z\n',
  );
});

test('as JSON a list is stable and complete', async () => {
  const { out } = await runAgainst(fakeAuthority({ 'GET /v1/identities': page }), [
    'identities',
    'list',
    '-o',
    'json',
  ]);
  expect(JSON.parse(out)).toEqual([PAYMENTS]);
});

test('filters reach the API; an empty list says so on stderr', async () => {
  const authority = fakeAuthority({ 'GET /v1/identities': { items: [], next_cursor: null } });
  const args = ['identities', 'list', '--state', 'suspended', '--owner-team', 'money'];
  const { code, out, err } = await runAgainst(authority, args);
  expect({ code, out, err }).toEqual({ code: 0, out: '', err: 'There are no such identities.\n' });
  expect(authority.asked[0]?.path).toBe('/v1/identities?state=suspended&owner_team=money');
});

test('pages are followed to the limit, and more is mentioned', async () => {
  const authority = fakeAuthority({
    'GET /v1/identities': ({ path }: Asked) => ({
      items: [{ ...PAYMENTS, client_id: path.includes('cursor=two') ? 'second' : 'first' }],
      next_cursor: path.includes('cursor=two') ? 'three' : 'two',
    }),
  });
  const { out, err } = await runAgainst(authority, ['identities', 'list', '--limit', '2', '-o', 'name']);
  expect(out).toBe('first\nsecond\n');
  expect(err).toBe('There are more than 2: narrow it down, or add --limit N or --all.\n');
});

const CREATE =
  'identities create --name payments --kind service --environment prod --purpose collects --owner ada --team money --sensitivity 2 --for 90d -o name'.split(
    ' ',
  );

test('creating sends what the flags say, with an end counted from now', async () => {
  const authority = fakeAuthority({ 'POST /v1/identities': () => json(PAYMENTS, { status: 201 }) });
  const { code, out, err } = await runAgainst(authority, CREATE);
  expect({ code, out, err }).toEqual({ code: 0, out: 'payments\n', err: 'Created payments\n' });
  expect(JSON.parse(authority.asked[0]?.body ?? '')).toEqual({
    name: 'payments',
    kind: 'service',
    environment: 'prod',
    purpose: 'collects',
    owner: { person: 'ada', team: 'money' },
    sensitivity: 2,
    expires_at: '2027-02-19T12:00:00.000Z',
  });
});

test('an identity without an end is refused before anything is sent', async () => {
  const authority = fakeAuthority();
  const args = [
    'identities',
    'create',
    '--name',
    'a',
    '--kind',
    'job',
    '--environment',
    'dev',
    '--purpose',
    'b',
  ];
  const { code, err } = await runAgainst(authority, [...args, '--owner', 'ada']);
  expect(code).toBe(2);
  expect(err).toContain('how long is this needed?\nfix: Add --for 90d');
  expect(authority.asked).toEqual([]);
});

test('a change names the version that is there; an empty value takes a member away', async () => {
  const authority = fakeAuthority({
    'GET /v1/identities/payments': PAYMENTS,
    'PATCH /v1/identities/payments': PAYMENTS,
  });
  const { code } = await runAgainst(authority, ['identities', 'update', 'payments', '--team', '']);
  expect(code).toBe(0);
  expect(authority.asked[1]).toMatchObject({ method: 'PATCH', body: '{"owner":{"team":null}}' });
  expect(authority.asked[1]?.headers['if-match']).toBe('"3"');
});

const SUSPEND = ['identities', 'suspend', 'payments', '--reason', 'leak'];
const SHOWN = '~ Identity payments\n    state: active → suspended\n0 to add, 1 to change, 0 to end.\n';

test('what destroys is shown first and ends with 6', async () => {
  const authority = fakeAuthority({ 'POST /v1/identities/payments/suspend': suspending });
  const { code, out, err } = await runAgainst(authority, SUSPEND);
  expect({ code, out }).toEqual({ code: 6, out: '' });
  expect(err).toBe(`${SHOWN}Nothing was changed. To do it: the same with --yes\n`);
  expect(authority.asked.map(({ path }) => path)).toEqual(['/v1/identities/payments/suspend?dry_run=true']);
});

test('where nothing would change nobody is asked, and that is no difference', async () => {
  const authority = fakeAuthority({
    'POST /v1/identities/payments/suspend': { dry_run: true, changes: [] },
  });
  expect(await runAgainst(authority, SUSPEND)).toEqual({ code: 0, out: '', err: 'Nothing to change.\n' });
  expect(authority.asked).toHaveLength(1);
});

test('with --yes it is done at once', async () => {
  const authority = fakeAuthority({ 'POST /v1/identities/payments/suspend': suspending });
  const { code, err } = await runAgainst(authority, [...SUSPEND, '--yes']);
  expect({ code, err }).toEqual({ code: 0, err: 'Suspended payments\n' });
  expect(authority.asked.map(({ path }) => path)).toEqual(['/v1/identities/payments/suspend']);
});

test('on a terminal the answer decides', async () => {
  const routes = { 'POST /v1/identities/payments/suspend': suspending };
  const yes = await runAgainst(fakeAuthority(routes), SUSPEND, { answers: ['yes'], env: { NO_COLOR: '1' } });
  expect(yes).toMatchObject({ code: 0, err: `${SHOWN}Do it? Type yes: Suspended payments\n` });
  for (const answers of [['y'], [undefined]]) {
    const no = await runAgainst(fakeAuthority(routes), SUSPEND, { answers, env: { NO_COLOR: '1' } });
    expect(no).toMatchObject({ code: 6, err: `${SHOWN}Do it? Type yes: Nothing was changed.\n` });
  }
});

test('colours are for terminals that want them', async () => {
  const routes = { 'POST /v1/identities/payments/suspend': suspending };
  const { err } = await runAgainst(fakeAuthority(routes), SUSPEND, { answers: [undefined] });
  expect(err).toContain('\u001b[33m~ Identity payments\u001b[39m');
});

test('the dry run of an end names its times, and who used the machine lately', async () => {
  const plan = {
    phase: 'shadow',
    forced: false,
    began_at: '2026-11-21T12:00:00.000Z',
    shadow_until: '2026-11-24T12:00:00.000Z',
    brown_outs: [{ from: '2026-11-24T12:00:00.000Z', to: '2026-11-24T12:05:00.000Z' }],
    stop_at: '2026-11-25T12:00:00.000Z',
    ends_at: '2026-12-25T12:00:00.000Z',
  };
  const ending = {
    dry_run: true,
    changes: [
      {
        op: 'delete',
        kind: 'Identity',
        name: 'payments',
        before: { state: 'active', decommissioning: null },
        after: { state: 'decommissioning', decommissioning: plan },
        fields: ['decommissioning', 'state'],
      },
    ],
    recent: { last_used: null, from: null, complete: true, callers: [] },
  };
  const authority = fakeAuthority({ 'POST /v1/identities/payments/decommission': ending });
  const end = ['identities', 'decommission', 'payments', '--reason', 'old', '--dry-run'];
  expect(await runAgainst(authority, end)).toEqual({
    code: 0,
    err: '',
    out: `- Identity payments
0 to add, 0 to change, 1 to end.

shadow until  2026-11-24T12:00:00.000Z
brown-out 1   2026-11-24T12:00:00.000Z to 2026-11-24T12:05:00.000Z
stopped at    2026-11-25T12:00:00.000Z
ends at       2026-12-25T12:00:00.000Z

It was never used, as far as can be seen.
`,
  });
});

test('an identity that one person more has to agree about is not called resumed', async () => {
  const held = { ...PAYMENTS, state: 'suspended', security_stop: true };
  const authority = fakeAuthority({ 'POST /v1/identities/payments/resume': held });
  const { code, err } = await runAgainst(authority, [
    'identities',
    'resume',
    'payments',
    '--reason',
    'new key',
  ]);
  expect(code).toBe(0);
  expect(err).toBe(
    'Still suspended: payments. Its credentials are revoked; give it a new one, and within a day another person does the same.\n',
  );
});

test('a dry run is an answer: on stdout, in the form asked for, with 0', async () => {
  const authority = fakeAuthority({ 'POST /v1/identities/payments/suspend': suspending });
  const shown = await runAgainst(authority, [...SUSPEND, '--dry-run']);
  expect(shown).toEqual({ code: 0, out: SHOWN, err: '' });
  const { out } = await runAgainst(authority, [...SUSPEND, '--dry-run', '-o', 'json']);
  expect(JSON.parse(out)).toEqual(DIFFERENCE);
});

test.each([
  ['not_found', 404, 3],
  ['insufficient_scope', 403, 4],
  ['illegal_transition', 409, 5],
  ['internal_error', 500, 1],
])(
  'a problem %s (%i) ends with %i; where the log knows more, it names its request',
  async (code, status, exit) => {
    const authority = fakeAuthority({ 'POST /v1/identities/payments/activate': () => problem(code, status) });
    const ran = await runAgainst(authority, ['identities', 'activate', 'payments']);
    expect(ran.code).toBe(exit);
    expect(ran.err).toMatch(
      status === 500
        ? /^error: .+\nmore: countersign explain req_refused\n$/
        : status === 404
          ? /^error: There is no identity called payments\.\nfix: See which there are: .+\n$/
          : /^error: .+\n$/,
    );
  },
);
