import { generateKeyPairSync } from 'node:crypto';
import { document, type DocumentInput, operations } from '@countersign/admin-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  ISSUER,
  openAuthority,
  operator,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';
import { testCertificate } from '../../../test/client-certificate.ts';
import { applyDocuments } from './documents.ts';

const FRAUD = 'https://fraud.test';
const SECRET = 'csk_01234567_01234567890123456789012345678901';
const DAY = 86_400_000;
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const head = { apiVersion: 'countersign/v1' } as const;
const story: DocumentInput[] = [
  {
    ...head,
    kind: 'Access',
    metadata: { name: 'payments reads fraud' },
    spec: {
      identity: 'payments',
      resource_server: FRAUD,
      scopes: ['fraud:read'],
      justification: 'asks for scores',
      expires_in: '90d',
    },
  },
  {
    ...head,
    kind: 'Credential',
    metadata: { name: 'first' },
    spec: { identity: 'payments', type: 'client_secret', expires_in: '30d' },
  },
  {
    ...head,
    kind: 'Identity',
    metadata: { name: 'payments' },
    spec: {
      kind: 'service',
      environment: 'prod',
      purpose: 'takes payments',
      owner: { person: 'ada', team: 'pay' },
      expires_in: '90d',
    },
  },
  {
    ...head,
    kind: 'ResourceServer',
    metadata: { name: 'Fraud' },
    spec: { identifier: FRAUD, scopes: [{ name: 'fraud:read' }, { name: 'fraud:write', sensitivity: 2 }] },
  },
];

const apply = (documents: unknown, change: object = {}): Promise<Answer> =>
  authority.call('POST', '/v1/apply', { body: { documents, ...change } });
const plan = (documents: unknown, change: object = {}): Promise<Answer> =>
  authority.call('POST', '/v1/apply?dry_run=true', { body: { documents, ...change } });
const told = (answer: Answer): string[] =>
  answer.body.changes.map(
    (each: { op: string; kind: string; name: string }) => `${each.op} ${each.kind} ${each.name}`,
  );

const CREATED = [
  `create ResourceServer ${FRAUD}`,
  'create Identity payments',
  'create Credential payments/first',
  `create Access payments → ${FRAUD}`,
];

