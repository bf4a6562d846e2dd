import { createPublicKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testCertificate } from '../../../test/client-certificate.ts';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  RESOURCE,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';
import { type CredentialPlaces, createCredentialPlaces } from '../../registry/use/credential-places.ts';
import { createIssuancePace, type IssuancePace } from '../../registry/issuance-pace.ts';
import type { FindingRecord } from '../../storage/findings.ts';
import type { Job } from './job.ts';
import { lookForFindingsJob } from './look-for-findings.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const never = new AbortController().signal;

let authority: Authority;
let pace: IssuancePace;
let places: CredentialPlaces;
let job: Job;

beforeEach(async () => {
  authority = await openAuthority();
  pace = createIssuancePace(authority.clock.now());
  places = createCredentialPlaces();
  job = jobOf(authority);
  await job.run(never);
  await authority.call('POST', '/v1/identities', {
    body: identityBody('pay', {
      client_id: 'pay',
      environment: 'prod',
      expires_at: new Date(authority.clock.now() + 200 * DAY).toISOString(),
    }),
  });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const LIFE = { inactivity: 'suspend', suspendedForMs: 30 * 86_400_000 } as const;

function jobOf({ deps }: Authority): Job {
  return lookForFindingsJob({ ...deps, pace, places, ...LIFE, pacer: { breathe: () => Promise.resolve() } });
}

async function addSecret(): Promise<string> {
  const made = await authority.call('POST', '/v1/identities/pay/credentials', {
    body: { type: 'client_secret' },
  });
  expect(made.status, made.text).toBe(201);
  return made.body.id;
}

async function found(kind: FindingRecord['kind']): Promise<readonly FindingRecord[]> {
  const { id } = (await authority.storage.identities.byClientId('pay')) ?? { id: '' };
  return (await authority.storage.findings.list({ identityId: id, kind }, { limit: 100 })).items;
}

async function states(kind: FindingRecord['kind']): Promise<readonly string[]> {
  return (await found(kind)).map((each) => `${each.severity} ${each.state}`);
}

const events = (): string[] =>
  authority.log.events.filter(({ type }) => type.startsWith('finding.')).map(({ type }) => type);

test('what changes is looked at within seconds, everything every hour', async () => {
  await job.run(never);
  await addSecret();
  expect(await states('weak_method')).toEqual([]);
  authority.clock.advance(5000);
  await job.run(never);
  expect(await states('weak_method')).toEqual(['medium open']);
  authority.clock.advance(77 * DAY);
  await job.run(never);
  expect(await states('old_credential')).toEqual(['medium open']);
});

test('the first run looks at nobody, for a start waits for it', async () => {
  await addSecret();
  const fresh = jobOf(authority);
  await fresh.run(never);
  expect(events()).toEqual([]);
  await fresh.run(never);
  expect(events()).toContain('finding.opened');
});

test('running it again, or on two nodes at once, does nothing twice', async () => {
  await addSecret();
  const other = jobOf(authority);
  await other.run(never);
  await Promise.all([job.run(never), other.run(never)]);
  const before = events();
  await job.run(never);
  authority.clock.advance(HOUR + 1);
  await Promise.all([job.run(never), other.run(never)]);
  expect(events()).toEqual(before);
  expect(await states('weak_method')).toEqual(['medium open']);
});

test('a life of ninety days: nothing, old, ending, over, each told once', async () => {
  await addSecret();
  const seen: string[] = [];
  for (let day = 0; day <= 91; day++) {
    authority.clock.advance(DAY);
    await job.run(never);
    const now = (await states('old_credential')).join();
    if (seen.at(-1) !== now) seen.push(now);
  }
  expect(seen).toEqual(['', 'low open', 'medium open', 'high open', 'high resolved']);
  const [record] = await found('old_credential');
  const told = authority.log.events.filter(({ resource }) => resource === record?.id).map(({ type }) => type);
  expect(told).toEqual(['finding.opened', 'finding.updated', 'finding.updated', 'finding.resolved']);
});

test('a revoked credential and a decommissioned identity leave nothing open', async () => {
  const id = await addSecret();
  await job.run(never);
  await authority.call('DELETE', `/v1/credentials/${id}`, { headers: { 'if-match': '*' } });
  await job.run(never);
  expect(await states('weak_method')).toEqual(['medium resolved']);
  await addSecret();
  await job.run(never);
  await authority.call('POST', '/v1/identities/pay/decommission', { body: { reason: 'over' } });
  await job.run(never);
  expect(await states('weak_method')).toEqual(['medium resolved', 'medium resolved']);
});

test('a suspended identity keeps its findings', async () => {
  await addSecret();
  await job.run(never);
  await authority.call('POST', '/v1/identities/pay/suspend', { body: { reason: 'holiday' } });
  await job.run(never);
  expect(await states('weak_method')).toEqual(['medium open']);
});

test('what was accepted is quiet until its time, then open again', async () => {
  await addSecret();
  await job.run(never);
  const [record] = await found('weak_method');
  const until = new Date(authority.clock.now() + 10 * DAY).toISOString();
  const accepted = await authority.call('POST', `/v1/findings/${record?.id}/accept`, {
    body: { reason: 'moves to keys in May', until },
  });
  expect(accepted.body).toMatchObject({ state: 'accepted', accepted_by: 'admin', accepted_until: until });
  authority.clock.advance(9 * DAY);
  await job.run(never);
  expect(await states('weak_method')).toEqual(['medium accepted']);
  authority.clock.advance(DAY + 1);
  await job.run(never);
  expect(await states('weak_method')).toEqual(['medium open']);
  expect(await found('weak_method')).toMatchObject([{ acceptedBy: undefined, acceptedUntil: undefined }]);
  expect(events()).toContain('finding.reopened');
});

test('a client that keeps no token is found by its pace, and forgiven after a day of quiet', async () => {
  const server = resourceServerBody('https://fraud.example', ['read', 'write']);
  await authority.call('POST', '/v1/resource-servers', { body: server });
  const access = await authority.call('POST', '/v1/access', {
    body: accessBody('pay', 'https://fraud.example', ['read']),
  });
  expect(access.status, access.text).toBe(201);
  await job.run(never);
  for (let i = 0; i < 700; i++) pace.count(access.body.id, 600, '192.0.2.1');
  authority.clock.advance(HOUR + 1);
  await job.run(never);
  expect(await states('uncached_client')).toEqual(['medium open']);
  for (let hour = 1; hour < 24; hour++) {
    authority.clock.advance(HOUR);
    await job.run(never);
  }
  expect(await states('uncached_client')).toEqual(['medium open']);
  authority.clock.advance(HOUR);
  await job.run(never);
  expect(await states('uncached_client')).toEqual(['medium resolved']);
});

test('an abort stops it between two identities', async () => {
  await addSecret();
  const stopping = new AbortController();
  stopping.abort();
  await job.run(stopping.signal);
  expect(events()).toEqual([]);
});

test('a credential that was made while its identity was narrowed is found when the access is restored', async () => {
  const mallory = await operator(authority, 'mallory', ['access:write', 'credentials:write']);
  await addSecret();
  const give = (scopes: string[]): Promise<Answer> =>
    authority.call('POST', '/v1/access', { body: accessBody('pay', RESOURCE, scopes) });
  const access = (await give(['keys:write', 'access:write'])).body.id;
  await addSecret();
  await job.run(never);
  expect(await found('credential_made_while_narrowed')).toEqual([]);

  const path = '/v1/identities/pay/credentials';
  const plant = { body: { type: 'client_secret' }, token: mallory };
  expect((await authority.call('POST', path, plant)).status).toBe(403);
  authority.clock.advance(1000);
  const narrower = { body: { scopes: ['access:write'] }, headers: { 'If-Match': '*' }, token: mallory };
  expect((await authority.call('PATCH', `/v1/access/${access}`, narrower)).status).toBe(200);
  authority.clock.advance(1000);
  const planted = await authority.call('POST', path, plant);
  expect(planted.status).toBe(201);
  await job.run(never);
  expect(await found('credential_made_while_narrowed')).toEqual([]);

  authority.clock.advance(1000);
  const wider = { body: { scopes: ['keys:write', 'access:write'] }, headers: { 'If-Match': '*' } };
  expect((await authority.call('PATCH', `/v1/access/${access}`, wider)).status).toBe(200);
  await job.run(never);
  const [finding, ...others] = await found('credential_made_while_narrowed');
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    subjectId: planted.body.id,
    severity: 'high',
    state: 'open',
    fix: `countersign credentials revoke ${planted.body.id}`,
  });
  expect(finding?.reason).toContain('keys:write');

  await authority.call('DELETE', `/v1/credentials/${planted.body.id}`, { headers: { 'If-Match': '*' } });
  await job.run(never);
  expect(await states('credential_made_while_narrowed')).toEqual(['high resolved']);
});

