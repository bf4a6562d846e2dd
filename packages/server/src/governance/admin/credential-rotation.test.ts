import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { beginToSee, createCredentialInstances } from '../../registry/use/credential-instances.ts';
import { keepWatch } from '../../registry/use/watch.ts';
import { retireRotatedJob } from '../jobs/retire-rotated.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let authority: Authority;
let made = 0;
beforeAll(async () => {
  authority = await openAuthority();
  await beginToSee(authority.storage.settings, authority.clock);
  await keepWatch(authority.storage.settings, authority.clock.now());
});
afterEach(() => expect(authority.bugs).toEqual([]));
afterAll(() => authority.close());

async function withCredential(
  body: object = { type: 'client_secret' },
  change: object = {},
): Promise<string> {
  const client_id = `client-${++made}`;
  const expires_at = new Date(authority.clock.now() + 300 * DAY).toISOString();
  await authority.call('POST', '/v1/identities', {
    body: identityBody('x', { client_id, expires_at, ...change }),
  });
  const answer = await authority.call('POST', `/v1/identities/${client_id}/credentials`, { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id;
}

const rotate = (id: string, body: object = {}) =>
  authority.call('POST', `/v1/credentials/${id}/rotate`, { body });
const get = async (id: string) => (await authority.call('GET', `/v1/credentials/${id}`)).body;

function jwk(): object {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
}

/** As the authority sees them: an hour after the last thing that happened. */
async function retire(instances = createCredentialInstances(authority.storage.credentialInstances)) {
  await retireRotatedJob({ ...authority.deps, instances }).run(new AbortController().signal);
}

test('a rotation makes a successor of the same type and limits, and the old one works on for the overlap', async () => {
  const id = await withCredential({ type: 'api_key', scopes: ['fraud:read'], label: 'kiosk' });
  const before = authority.log.events.length;
  const answer = await rotate(id, { overlap: '7d' });
  expect(answer.status, answer.text).toBe(201);
  expect(answer.body).toMatchObject({
    type: 'api_key',
    label: 'kiosk',
    scopes: ['fraud:read'],
    predecessor: id,
    rotated_by: 'administration',
  });
  expect(answer.body.secret).toMatch(/^cak_/);
  expect(answer.headers['location']).toBe(`/v1/credentials/${answer.body.id}`);
  const old = await get(id);
  expect(old).toMatchObject({ state: 'active', successor: answer.body.id });
  expect(Date.parse(old.expires_at)).toBe(authority.clock.now() + 7 * DAY);
  expect(authority.log.events.slice(before).map(({ type }) => type)).toEqual([
    'credential.created',
    'credential.rotated',
  ]);
});

test('of a key, the new public key is needed and nothing else is taken', async () => {
  const id = await withCredential({
    type: 'private_key_jwt',
    jwk: jwk(),
    allow_token_endpoint_audience: true,
  });
  expect((await rotate(id)).body).toMatchObject({ status: 400, code: 'validation_failed' });
  const wrong = await rotate(id, { jwk: jwk(), certificate: PEM });
  expect(wrong.body.errors[0].pointer).toBe('/certificate');
  const answer = await rotate(id, { jwk: jwk() });
  expect(answer.body).toMatchObject({ type: 'private_key_jwt', allow_token_endpoint_audience: true });
  expect(answer.body.secret).toBeUndefined();
});
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

test('what others hold the keys of is not rotated here', async () => {
  const issuer = 'https://ci.test';
  await authority.call('POST', '/v1/trusted-issuers', { body: { issuer, name: 'CI' } });
  const id = await withCredential({ type: 'federated', trusted_issuer: issuer, conditions: { sub: 'a' } });
  expect((await rotate(id)).body).toMatchObject({ status: 400, errors: [{ pointer: '/type' }] });
});

test('one successor at a time; another one once that does not work any more', async () => {
  const id = await withCredential();
  const first = await rotate(id);
  const again = await rotate(id);
  expect(again.body).toMatchObject({ status: 409, code: 'illegal_transition', existing: first.body.id });
  await authority.call('DELETE', `/v1/credentials/${first.body.id}`, { headers: { 'If-Match': '*' } });
  expect((await authority.call('GET', `/v1/credentials/${id}/rotation`)).body.state).toBe('broken');
  const second = await rotate(id);
  expect(second.status).toBe(201);
  expect((await get(id)).successor).toBe(second.body.id);
});

test('two rotations at once: one of them is made', async () => {
  const id = await withCredential();
  const answers = await Promise.all([rotate(id), rotate(id), rotate(id)]);
  expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([201, 409, 409]);
  expect((await authority.storage.credentials.succeeding(id)).length).toBe(1);
});

test('what has ended is not rotated, and the overlap has an end', async () => {
  const id = await withCredential();
  expect((await rotate(id, { overlap: '31d' })).body).toMatchObject({
    status: 400,
    errors: [{ pointer: '/overlap' }],
  });
  await authority.call('DELETE', `/v1/credentials/${id}`, { headers: { 'If-Match': '*' } });
  expect((await rotate(id)).body.code).toBe('illegal_transition');
});

test('a stale version, and a dry run, change nothing', async () => {
  const id = await withCredential();
  const headers = { 'If-Match': '"9"' };
  expect((await authority.call('POST', `/v1/credentials/${id}/rotate`, { body: {}, headers })).status).toBe(
    412,
  );
  const dry = await authority.call('POST', `/v1/credentials/${id}/rotate?dry_run=true`, { body: {} });
  expect(dry.text).not.toMatch(/csk_|"secret"/);
  expect(dry.body.changes.map(({ op }: { op: string }) => op)).toEqual(['create', 'update']);
  expect((await get(id)).successor).toBeUndefined();
});

test('the old one ends by itself once every instance has moved; the straggler is named until then', async () => {
  const id = await withCredential();
  const instances = createCredentialInstances(authority.storage.credentialInstances);
  const saw = async (credentialId: string, instance: string) => {
    const record = await authority.storage.credentials.byId(credentialId);
    if (record !== undefined) instances.saw(record, instance, '10.0.0.7', authority.clock.now());
    await instances.flush();
  };
  await saw(id, 'one');
  await saw(id, 'two');
  const { body: successor } = await rotate(id);
  authority.clock.advance(HOUR);
  await saw(successor.id, 'one');
  authority.clock.advance(3 * HOUR);
  await saw(id, 'two');
  await retire(instances);
  const shown = (await authority.call('GET', `/v1/credentials/${successor.id}/rotation`)).body;
  expect(shown).toMatchObject({
    credential: id,
    state: 'moving',
    moved: 1,
    waiting: 1,
    successor_used: true,
  });
  expect(shown.instances[0]).toMatchObject({ instance: 'two', state: 'waiting', source: '10.0.0.7' });
  await saw(successor.id, 'two');
  authority.clock.advance(1);
  await saw(successor.id, 'two');
  await retire(instances);
  expect((await get(id)).state).toBe('active');
  authority.clock.advance(2 * HOUR);
  await saw(successor.id, 'two');
  await retire(instances);
  expect(await get(id)).toMatchObject({ state: 'expired' });
  expect((await get(successor.id)).state).toBe('active');
  expect(authority.log.events.findLast(({ resource }) => resource === id)?.type).toBe('credential.retired');
  expect((await authority.call('GET', `/v1/credentials/${id}/rotation`)).body.state).toBe('over');
});

test('and at the latest when the overlap is over, whoever has not moved', async () => {
  const id = await withCredential();
  await rotate(id, { overlap: '1d' });
  authority.clock.advance(DAY);
  expect(Date.parse((await get(id)).expires_at)).toBeLessThanOrEqual(authority.clock.now());
  expect((await authority.call('GET', `/v1/credentials/${id}/rotation`)).body.state).toBe('over');
});

test('what was never rotated has no rotation', async () => {
  const id = await withCredential();
  expect((await authority.call('GET', `/v1/credentials/${id}/rotation`)).status).toBe(404);
});

test('a cut-off of a credential takes those that whoever held it made, and others when told to', async () => {
  const chain = async (by: 'itself' | 'administration') => {
    const id = await withCredential();
    const { body: successor } = await rotate(id);
    if (by === 'itself') await asMadeByItself(successor.id);
    return { id, successor: successor.id as string };
  };
  const cut = (id: string, more: object = {}) =>
    authority.call('POST', '/v1/cutoffs', { body: { kind: 'credential', id, reason: 'stolen', ...more } });

  const given = await chain('administration');
  expect((await cut(given.id)).status).toBe(201);
  expect((await get(given.successor)).state).toBe('active');

  const own = await chain('itself');
  const before = authority.log.events.filter(({ type }) => type === 'cutoff.ordered').length;
  await cut(own.id);
  expect((await get(own.successor)).state).toBe('revoked');
  expect(authority.log.events.filter(({ type }) => type === 'cutoff.ordered').length).toBe(before + 2);

  const all = await chain('administration');
  await cut(all.id, { successors: 'all' });
  expect((await get(all.successor)).state).toBe('revoked');

  const none = await chain('itself');
  await cut(none.id, { successors: 'none' });
  expect((await get(none.successor)).state).toBe('active');

  const other = { kind: 'identity', id: 'client-1', reason: 'x', successors: 'all' };
  expect((await authority.call('POST', '/v1/cutoffs', { body: other })).status).toBe(400);
});

/** As the token wing makes it: oauth/endpoints/rotate.test.ts. */
async function asMadeByItself(id: string): Promise<void> {
  const record = await authority.storage.credentials.byId(id);
  if (record?.predecessor === undefined) throw new Error('no successor');
  await authority.storage.credentials.replace({
    ...record,
    predecessor: { ...record.predecessor, by: 'itself' },
    version: record.version + 1,
  });
}

test('an owner rotates what is its own and nothing else', async () => {
  const owner = { person: 'mia', team: 'payments' };
  const [own, other] = [await withCredential(undefined, { owner }), await withCredential()];
  const token = await authority.personToken('pat', ['owner'], { teams: ['payments'] });
  const as = (id: string) => authority.call('POST', `/v1/credentials/${id}/rotate`, { token, body: {} });
  expect((await as(own)).status).toBe(201);
  expect((await as(other)).body).toMatchObject({ status: 403, code: 'not_own' });
});
