import { operations } from '@countersign/admin-api';
import { expect, test } from 'vitest';
import { accessBody, identityBody, openAuthority, resourceServerBody } from '../../../test/authority.ts';
import { findingRecord } from '../../storage/contract/records.ts';

test('the score of an identity is a sum that is shown, by id and by client_id, and short in the identity itself', async () => {
  const authority = await openAuthority();
  const api = 'https://pay.test';
  const made = await authority.call('POST', '/v1/identities', {
    body: identityBody('pay', { client_id: 'pay', environment: 'prod', sensitivity: 3 }),
  });
  await authority.call('POST', '/v1/resource-servers', { body: resourceServerBody(api, ['read']) });
  await authority.call('POST', '/v1/identities/pay/credentials', { body: { type: 'client_secret' } });
  await authority.call('POST', '/v1/access', { body: accessBody('pay', api, ['read']) });
  const risk = await authority.call('GET', '/v1/identities/pay/risk');
  expect(operations['risk.get'].response.parse(risk.body)).toEqual(risk.body);
  const points: number[] = risk.body.rows.map((row: { points: number }) => row.points);
  expect(points.reduce((sum, each) => sum + each, 0)).toBe(risk.body.score);
  expect((await authority.call('GET', `/v1/identities/${made.body.id}/risk`)).body).toEqual(risk.body);
  const { score, band } = risk.body;
  expect((await authority.call('GET', '/v1/identities/pay')).body.risk).toEqual({ score, band });
  await authority.storage.findings.insert(findingRecord(made.body.id, { severity: 'high' }));
  expect((await authority.call('GET', '/v1/identities/pay/risk')).body.score).toBe(score + 8);
  expect((await authority.call('GET', '/v1/identities/nobody/risk')).status).toBe(404);
  expect(authority.bugs).toEqual([]);
  await authority.close();
});