test('so is one that was made after the access was revoked, when another one is given', async () => {
  const access = (
    await authority.call('POST', '/v1/access', { body: accessBody('pay', RESOURCE, ['keys:write']) })
  ).body.id;
  authority.clock.advance(1000);
  await authority.call('DELETE', `/v1/access/${access}`, { headers: { 'If-Match': '*' } });
  authority.clock.advance(1000);
  const planted = await addSecret();
  authority.clock.advance(1000);
  await authority.call('POST', '/v1/access', {
    body: accessBody('pay', RESOURCE, ['keys:write', 'keys:read']),
  });
  await job.run(never);
  expect((await found('credential_made_while_narrowed')).map(({ subjectId }) => subjectId)).toEqual([
    planted,
  ]);
});

describe('one public key of two identities', () => {
  const made = testCertificate({ notBefore: START - DAY, notAfter: START + 100 * DAY });
  const certificate = made.pem;
  const jwk = createPublicKey(made.privateKey).export({ format: 'jwk' });

  async function register(clientId: string, body: object): Promise<string> {
    const answer = await authority.call('POST', `/v1/identities/${clientId}/credentials`, { body });
    expect(answer.status, answer.text).toBe(201);
    return answer.body.id as string;
  }
  async function look(): Promise<void> {
    authority.clock.advance(5000);
    await job.run(never);
  }
  async function seen(): Promise<string[]> {
    const { items } = await authority.storage.findings.list(
      { kind: 'shared_key', state: 'open' },
      { limit: 9 },
    );
    return items.map(({ subjectId, severity }) => `${severity} ${subjectId}`).toSorted();
  }
  beforeEach(async () => {
    await job.run(never);
    await authority.call('POST', '/v1/identities', { body: identityBody('other', { client_id: 'other' }) });
  });

  test('is found with both, as a key and in a certificate, and gone with both when one is revoked', async () => {
    const first = await register('pay', { type: 'private_key_jwt', jwk });
    await look();
    expect(await seen()).toEqual([]);
    // Only the other one changes.
    const second = await register('other', { type: 'self_signed_tls_client_auth', certificate });
    await look();
    expect(await seen()).toEqual([`high ${first}`, `low ${second}`]);
    await authority.call('DELETE', `/v1/credentials/${second}`, { headers: { 'If-Match': '*' } });
    await look();
    expect(await seen()).toEqual([]);
  });

  test('of one identity, as while it replaces one credential by the other, is none', async () => {
    await register('pay', { type: 'private_key_jwt', jwk });
    await register('pay', { type: 'private_key_jwt', jwk, label: 'again' });
    await register('pay', { type: 'self_signed_tls_client_auth', certificate });
    await look();
    expect(await seen()).toEqual([]);
  });

  test('of an identity that will never act again is none', async () => {
    await register('pay', { type: 'private_key_jwt', jwk });
    await register('other', { type: 'private_key_jwt', jwk });
    await look();
    expect(await seen()).toHaveLength(2);
    const reason = { body: { reason: 'is over' } };
    expect((await authority.call('POST', '/v1/identities/other/decommission', reason)).status).toBe(200);
    await look();
    expect(await seen()).toEqual([]);
  });
});

