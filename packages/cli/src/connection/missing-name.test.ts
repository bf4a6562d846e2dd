import { expect, test } from 'vitest';
import { fakeAuthority, problem, runAgainst } from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const list = (...items: object[]): object => ({ items, next_cursor: null });
const estate = {
  'GET /v1/identities': list({ client_id: 'sensor-17' }, { client_id: 'ledger' }),
  'GET /v1/resource-servers': list({ identifier: 'https://fraud.example', name: 'fraud' }),
  'GET /v1/policies': list({ id: 'pol_0123456789abcdefghij', name: 'keys only in production' }),
  'GET /v1/trusted-issuers': list({ issuer: 'https://gitlab.example' }),
};
const said = (args: readonly string[], routes = estate) =>
  runAgainst(fakeAuthority(routes), args, { cwd: temporaryFolder() });

const connect = (to: string, ...more: string[]): string[] =>
  ['connect', 'payments', '--to', to, '--scopes', 'a', '--owner', 'ada', '--for', '90d'].concat(more);

test.each([
  [
    ['devices', 'code', 'sensr-17', '-o', 'json'],
    'There is no identity called sensr-17.',
    'Did you mean sensor-17?',
  ],
  [['identities', 'get', 'leger'], 'There is no identity called leger.', 'Did you mean ledger?'],
  [
    ['identities', 'suspend', 'leger', '--reason', 'a', '--yes'],
    'There is no identity called leger.',
    'Did you mean ledger?',
  ],
  [connect('fruad'), 'There is no API called fruad.', 'Did you mean fraud?'],
  [
    connect('https://fraud.exmple'),
    'There is no API called https://fraud.exmple.',
    'Did you mean https://fraud.example?',
  ],
  [
    ['resource-servers', 'get', 'frud'],
    'There is no API called frud.',
    'Did you mean https://fraud.example?',
  ],
  [
    ['policies', 'get', 'keys only in produktion'],
    'There is no policy called keys only in produktion.',
    'Did you mean pol_0123456789abcdefghij?',
  ],
  [
    ['policies', 'what-if', 'keys only in prduction'],
    'There is no policy called keys only in prduction.',
    'Did you mean pol_0123456789abcdefghij?',
  ],
  [['findings', 'get', 'fnd_x'], 'There is no such thing.', 'See which there are: countersign findings list'],
  [['explain', 'foo'], 'There is no such thing.', 'It is in the header Request-Id of the answer: req_…'],
  [
    ['identities', 'get', 'nothing-like-it'],
    'There is no identity called nothing-like-it.',
    'See which there are: countersign identities list',
  ],
])('%j names what is not there, and what may have been meant', async (args, error, fix) => {
  const routes = args.includes('fruad')
    ? {
        ...estate,
        'GET /v1/resource-servers': ({ path }: { path: string }) =>
          path.includes('text=') ? list() : estate['GET /v1/resource-servers'],
      }
    : estate;
  expect(await said(args, routes as typeof estate)).toMatchObject({
    code: 3,
    err: `error: ${error}\nfix: ${fix}\n`,
  });
});

test('where nobody may list them, it is still told which is not there', async () => {
  const closed = { 'GET /v1/identities': () => problem('insufficient_scope', 403) };
  expect(
    await runAgainst(fakeAuthority(closed), ['devices', 'code', 'sensr-17', '-o', 'json']),
  ).toMatchObject({
    code: 3,
    err: expect.stringContaining('There is no identity called sensr-17.') as string,
  });
});
