import { expect, test } from 'vitest';
import {
  type Asked,
  type FakeAuthority,
  fakeAuthority,
  problem,
  runAgainst,
} from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const FRAUD = 'https://fraud.example';
const list = (...items: object[]): object => ({ items, next_cursor: null });
/** As the authority: parts of a name are found, too. */
const listed =
  (...items: readonly object[]) =>
  ({ path }: Asked): object => {
    const text = new URL(path, FRAUD).searchParams.get('text') ?? '';
    return list(...items.filter((item) => JSON.stringify(item).includes(text)));
  };
const payments = {
  id: 'idn_0123456789abcdefghij',
  client_id: 'pay-7',
  name: 'Card payments',
  state: 'active',
};
const ESTATE = {
  'GET /v1/identities': listed(
    payments,
    { ...payments, client_id: 'old-1', name: 'Old' },
    { ...payments, client_id: 'old-2', name: 'Old' },
    { ...payments, client_id: 'taken', name: 'One' },
    { ...payments, client_id: 'other', name: 'taken' },
  ),
  'GET /v1/identities/pay-7': payments,
  'GET /v1/resource-servers': listed(
    { identifier: FRAUD, name: 'Fraud' },
    { identifier: `${FRAUD}/2`, name: 'Fraud 2' },
  ),
  [`GET /v1/resource-servers/${FRAUD}`]: { identifier: FRAUD, name: 'Fraud', scopes: [] },
  'GET /v1/people': listed({ handle: 'ada@example.com', name: 'Ada Lovelace' }),
  'GET /v1/people/ada@example.com': { handle: 'ada@example.com', name: 'Ada Lovelace' },
};

const said = (authority: FakeAuthority, ...args: readonly string[]) =>
  runAgainst(authority, args, { cwd: temporaryFolder() });
const lastOf = ({ asked }: FakeAuthority): string => {
  const { method, path, body } = asked.at(-1) as Asked;
  return `${method} ${decodeURIComponent(path)} ${body}`.trim();
};
/** Answers only who names things as they go by; else as the authority does. */
const strictly =
  (answer: object, ...wanted: readonly string[]) =>
  ({ path, body }: Asked): object =>
    wanted.every((each) => decodeURIComponent(path + body).includes(each))
      ? answer
      : problem('validation_failed', 422, {
          errors: [{ pointer: '/resource_server', detail: 'not a name' }],
        });

test.each([
  [['identities', 'get', 'Card payments', '-o', 'name'], {}, 'GET /v1/identities/pay-7'],
  [['resource-servers', 'get', 'Fraud', '-o', 'name'], {}, `GET /v1/resource-servers/${FRAUD}`],
  [['people', 'get', 'Ada Lovelace', '-o', 'name'], {}, 'GET /v1/people/ada@example.com'],
  [
    ['identities', 'suspend', 'Card payments', '--reason', 'a', '--yes'],
    { 'POST /v1/identities/pay-7/suspend': payments },
    'POST /v1/identities/pay-7/suspend {"reason":"a"}',
  ],
  [
    ['access', 'list', '--identity', 'Card payments', '--resource-server', 'Fraud', '-o', 'name'],
    { 'GET /v1/access': strictly(list(), 'identity=pay-7', `resource_server=${FRAUD}`) },
    `GET /v1/access?identity=pay-7&resource_server=${FRAUD}`,
  ],
  [
    ['access', 'holders', '--resource-server', 'Fraud', '--scope', 'a'],
    { 'GET /v1/access/holders': strictly(list(), `resource_server=${FRAUD}&`) },
    `GET /v1/access/holders?resource_server=${FRAUD}&scope=a`,
  ],
  [
    ['cutoffs', 'create', '--kind', 'identity', '--id', 'Card payments', '--reason', 'a', '--yes'],
    { 'POST /v1/cutoffs': strictly({ id: 'cut_1' }, '"id":"pay-7"') },
    'POST /v1/cutoffs {"kind":"identity","id":"pay-7","reason":"a"}',
  ],
  [
    ['people', 'hand-over', 'ada@example.com', '--to', 'Ada Lovelace', '--yes'],
    { 'POST /v1/people/ada@example.com/hand-over': strictly({}, '"to":"ada@example.com"') },
    'POST /v1/people/ada@example.com/hand-over {"to":"ada@example.com"}',
  ],
])('%j: what only one is called is found', async (args, more, last) => {
  const authority = fakeAuthority({ ...ESTATE, ...more });
  const { code, err } = await said(authority, ...args);
  expect(code, err).toBe(0);
  expect(lastOf(authority)).toBe(last);
});

test('a name that two have is a mistake (2), with those that have it', async () => {
  const authority = fakeAuthority(ESTATE);
  expect(await said(authority, 'identities', 'suspend', 'Old', '--reason', 'a', '--yes')).toMatchObject({
    code: 2,
    err: 'error: 2 identities are called Old.\nfix: Name the identity by its client_id: old-1 or old-2\n',
  });
  expect(authority.asked.filter(({ path }) => path.includes('old-'))).toEqual([]);
});

test('what something goes by is never the name of another', async () => {
  const refused = { 'POST /v1/identities/taken/suspend': () => problem('illegal_transition', 422) };
  const authority = fakeAuthority({ ...ESTATE, ...refused });
  const { code } = await said(authority, 'identities', 'suspend', 'taken', '--reason', 'a', '--yes');
  expect(code).toBe(2);
  expect(authority.asked.filter(({ path }) => path.includes('/other'))).toEqual([]);
});

test('nothing is looked for where what was given is known', async () => {
  const authority = fakeAuthority(ESTATE);
  await said(authority, 'identities', 'get', 'pay-7');
  expect(authority.asked.map(({ path }) => path)).toEqual(['/v1/identities/pay-7']);
});
