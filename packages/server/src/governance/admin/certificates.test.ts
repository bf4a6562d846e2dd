import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { newRequest } from '../../../test/issuing.ts';
import { certificationRequestOf } from '../../registry/certificates/certificate-request.ts';
import { issueCertificate } from '../../registry/certificates/issue.ts';
import type { CertificateRecord } from '../../storage/certificates.ts';

let authority: Authority;
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function identity(client_id: string, change: Record<string, unknown> = {}): Promise<string> {
  const body = identityBody(client_id, { client_id, environment: 'prod', ...change });
  const made = await authority.call('POST', '/v1/identities', { body });
  expect(made.status, made.text).toBe(201);
  return made.body.id;
}
const issue = (of: string, more: Record<string, unknown> = {}): Promise<Answer> =>
  authority.call('POST', `/v1/identities/${of}/certificates`, { body: { csr: newRequest(), ...more } });
/** Nothing was made: neither a certificate nor the credential that it would have served. */
async function expectNothingMade(of: string): Promise<void> {
  for (const noun of ['certificates', 'credentials'])
    expect((await authority.call('GET', `/v1/${noun}?identity=${of}`)).body.items).toEqual([]);
  expect(
    authority.log.events.filter(
      ({ type, outcome }) => type.startsWith('certificate.') && outcome === 'success',
    ),
  ).toEqual([]);
}
const policy = (rule: string, parameters: object, more: object = {}): Promise<Answer> =>
  authority.call('POST', '/v1/policies', {
    body: { name: rule, rule, parameters, mode: 'enforce', ...more },
  });

describe('policies on certificates', () => {
  beforeEach(async () => {
    authority = await openAuthority();
    await identity('payments');
  });

  test('a method that is not allowed gets none, and nothing is made', async () => {
    expect((await policy('methods_allowed', { methods: ['private_key_jwt'] })).status).toBe(201);
    const refused = await issue('payments');
    expect([refused.status, refused.body.code], refused.text).toEqual([403, 'refused_by_policy']);
    await expectNothingMade('payments');
  });

  test('one that is allowed gets one', async () => {
    await policy('methods_allowed', { methods: ['tls_client_auth'] });
    const issued = await issue('payments');
    expect(issued.status, issued.text).toBe(201);
  });

  test('a policy that only warns is told with the certificate', async () => {
    await policy('methods_allowed', { methods: ['private_key_jwt'] }, { mode: 'warn' });
    const issued = await issue('payments');
    expect(issued.status, issued.text).toBe(201);
    expect(issued.body.warnings).toHaveLength(1);
  });
});

test('a method that the deployment refuses in an environment gets none there', async () => {
  authority = await openAuthority({
    refusedMethods: new Map([['prod', new Set(['tls_client_auth' as const])]]),
  });
  await identity('payments');
  await identity('tester', { environment: 'test' });
  const refused = await issue('payments');
  expect([refused.status, refused.body.code], refused.text).toEqual([403, 'refused_by_policy']);
  await expectNothingMade('payments');
  expect((await issue('tester')).status).toBe(201);
});

describe('approvals before certificates', () => {
  beforeEach(async () => {
    authority = await openAuthority();
    const body = {
      name: 'all',
      subject: 'identity',
      match: { environments: ['prod'] },
      steps: [{ quorum: 1, roles: ['approver'] }],
    };
    const made = await authority.call('POST', '/v1/approval-rules', { body });
    expect(made.status, made.text).toBe(201);
  });

  test('who waits for approval gets none; who is approved gets one', async () => {
    const id = await identity('payments');
    const shown = await authority.call('GET', `/v1/identities/${id}`);
    expect(shown.body.state).toBe('requested');
    const early = await issue('payments');
    expect([early.status, early.body.code], early.text).toEqual([409, 'illegal_transition']);
    await expectNothingMade('payments');
    const approved = await authority.call('POST', `/v1/identities/${id}/approve`, {
      token: await authority.personToken('kim', ['approver']),
      body: { content_hash: shown.body.pending.content_hash },
    });
    expect(approved.status, approved.text).toBe(200);
    expect((await issue('payments')).status).toBe(201);
  });
});