describe('apply', () => {
  test('makes what is pointed at before what points at it, and answers the secret once', async () => {
    const answer = await apply(story);
    expect(answer.status, answer.text).toBe(200);
    expect(operations['apply.run'].response.parse(answer.body)).toEqual(answer.body);
    expect(told(answer)).toEqual(CREATED);
    expect(answer.body.secrets).toEqual([
      { name: 'first', identity: 'payments', secret: expect.stringMatching(/^csk_/) },
    ]);
    expect(JSON.stringify(answer.body.changes)).not.toContain(answer.body.secrets[0].secret);
    const { body: access } = await authority.call('GET', '/v1/access?identity=payments');
    expect(access.items[0].expires_at).toBe(new Date(START + 90 * DAY).toISOString());
  });

  test('a second time changes nothing, later too', async () => {
    await apply(story);
    authority.clock.advance(5 * DAY);
    const again = await apply(story);
    expect(again.body).toEqual({ changes: [], secrets: [] });
  });

  test('the plan is the same as the application, and changes nothing', async () => {
    const planned = await plan(story);
    expect(told(planned)).toEqual(CREATED);
    expect(planned.text).not.toContain('csk_');
    expect((await authority.call('GET', '/v1/identities')).body.items).toHaveLength(1);
  });

  test('what differs is changed, and only that', async () => {
    await apply(story);
    const changed = structuredClone(story) as { spec: Record<string, unknown> }[];
    Object.assign(changed[2]?.spec ?? {}, { purpose: 'takes and returns payments' });
    Object.assign(changed[0]?.spec ?? {}, { scopes: ['fraud:write', 'fraud:read'] });
    const answer = await apply(changed);
    expect(answer.body.changes).toMatchObject([
      { op: 'update', kind: 'Identity', fields: ['purpose'] },
      { op: 'update', kind: 'Access', fields: ['scopes'] },
    ]);
    Object.assign(changed[0]?.spec ?? {}, { scopes: ['fraud:read', 'fraud:write'] });
    expect((await apply(changed)).body.changes).toEqual([]);
  });

  test('a declared secret is taken over, kept, and changed by declaring another', async () => {
    const { generateSecret } = await import('@countersign/protocol');
    const [first, second] = [1, 2].map(() => generateSecret('csk', authority.deps.random).secret);
    const withSecret = (secret: unknown): unknown[] => [
      story[2],
      { ...story[1], spec: { ...story[1]?.spec, secret } },
    ];
    const answer = await apply(withSecret(first));
    expect(answer.body.secrets).toEqual([]);
    expect(answer.text).not.toContain(first);
    expect((await apply(withSecret(first))).body.changes).toEqual([]);
    expect(told(await apply(withSecret(second)))).toEqual([
      'create Credential payments/first',
      'delete Credential payments/first',
    ]);
    const broken = await apply(withSecret(SECRET));
    expect([broken.status, broken.body.code]).toEqual([400, 'validation_failed']);
    expect(broken.text).not.toContain(SECRET);
  });

  test('a key is registered, left alone, replaced by another, and exported', async () => {
    const keyDocument = (jwk: object, more: object = {}): DocumentInput => ({
      ...head,
      kind: 'Credential',
      metadata: { name: 'first' },
      spec: { identity: 'payments', type: 'private_key_jwt', jwk, expires_in: '30d', ...more } as never,
    });
    const one = { ...KEY, kid: 'one' };
    await apply(story);
    expect(told(await apply([keyDocument(one)]))).toEqual([
      'create Credential payments/first',
      'delete Credential payments/first',
    ]);
    expect(told(await apply([keyDocument(one)]))).toEqual([]);
    // As a version wrote it that kept no thumbprint beside it.
    const { items } = await authority.storage.credentials.list({ type: 'private_key_jwt' }, { limit: 1 });
    const [record] = items;
    if (record?.material.type !== 'private_key_jwt') throw new Error('there is no key');
    const { subjectKey, ...material } = record.material;
    expect(subjectKey).toMatch(/^key:/);
    await authority.storage.credentials.replace({ ...record, material, version: record.version + 1 });
    expect(told(await apply([keyDocument(one)]))).toEqual([]);
    expect(told(await apply([keyDocument({ ...one, kid: 'two' })]))).toEqual([
      'create Credential payments/first',
      'delete Credential payments/first',
    ]);
    const { body } = await authority.call('GET', '/v1/export');
    const exported = body.documents.filter((each: DocumentInput) => each.kind === 'Credential');
    expect(exported).toMatchObject([
      {
        metadata: { name: 'first' },
        spec: { type: 'private_key_jwt', jwk: { ...KEY, kid: 'two', alg: 'ES256' } },
      },
    ]);
    expect(told(await apply(body.documents))).toEqual([]);
    const weak = await apply([keyDocument({ ...KEY, y: KEY.x })]);
    expect([weak.status, weak.body.errors[0].pointer]).toEqual([400, '/documents/0/spec/jwk']);
  });

  test('a certificate is registered, left alone, replaced by another, and exported', async () => {
    const own = testCertificate({ notBefore: START - DAY, notAfter: START + 90 * DAY });
    const next = testCertificate({ notBefore: START - DAY, notAfter: START + 90 * DAY });
    const certificateDocument = (certificate: string): DocumentInput => ({
      ...head,
      kind: 'Credential',
      metadata: { name: 'edge' },
      spec: { identity: 'payments', type: 'self_signed_tls_client_auth', certificate, expires_in: '30d' },
    });
    await apply(story);
    expect(told(await apply([certificateDocument(own.pem)]))).toEqual(['create Credential payments/edge']);
    expect(told(await apply([certificateDocument(`${own.pem}\n`)]))).toEqual([]);
    expect(told(await apply([certificateDocument(next.pem)]))).toEqual([
      'create Credential payments/edge',
      'delete Credential payments/edge',
    ]);
    const { body } = await authority.call('GET', '/v1/export');
    expect(told(await apply(body.documents))).toEqual([]);
    const broken = await apply([certificateDocument(`${next.pem}\n${own.pem}`)]);
    expect([broken.status, broken.body.errors[0].pointer]).toEqual([400, '/documents/0/spec/certificate']);
  });

  test('an expired credential is made anew', async () => {
    await apply(story);
    authority.clock.advance(31 * DAY);
    const answer = await apply(story);
    expect(told(answer)).toEqual(['create Credential payments/first']);
    expect(answer.body.secrets).toHaveLength(1);
  });

  test('a refusal names the document, and nothing was begun', async () => {
    const broken = structuredClone(story) as { spec: Record<string, unknown> }[];
    Object.assign(broken[0]?.spec ?? {}, { scopes: ['fraud:delete'] });
    const answer = await apply(broken);
    expect([answer.status, answer.body.code]).toEqual([422, 'unknown_scope']);
    expect(answer.body.errors[0].pointer).toBe('/documents/0/spec/scopes');
    expect(answer.body.detail).toContain('payments reads fraud');
    expect((await authority.call('GET', '/v1/identities')).body.items).toHaveLength(1);
  });

  test('when it is stopped half way it says what was done, and goes on next time', async () => {
    const { log } = authority;
    const append = log.append.bind(log);
    log.append = async (event) => {
      if (event.type === 'access.created') log.fail(true);
      await append(event);
    };
    const stopped = await apply(story);
    expect([stopped.status, stopped.body.code]).toEqual([503, 'unavailable']);
    expect(told({ ...stopped, body: { changes: stopped.body.applied } })).toEqual(CREATED);
    expect(stopped.body.secrets).toHaveLength(1);
    log.append = append;
    log.fail(false);
    expect((await apply(story)).body).toEqual({ changes: [], secrets: [] });
  });

  test('two documents of one object, and names that are no client_id, are refused', async () => {
    const twice = await apply([story[2], story[2]]);
    expect(twice.body.errors[0].pointer).toBe('/documents/1');
    for (const name of ['Payments EU', 'countersign']) {
      const answer = await apply([{ ...story[2], metadata: { name } }]);
      expect(answer.body.errors[0].pointer, name).toBe('/documents/0/spec/client_id');
    }
  });

  test('what has ended does not come back by being declared', async () => {
    await apply(story);
    await authority.call('POST', '/v1/identities/payments/decommission', { body: { reason: 'over' } });
    expect((await apply([story[2]])).body.code).toBe('illegal_transition');
  });

  test('a body of very many members is refused before anything is built of it', async () => {
    const members = Array.from({ length: 600_000 }, (_, index) => `"k${index}":1`).join(',');
    const answer = await authority.call('POST', '/v1/apply', { body: `{"documents":[],${members}}` });
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
    expect(answer.body.detail).toContain('too many values');
  });

  test('nobody moves the end of a credential of who holds more of the admin API', async () => {
    const scopes = ['identities:write', 'credentials:write', 'resource-servers:write', 'access:write'];
    const token = await operator(authority, 'clerk', scopes);
    const expires_at = new Date(START + 80 * DAY).toISOString();
    const longer = (name: string) => ({
      ...head,
      kind: 'Credential',
      metadata: { name },
      spec: { identity: 'admin', type: 'client_secret', expires_at },
    });
    const mine = longer('mine');
    await apply([{ ...mine, spec: { ...mine.spec, expires_at: new Date(START + 9 * DAY).toISOString() } }]);
    const documents = [mine];
    const answer = await authority.call('POST', '/v1/apply', { token, body: { documents } });
    expect([answer.status, answer.body.code]).toEqual([403, 'exceeds_own_access']);
    expect((await apply([mine])).status).toBe(200);
    // What is so already is nothing to refuse.
    expect((await authority.call('POST', '/v1/apply', { token, body: { documents } })).status).toBe(200);
  });

  test('nobody declares more of the admin API than they hold', async () => {
    const scopes = ['identities:write', 'credentials:write', 'resource-servers:write', 'access:write'];
    const token = await operator(authority, 'clerk', scopes);
    const greedy = accessBody('clerk', `${ISSUER}/v1`, [...scopes, 'keys:write']);
    const documents = [{ ...head, kind: 'Access', metadata: { name: 'more' }, spec: greedy }];
    const answer = await authority.call('POST', '/v1/apply', { token, body: { documents } });
    expect([answer.status, answer.body.code]).toEqual([403, 'exceeds_own_access']);
    const forAdmin = { ...story[1], spec: { identity: 'admin', type: 'client_secret' } };
    const second = await authority.call('POST', '/v1/apply', { token, body: { documents: [forAdmin] } });
    expect(second.body.code).toBe('exceeds_own_access');
  });

  test('who runs the authority applies without a token', async () => {
    const digest = (secret: string): string => authority.deps.secretHash.digest(secret);
    const deps = { ...authority.deps, digest };
    const actor = { identity: 'countersign' };
    const dry = await applyDocuments(deps, actor, story, { dryRun: true });
    expect(dry.changes).toHaveLength(4);
    const outcome = await applyDocuments(deps, actor, story, { dryRun: false });
    expect(outcome.secrets).toHaveLength(1);
    await expect(applyDocuments(deps, actor, [{ kind: 'X' }], { dryRun: false })).rejects.toThrow(
      '/documents/0/kind',
    );
  });
});

