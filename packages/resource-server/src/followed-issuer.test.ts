// Keys and cut-offs for tokens that are no JWTs: RFC 7517 §5, the cut-off feed.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type FollowedIssuer, followIssuer } from './followed-issuer.ts';
import { createTestIssuer, type TestIssuer } from './testing/issuer.ts';

const AUDIENCE = 'coaps://lock.test';
/** The issuer waits a second for who follows; a busy machine takes longer. */
const PATIENCE = { timeout: 10_000, interval: 20 };
let issuer: TestIssuer;
let followed: FollowedIssuer;
beforeEach(async () => {
  issuer = await createTestIssuer({ audience: AUDIENCE });
  followed = followIssuer({ ...issuer.options, audience: AUDIENCE });
  await followed.ready();
});
afterEach(() => followed.close());

const token = (change: object = {}) => ({
  client_id: 'lamp',
  sub: 'lamp',
  crd: 'crd_1',
  jti: 'token_1',
  iat: issuer.options.clock(),
  ...change,
});

it('a published key is found, and is the same object each time', async () => {
  const key = await followed.findKey('test-key-1', 'ES256');
  expect(key).toMatchObject({ kid: 'test-key-1', alg: 'ES256', material: { kty: 'EC' } });
  expect(await followed.findKey('test-key-1', 'ES256')).toBe(key);
  expect(await followed.findKey('other', 'ES256')).toBe('unknown');
});

it.each([
  ['identity', 'lamp'],
  ['credential', 'crd_1'],
  ['token', 'token_1'],
  ['key', 'kid_2'],
] as const)('an order about its %s ends a token, and nobody else’s', async (kind, id) => {
  const before = followed.orders;
  expect(followed.fallen(token(), ['kid_1', 'kid_2'])).toBeUndefined();
  const ended = token();
  await issuer.cutOff({ kind, id });
  await vi.waitFor(() => expect(followed.fallen(ended, ['kid_1', 'kid_2'])).toBe('cut_off'), PATIENCE);
  expect(followed.orders).not.toBe(before);
  const other = token({ client_id: 'other', sub: 'other', crd: 'crd_2', jti: 'token_2' });
  expect(followed.fallen(other, ['kid_1'])).toBeUndefined();
});

it('when the authority has not been heard for long nobody knows, but what was ordered is known', async () => {
  const iat = issuer.options.clock();
  await issuer.cutOff({ kind: 'token', id: 'token_1' });
  await vi.waitFor(() => expect(followed.fallen(token({ iat }), [])).toBe('cut_off'), PATIENCE);
  issuer.reachable = false;
  await issuer.advance(60);
  expect(followed.fallen(token({ jti: 'token_2' }), [])).toBe('cutoffs_stale');
  expect(followed.fallen(token({ iat }), [])).toBe('cut_off');
  expect(followed.feed()?.stale).toBe(true);
});

it('tokens that are young enough are taken meanwhile, where the owner says so', async () => {
  const cutoffs = { staleAfter: 10, onStale: { acceptYoungerThan: 30 } };
  const lenient = followIssuer({ ...issuer.options, audience: AUDIENCE, cutoffs });
  await lenient.ready();
  issuer.reachable = false;
  await issuer.advance(60);
  expect(lenient.fallen(token(), [])).toBeUndefined();
  expect(lenient.fallen(token({ iat: issuer.options.clock() - 31 }), [])).toBe('cutoffs_stale');
  lenient.close();
});
