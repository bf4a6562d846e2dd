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
