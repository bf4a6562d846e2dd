import { AdminApiError, type Problem, problemDocument, type ProblemCode } from '@countersign/admin-api';
import { TokenError } from '@countersign/client';
import { expect, test } from 'vitest';
import { EXIT_CODES, exitCodeOf, failureOf } from './exit-code.ts';
import { CommandFailure } from './failure.ts';

test('the numbers are those that scripts rely on', () => {
  expect(EXIT_CODES).toEqual({
    ok: 0,
    failure: 1,
    usage: 2,
    not_found: 3,
    denied: 4,
    conflict: 5,
    difference: 6,
    unreachable: 7,
    interrupted: 130,
  });
});

function apiError(code: ProblemCode, more: Partial<Problem> = {}): AdminApiError {
  const document = problemDocument(code, more);
  return new AdminApiError(code, document.title, {
    status: document.status,
    problem: document,
    requestId: 'req_1',
  });
}

test.each([
  ['validation_failed', 2],
  ['unknown_reference', 2],
  ['not_found', 3],
  ['invalid_token', 4],
  ['insufficient_scope', 4],
  ['needs_people', 4],
  ['already_exists', 5],
  ['illegal_transition', 5],
  ['precondition_failed', 5],
  ['unavailable', 7],
  ['internal_error', 1],
] as const)('problem %s ends with %i', (code, exit) => {
  expect(exitCodeOf(apiError(code))).toBe(exit);
});

test('a problem tells each member that was refused, what is there already, and its request', () => {
  const failure = failureOf(
    apiError('validation_failed', {
      detail: 'Two members are wrong.',
      errors: [
        { pointer: '/owner/person', detail: 'is missing' },
        { pointer: '', detail: 'has a member that is not known' },
      ],
      existing: 'idn_1',
    }),
  );
  expect(failure.message).toBe(
    'Two members are wrong.\n  owner.person is missing\n  the body has a member that is not known\n  what is there: idn_1',
  );
  // The answer says it all: there is nothing that `explain` would add.
  expect(failure.requestId).toBeUndefined();
});

test.each(['invalid_token', 'internal_error', 'unavailable'] as const)(
  'problem %s names its request: the log knows more than the answer says',
  (code) => {
    expect(failureOf(apiError(code)).requestId).toBe('req_1');
  },
);

test('what is said of the whole and of its member is said once', () => {
  const detail = 'there is no identity nobody';
  const failure = failureOf(
    apiError('unknown_reference', { detail, errors: [{ pointer: '/identity', detail }] }),
  );
  expect(failure).toMatchObject({ kind: 'usage', message: detail });
});

test.each(['there is no such identity', 'there is no identity nobody'])(
  '%s: what it goes by is said',
  (detail) => {
    expect(failureOf(apiError('not_found', { detail })).fix).toBe(
      'Name it by its client_id or id: countersign identities list',
    );
  },
);

test('what is addressed in the body and is not there is not found', () => {
  const detail = 'there is no identity nobody';
  expect(exitCodeOf(apiError('unknown_reference', { detail, errors: [{ pointer: '/id', detail }] }))).toBe(3);
});

test('what a flag names and is not there is not found, and told by the flag', () => {
  const detail = 'there is no identity nobody';
  const error = apiError('unknown_reference', { detail, errors: [{ pointer: '/identity', detail }] });
  expect(failureOf(error, (pointer) => (pointer === '/identity' ? '--identity' : undefined))).toMatchObject({
    kind: 'not_found',
    message: `--identity: ${detail}`,
    fix: 'Name it by its client_id or id: countersign identities list',
  });
});

test('plain HTTP where TLS is spoken is told with the address to write', () => {
  const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  expect(failureOf(new TypeError('fetch failed', { cause })).fix).toContain('https://');
});

test('what only people may do says how to go on without them', () => {
  expect(failureOf(apiError('needs_people')).fix).toContain('countersign login');
});

test('a setting that is not known is told with those that are alike', () => {
  const error = Object.assign(new Error('x'), {
    name: 'SettingError',
    setting: '--token-lifetme',
    problem: 'is not a setting',
    fix: 'See the list.',
    known: ['token-lifetime', 'port'],
  });
  expect(failureOf(error)).toMatchObject({
    kind: 'usage',
    message: '--token-lifetme is not a setting.',
    fix: 'Did you mean token-lifetime?',
  });
  expect(failureOf(Object.assign(error, { known: [] })).fix).toBe('See the list.');
});

test('a port that fetch refuses is no riddle', () => {
  const failure = failureOf(new TypeError('fetch failed', { cause: new Error('bad port') }));
  expect(failure).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('port') as string });
});

test.each([
  ['refused', 'invalid_client', 4],
  ['refused', 'invalid_target', 4],
  ['refused', 'invalid_scope', 4],
  ['refused', 'invalid_request', 2],
  ['unavailable', undefined, 7],
  ['unreachable', undefined, 7],
  ['bad_response', undefined, 1],
] as const)('token error %s %s ends with %i', (code, error, exit) => {
  expect(exitCodeOf(new TokenError(code, 'no token', { error }))).toBe(exit);
});

test('a network error is found behind what wraps it', () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  const wrapped = new TokenError('unreachable', 'no', {
    cause: new TypeError('fetch failed', { cause: refused }),
  });
  expect(failureOf(wrapped)).toMatchObject({
    kind: 'unreachable',
    fix: expect.stringContaining('countersign dev'),
  });
});

test('an untrusted certificate says how to trust its CA', () => {
  const cause = Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
  expect(failureOf(new TypeError('fetch failed', { cause })).fix).toContain('--ca-file');
});

test('every address of a name that refused is one failure', () => {
  const each = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  expect(failureOf(new TypeError('fetch failed', { cause: new AggregateError([each, each]) })).kind).toBe(
    'unreachable',
  );
});

test('ours are taken as they are; anything else is a failure without a stack', () => {
  const own = new CommandFailure('difference', 'differs');
  expect(failureOf(own)).toBe(own);
  expect(failureOf(new Error('broken'))).toMatchObject({ kind: 'failure', message: 'broken' });
  expect(failureOf('text')).toMatchObject({ kind: 'failure', message: 'text' });
});

test('a name where an API goes by its identifier: where the identifier is found', () => {
  const detail = 'must be the identifier (an absolute URI without fragment) or the id (rsv_…), not a name';
  const error = apiError('malformed_request', { errors: [{ pointer: '?resource_server', detail }] });
  const fix = 'Its identifier is in: countersign resource-servers list';
  expect(failureOf(error)).toMatchObject({ kind: 'usage', fix });
  const named = failureOf(error, () => '--resource-server');
  expect(named).toMatchObject({
    message: expect.stringContaining(`\n  --resource-server ${detail}`) as string,
    fix,
  });
});