describe('what was renewed from a certificate', () => {
  let first: Answer['body'];
  beforeEach(async () => {
    authority = await openAuthority();
    await identity('payments');
    first = (await issue('payments')).body;
  });

  async function renew(from: string): Promise<CertificateRecord> {
    const { storage } = authority;
    const deps = { ...authority.deps, ...authority.deps.issuing };
    const shown = await storage.certificates.byId(from);
    return await storage.transaction(async (stores) => {
      const credential = await stores.credentials.byId(shown?.credentialId ?? '');
      const holder = await stores.identities.byId(shown?.identityId ?? '');
      if (holder === undefined) throw new Error('there is no such machine');
      const request = certificationRequestOf(newRequest());
      const asked = { request, lifetime: undefined, by: 'itself', credential, renewedFrom: from } as const;
      return (await issueCertificate(deps, stores, () => undefined, holder, asked)).record;
    });
  }
  const revoke = (id: string, more: object = {}, dry = ''): Promise<Answer> =>
    authority.call('POST', `/v1/certificates/${id}/revoke${dry}`, { body: { reason: 'stolen', ...more } });
  const stateOf = async (id: string): Promise<string> =>
    (await authority.call('GET', `/v1/certificates/${id}`)).body.state;
  const refusedOf = async (credential: string): Promise<readonly string[]> => {
    const { material } = (await authority.storage.credentials.byId(credential)) ?? {};
    return material?.type === 'tls_client_auth'
      ? (material.revoked ?? []).map((each) => each.serialNumber)
      : [];
  };

  test('knows what it was renewed from, and goes with it', async () => {
    const second = await renew(first.id);
    const third = await renew(second.id);
    const beside = (await issue('payments')).body;
    const shown = await authority.call('GET', `/v1/certificates/${third.id}`);
    expect(shown.body.renewed_from).toBe(second.id);
    const dry = await revoke(first.id, {}, '?dry_run=true');
    const ends = dry.body.changes.filter((each: { kind: string }) => each.kind === 'Certificate');
    expect(ends.map(({ after }: { after: { id: string } }) => after.id)).toEqual([
      first.id,
      second.id,
      third.id,
    ]);
    expect(dry.body.ends_also).toMatchObject([
      { kind: 'certificate', id: second.id, renewed_from: first.id },
      { kind: 'certificate', id: third.id, renewed_from: second.id },
    ]);
    expect(await stateOf(second.id)).toBe('valid');
    const revoked = await revoke(first.id, { code: 'key_compromise' });
    expect([revoked.status, revoked.body.state], revoked.text).toEqual([200, 'revoked']);
    for (const id of [second.id, third.id]) expect(await stateOf(id)).toBe('revoked');
    expect(await stateOf(beside.id)).toBe('valid');
    expect(await refusedOf(first.credential)).toHaveLength(3);
    const again = await revoke(first.id);
    expect([again.status, again.body.version], again.text).toEqual([200, revoked.body.version]);
    expect(authority.log.events.filter(({ type }) => type === 'certificate.revoked')).toHaveLength(3);
    expect(authority.log.events.filter(({ type }) => type === 'cutoff.ordered')).toHaveLength(1);
  });

  test('goes on where only that one is revoked, and can be ended later', async () => {
    const second = await renew(first.id);
    expect((await revoke(first.id, { descendants: 'none' })).status).toBe(200);
    expect(await stateOf(second.id)).toBe('valid');
    expect((await revoke(first.id)).status).toBe(200);
    expect(await stateOf(second.id)).toBe('revoked');
  });

  test('goes also where the first has ended meanwhile', async () => {
    authority.clock.advance(3_600_000);
    const short = (await issue('payments', { lifetime: '1h' })).body;
    const second = await renew(short.id);
    authority.clock.advance(2 * 3_600_000);
    expect((await revoke(short.id)).status).toBe(200);
    expect(await stateOf(second.id)).toBe('revoked');
    const again = await revoke(short.id);
    expect([again.status, again.body.code], again.text).toEqual([409, 'illegal_transition']);
  });

  test('is not safe by being many: then their credential ends', async () => {
    for (let i = 0; i < 64; i++) await renew(first.id);
    const revoked = await revoke(first.id);
    expect(revoked.status, revoked.text).toBe(200);
    const credential = await authority.call('GET', `/v1/credentials/${first.credential}`);
    expect(credential.body.state).toBe('revoked');
  });

  test('goes with the credential that is cut off, where it serves another one', async () => {
    const old = await authority.storage.credentials.byId(first.credential);
    if (old === undefined) throw new Error('there is no credential');
    authority.clock.advance(1000);
    const rotated = await authority.call('POST', `/v1/credentials/${old.id}/rotate`, { body: {} });
    expect(rotated.status, rotated.text).toBe(201);
    const stolen = await renew(first.id);
    expect(stolen.credentialId).toBe(rotated.body.id);
    const order = { kind: 'credential', id: old.id, reason: 'stolen' };
    const spared = await authority.call('POST', '/v1/cutoffs?dry_run=true', {
      body: { ...order, successors: 'none' },
    });
    expect(JSON.stringify(spared.body.changes)).not.toContain(stolen.id);
    const cut = await authority.call('POST', '/v1/cutoffs', { body: order });
    expect(cut.status, cut.text).toBe(201);
    expect(await stateOf(stolen.id)).toBe('revoked');
    expect((await authority.call('GET', `/v1/credentials/${rotated.body.id}`)).body.state).toBe('active');
    const orders = (await authority.call('GET', '/v1/cutoffs')).body.items;
    expect(orders.map(({ target }: { target: string }) => target)).toEqual([old.id, rotated.body.id]);
  });
});
