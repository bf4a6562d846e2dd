import { expect, test } from 'vitest';
import { z } from 'zod';
import { document } from './apply.ts';
import { accessCreate } from './access.ts';
import { credentialCreate } from './credentials.ts';
import { identityCreate } from './identities.ts';
import { operations } from './operations.ts';
import { policyCreate } from './policies.ts';
import { resourceServerCreate } from './resource-servers.ts';

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** `member words`, as a caller reads them. */
function told(schema: z.ZodType, value: unknown): readonly string[] {
  const issues: readonly Issue[] = schema.safeParse(value).error?.issues ?? [];
  return issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());
}

const identity = {
  name: 'Payments',
  kind: 'service',
  environment: 'prod',
  purpose: 'takes payments',
  owner: { person: 'Ada' },
  expires_at: '2027-01-01T00:00:00Z',
};

test.each([
  ['what is missing', { name: undefined }, 'name is missing'],
  ['a choice that is missing', { kind: undefined }, 'kind is missing'],
  ['an instant that is missing', { expires_at: undefined }, 'expires_at is missing'],
  ['what is empty', { name: '' }, 'name must not be empty'],
  ['what is too long', { name: 'x'.repeat(201) }, 'name must have at most 200 characters'],
  ['another kind', { name: 5 }, 'name must be text, not a number'],
  ['nothing', { name: null }, 'name must be text, not empty'],
  ['a fraction', { sensitivity: 1.5 }, 'sensitivity must be a whole number, not a fraction'],
  ['a number in quotes', { sensitivity: '1' }, 'sensitivity must be a number, not text'],
  ['a number that is too high', { sensitivity: 4 }, 'sensitivity must be at most 3'],
  ['a number that is too low', { sensitivity: -1 }, 'sensitivity must be at least 0'],
  ['no word of a choice', { environment: 'live' }, 'environment must be one of dev, test, staging, prod'],
  ['text for an object', { owner: 'Ada' }, 'owner must be an object of person, backup, team, not text'],
  [
    'an unknown member',
    { owner: { person: 'Ada', boss: 'Eve' } },
    'owner has no member boss; there is person, backup, team',
  ],
  ['what is no instant', { expires_at: 'tomorrow' }, 'expires_at must be an RFC 3339 date and time'],
])('%s is told in one sentence that says what may stand there', (_what, change, words) => {
  expect(told(identityCreate, { ...identity, ...change })).toEqual([words]);
});

test('a form that is chosen by a member is named by its choices, also in documents', () => {
  expect(told(credentialCreate, {})).toEqual(['type is missing']);
  expect(told(credentialCreate, { type: 'magic' })[0]).toMatch(
    /^type must be one of client_secret, api_key, /,
  );
  expect(told(document, { apiVersion: 'countersign/v1', kind: 'Identty' })[0]).toMatch(
    /^kind must be one of Person, /,
  );
});

test('lists and lifetimes say their bounds', () => {
  const access = {
    identity: 'payments',
    resource_server: 'https://fraud.example',
    justification: 'reads scores',
    expires_at: '2027-01-01T00:00:00Z',
  };
  expect(told(accessCreate, { ...access, scopes: [] })).toEqual(['scopes must not be empty']);
  const api = { identifier: 'https://fraud.example', name: 'fraud', scopes: [{ name: 'a' }] };
  expect(told(resourceServerCreate, { ...api, token: { lifetime: 90_000 } })).toEqual([
    'token.lifetime must be at most 86400',
  ]);
});

test('parameters of a policy are told in the same words', () => {
  const policy = { name: 'p', rule: 'credential_age', parameters: { max_age: 90 } };
  expect(told(policyCreate, policy)).toEqual(['parameters.max_age must be text, not a number']);
});

test('what fits no form is told by what each form wants, or by what is wrong inside the one that fits', () => {
  const either = z.union([z.strictObject({ days: z.int().max(9) }), z.literal('never')]);
  expect(told(either, undefined)).toEqual(['is missing']);
  expect(told(either, 7)).toEqual(['must be an object of days, not a number, or must be never']);
  const spans = z.union([z.strictObject({ days: z.int() }), z.literal('never')]);
  expect(told(z.strictObject({ after: spans }), { after: { days: 'ten' } })).toEqual([
    'after has days, which must be a number, not text',
  ]);
});

test('no member of any operation is refused in the words of the library, and none repeats the value', () => {
  const wrong = [
    undefined,
    null,
    '',
    'no such value',
    'x'.repeat(100_000),
    -1,
    1.5,
    1e12,
    true,
    [],
    [7],
    { no: 'such' },
  ];
  const library =
    /Invalid|Too (?:small|big)|expected|received|Unrecognized|undefined|\[object|no such value|cannot be taken/;
  const asked = Object.values(operations).flatMap(({ body, query }) => [body, query]);
  for (const schema of asked.filter((each) => each !== undefined)) {
    const names = Object.keys((schema.def as { readonly shape?: object }).shape ?? {});
    const values = names.flatMap((name) => wrong.map((value) => ({ [name]: value })));
    for (const each of [...values, ...wrong].flatMap((value) => told(schema, value))) {
      expect(each).not.toMatch(library);
      expect(each.length).toBeLessThan(1000);
    }
  }
});