describe('prune', () => {
  test('what is being decommissioned keeps its plan, and what it holds until then', async () => {
    await apply(story);
    await authority.call('POST', '/v1/identities/payments/decommission', { body: { reason: 'over' } });
    const before = (await authority.call('GET', '/v1/identities/payments')).body;
    const exported = await authority.call('GET', '/v1/export');
    expect((await apply(exported.body.documents, { prune: true })).body.changes).toEqual([]);
    expect((await authority.call('GET', '/v1/identities/payments')).body).toEqual(before);
    const { items } = (await authority.call('GET', '/v1/access?identity=payments')).body;
    expect(items).toMatchObject([{ state: 'active' }]);
  });

  test('ends what is not declared, of the declared kinds, and spares what is built in and who asks', async () => {
    await apply(story);
    const documents = [story[3]];
    expect(told(await plan(documents, { prune: true }))).toEqual([]);
    await authority.call('POST', '/v1/resource-servers', {
      body: resourceServerBody('https://old.test', ['a']),
    });
    expect(told(await apply(documents, { prune: true }))).toEqual(['delete ResourceServer https://old.test']);

    await authority.call('POST', '/v1/identities', { body: identityBody('old', { client_id: 'old' }) });
    await authority.call('POST', '/v1/access', { body: accessBody('old', FRAUD, ['fraud:read']) });
    const answer = await apply(story, { prune: true });
    expect(told(answer)).toContain(`delete Access old → ${FRAUD}`);
    expect(told(answer)).toContain('delete Identity old');
    const { body } = await authority.call('GET', '/v1/identities/admin');
    expect(body.state).toBe('active');
    expect((await apply(story, { prune: true })).body.changes).toEqual([]);
  });
});

