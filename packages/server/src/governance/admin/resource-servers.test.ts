import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, openAuthority, resourceServerBody } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

test.each(['https://authority.test/v1/', 'https://AUTHORITY.test./v1', 'https://authority.test:443/v1'])(
  'nobody registers the admin API in another spelling, by request or by document: %s',
  async (identifier) => {
    const body = resourceServerBody(identifier, ['read']);
    const answer = await authority.call('POST', '/v1/resource-servers', { body });
    expect([answer.status, answer.body.code]).toEqual([409, 'built_in']);
    expect(answer.body.errors[0].pointer).toBe('/identifier');
    const spec = { identifier, scopes: [{ name: 'read' }] };
    const document = {
      apiVersion: 'countersign/v1',
      kind: 'ResourceServer',
      metadata: { name: 'other' },
      spec,
    };
    const applied = await authority.call('POST', '/v1/apply', { body: { documents: [document] } });
    expect([applied.status, applied.body.code]).toEqual([409, 'built_in']);
  },
);

test.each([
  [{ token: { format: 'cwt', signing_alg: 'RS256' } }, '/token/signing_alg'],
  [{ token: { format: 'cwt', status_list: true } }, '/token/status_list'],
  [{ token: { format: 'cwt' }, sender_constraint: 'dpop' }, '/sender_constraint'],
])('CBOR tokens go with nothing else: %j', async (settings, pointer) => {
  const identifier = 'coaps://lock.test';
  const body = { ...resourceServerBody(identifier, ['read']), ...settings };
  const answer = await authority.call('POST', '/v1/resource-servers', { body });
  expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
  expect(answer.body.errors[0].pointer).toBe(pointer);
  const plain = { ...resourceServerBody(identifier, ['read']), token: { format: 'cwt' } };
  const made = await authority.call('POST', '/v1/resource-servers', { body: plain });
  expect([made.status, made.body.token.format]).toEqual([201, 'cwt']);
  const path = `/v1/resource-servers/${made.body.id}`;
  const changed = await authority.call('PATCH', path, { body: settings, headers: { 'if-match': '*' } });
  expect([changed.status, changed.body.errors?.[0].pointer]).toEqual([400, pointer]);
});
