import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  RESOURCE,
  START,
} from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const row = (client_id: string): object => ({
  client_id,
  environment: 'prod',
  purpose: 'measures',
  owner: { person: 'ada', backup: 'ben', team: 'pay' },
  expires_at: new Date(START + 86_400_000).toISOString(),
});

test('nobody gets the code of a device that holds more of the admin API than they do, dry or not', async () => {
  const token = await operator(authority, 'clerk', ['identities:write', 'certificates:write']);
  const device = { ...identityBody('gate-1', { client_id: 'gate-1' }), kind: 'device' };
  await authority.call('POST', '/v1/identities', { body: device });
  await authority.call('POST', '/v1/access', { body: accessBody('gate-1', RESOURCE, ['usage:write']) });
  const bring = (query: string, more: object = {}): Promise<Answer> =>
    authority.call('POST', `/v1/devices/import${query}`, { token, body: { rows: [row('gate-1')], ...more } });
  for (const query of ['', '?dry_run=true']) {
    const answer = await bring(query);
    expect([answer.status, answer.body.code], answer.text).toEqual([403, 'exceeds_own_access']);
  }
  expect((await authority.call('GET', '/v1/claim-codes')).body.items).toEqual([]);
  expect((await bring('', { codes: false })).body).toMatchObject({ unchanged: 1, codes: [] });
  const fresh = await bring('', { rows: [row('sensor-1')] });
  expect(fresh.body).toMatchObject({ created: 1, codes: [{ client_id: 'sensor-1' }] });
});