describe('export', () => {
  test('its documents are of the contract, and applying them changes nothing', async () => {
    await apply(story);
    await authority.call('POST', '/v1/identities', {
      body: identityBody('Named otherwise', { client_id: 'other', sensitivity: 3, cadence: 'daily' }),
    });
    await authority.call('POST', '/v1/identities/other/suspend', { body: { reason: 'x' } });
    await operator(authority, 'clerk', ['identities:read']);
    await authority.call('POST', '/v1/identities/clerk/credentials', { body: { type: 'client_secret' } });

    const exported = await authority.call('GET', '/v1/export');
    expect(exported.status, exported.text).toBe(200);
    for (const each of exported.body.documents) document.parse(each);
    expect(exported.text).not.toMatch(/csk_|digest/);
    expect(exported.text).not.toContain('"admin"');
    const kinds = exported.body.documents.map((each: { kind: string }) => each.kind);
    expect(kinds.toSorted()).toEqual([
      'Access',
      'Access',
      'Credential',
      'Credential',
      'Credential',
      'Identity',
      'Identity',
      'Identity',
      'ResourceServer',
    ]);

    expect((await plan(exported.body.documents, { prune: true })).body.changes).toEqual([]);
    expect((await apply(exported.body.documents, { prune: true })).body).toEqual({
      changes: [],
      secrets: [],
    });
    expect((await authority.call('GET', '/v1/export')).body).toEqual(exported.body);
  });

  test('elsewhere it makes the same objects, a suspended one suspended', async () => {
    await apply(story);
    await authority.call('POST', '/v1/identities/payments/suspend', { body: { reason: 'x' } });
    const { body } = await authority.call('GET', '/v1/export');
    const elsewhere = await openAuthority();
    const answer = await elsewhere.call('POST', '/v1/apply', { body: { documents: body.documents } });
    expect(answer.status, answer.text).toBe(200);
    expect((await elsewhere.call('GET', '/v1/identities/payments')).body.state).toBe('suspended');
    expect((await elsewhere.call('GET', '/v1/export')).body).toEqual(body);
    await elsewhere.close();
  });
});
