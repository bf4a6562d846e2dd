import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { beginToNote } from '../../registry/use/credential-uses.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let authority: Authority;
let id: string;

beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', { body: identityBody('pay', { client_id: 'pay' }) });
  const made = await authority.call('POST', '/v1/identities/pay/credentials', {
    body: { type: 'client_secret' },
  });
  expect(made.body.usage).toBeUndefined();
  ({ id } = made.body);
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function usage(query = ''): Promise<Record<string, unknown>> {
  const one = await authority.call('GET', `/v1/credentials/${id}${query}`);
  expect(one.status, one.text).toBe(200);
  expect(operations['credentials.get'].response.parse(one.body)).toEqual(one.body);
  return one.body.usage;
}

test('a credential is unused only since the authority notes what is used', async () => {
  expect(await usage()).toMatchObject({ state: 'unknown', last_used: null });
  authority.clock.advance(DAY);
  await beginToNote(authority.storage.settings, authority.clock);
  authority.clock.advance(DAY);
  await beginToNote(authority.storage.settings, authority.clock);
  expect(await usage()).toMatchObject({ state: 'unknown' });
  expect(await usage('?within=12h')).toMatchObject({ state: 'unused', last_token: null, last_call: null });
});

test('a token makes it used; a note that may be older than the last token does not make it unused', async () => {
  await beginToNote(authority.storage.settings, authority.clock);
  authority.clock.advance(DAY);
  const at = authority.clock.now();
  await authority.storage.credentialUse.note(id, at);
  expect(await usage()).toMatchObject({
    state: 'used',
    last_used: new Date(at).toISOString(),
    last_call: null,
  });
  authority.clock.advance(12 * HOUR);
  expect(await usage('?within=690m')).toMatchObject({ state: 'unknown' });
  expect(await usage('?within=10h')).toMatchObject({ state: 'unused' });
});

test('each credential of a list says it, and an answer to a change does not', async () => {
  for (const path of ['/v1/credentials?identity=pay', '/v1/identities/pay/credentials']) {
    const { body } = await authority.call('GET', path);
    expect(operations['credentials.list'].response.parse(body)).toEqual(body);
    expect(body.items.map((each: { usage: { state: string } }) => each.usage.state)).toEqual(['unknown']);
  }
  const patched = await authority.call('PATCH', `/v1/credentials/${id}`, {
    body: { label: 'x' },
    headers: { 'If-Match': '*' },
  });
  expect(patched.body.usage).toBeUndefined();
});