test('the score of each is kept, listed from the riskiest on, and told when it comes into another band', async () => {
  await job.run(never);
  const list = async (query = ''): Promise<{ client_id: string; score: number; band: string }[]> =>
    (await authority.call('GET', `/v1/risk?${query}`)).body.items;
  const pay = async (): Promise<{ score: number; band: string } | undefined> =>
    (await list()).find(({ client_id }) => client_id === 'pay');
  const before = await pay();
  expect(before).toMatchObject({ band: 'low' });
  await addSecret();
  for (const [name, sensitivity] of [
    ['a', 3],
    ['b', 3],
  ] as const) {
    const identifier = `https://${name}.test`;
    const scopes = [{ name: 'x', description: 'x', sensitivity }];
    await authority.call('POST', '/v1/resource-servers', { body: { identifier, name, scopes } });
    await authority.call('POST', '/v1/access', { body: accessBody('pay', identifier, ['x']) });
  }
  authority.clock.advance(5000);
  await job.run(never);
  const after = await pay();
  expect(after?.band).not.toBe('low');
  expect((await authority.call('GET', '/v1/identities/pay/risk')).body.score).toBe(after?.score);
  const scores = (await list()).map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((one, other) => other - one));
  expect((await list(`min_score=${after?.score}`)).every(({ score }) => score >= (after?.score ?? 0))).toBe(
    true,
  );
  const told = authority.log.events.filter(({ type }) => type === 'risk.changed');
  expect(told).toHaveLength(1);
  authority.clock.advance(5000);
  await job.run(never);
  expect(authority.log.events.filter(({ type }) => type === 'risk.changed')).toHaveLength(1);
});
