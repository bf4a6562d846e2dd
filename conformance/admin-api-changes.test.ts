import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, identityBody, openAdmin, type Admin } from './wire/admin.ts';
import { jsonOf, type Answer } from './wire/exchange.ts';
import { expectProblem, expectToken } from './wire/expectations.ts';
import { freshName, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// The admin API as scripts rely on it: versions (RFC 9110, RFC 6585), repeats, pages, dry runs.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('admin API changes (needs the admin API)', () => {
  let admin: Admin;
  let scene: SeededScene;

  beforeAll(async () => {
    admin = openAdmin(target);
    scene = await seedScene('admin-changes');
  });

  function create(path: string, body: unknown, headers: [string, string][] = []): Promise<Answer> {
    return admin.call('POST', path, { body, headers });
  }

  describe('ETag and If-Match (RFC 9110 section 13, RFC 6585 section 3)', () => {
    test('PATCH without If-Match is 428, with an old one 412, with the right one 200 and a new ETag', async () => {
      const made = await create('/identities', identityBody(freshName('etag')));
      const path = `/identities/${String(jsonOf(made)['id'])}`;
      expectProblem(await admin.call('PATCH', path, { body: { purpose: 'a' } }), 428);
      const etag = String((await admin.call('GET', path)).headers.etag);
      const first = await admin.call('PATCH', path, {
        body: { purpose: 'first change' },
        headers: [['If-Match', etag]],
      });
      expect(first.status, first.text).toBe(200);
      expect(first.headers.etag).not.toBe(etag);
      const second = await admin.call('PATCH', path, {
        body: { purpose: 'second change' },
        headers: [['If-Match', etag]],
      });
      expectProblem(second, 412);
      expect(jsonOf(await admin.call('GET', path))['purpose']).toBe('first change');
    });

    test('DELETE without If-Match is 428', async () => {
      expectProblem(await admin.call('DELETE', `/access/${scene.accessId}`), 428);
      expectToken(await askToken({ client: scene.client }));
    });

    test('of twenty parallel changes with one ETag exactly one wins', async () => {
      const made = await create('/identities', identityBody(freshName('race')));
      const path = `/identities/${String(jsonOf(made)['id'])}`;
      const etag = String((await admin.call('GET', path)).headers.etag);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          admin.call('PATCH', path, { body: { purpose: `racer ${at}` }, headers: [['If-Match', etag]] }),
        ),
      );
      const statuses = answers.map((each) => each.status).join(' ');
      expect(answers.filter((each) => each.status === 200).length, statuses).toBe(1);
      expect(answers.filter((each) => each.status === 412).length).toBe(19);
    });

    test('id, state, version and times cannot be assigned', async () => {
      const made = await create('/identities', identityBody(freshName('assign')));
      const path = `/identities/${String(jsonOf(made)['id'])}`;
      const etag = String((await admin.call('GET', path)).headers.etag);
      for (const change of [
        { id: 'idn_0' },
        { state: 'decommissioned' },
        { version: 9 },
        { client_id: 'admin' },
      ])
        expectProblem(await admin.call('PATCH', path, { body: change, headers: [['If-Match', etag]] }), 400);
      expect((await admin.call('GET', path)).headers.etag).toBe(etag);
    });
  });

  describe('Idempotency-Key', () => {
    test('a repeat with the same body gets the first answer and makes nothing', async () => {
      const key = randomUUID();
      const name = freshName('once');
      const body = identityBody(name, { client_id: name });
      const first = await create('/identities', body, [['Idempotency-Key', key]]);
      const second = await create('/identities', body, [['Idempotency-Key', key]]);
      expect(first.status, first.text).toBe(201);
      expect(second.status, second.text).toBe(201);
      expect(second.text).toBe(first.text);
    });

    test('the same key with another body is refused', async () => {
      const key = randomUUID();
      await create('/identities', identityBody(freshName('one')), [['Idempotency-Key', key]]);
      const second = await create('/identities', identityBody(freshName('two')), [['Idempotency-Key', key]]);
      expectProblem(second, [409, 422]);
    });

    test('ten at once with one key make one identity', async () => {
      const key = randomUUID();
      const name = freshName('burst');
      const body = identityBody(name, { client_id: name });
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => create('/identities', body, [['Idempotency-Key', key]])),
      );
      const made = answers.filter((each) => each.status === 201);
      expect(made.length).toBeGreaterThan(0);
      expect(new Set(made.map((each) => jsonOf(each)['id'])).size).toBe(1);
      for (const other of answers) expect([201, 409]).toContain(other.status);
    });
  });

  describe('pages', () => {
    test('every item comes once, whatever the page size', async () => {
      const person = `${freshName('pager')}@example.com`;
      const ids: string[] = [];
      for (let at = 0; at < 7; at++) {
        const made = await admin.must(
          'POST',
          '/identities',
          identityBody(freshName('page'), { owner: { person, backup: 'kim@example.com', team: 'platform' } }),
        );
        ids.push(String(made['id']));
      }
      for (const limit of [1, 3, 100]) {
        const items = await admin.all(`/identities?limit=${limit}`, 5000);
        const seen = items.map((item) => String(item['id']));
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toEqual(expect.arrayContaining(ids));
        if (limit === 1) break;
      }
    });

    test('a page is no longer than asked and says where the next one starts', async () => {
      const page = await admin.must('GET', '/identities?limit=2');
      expect((page['items'] as unknown[]).length).toBe(2);
      expect(page['next_cursor']).toEqual(expect.any(String));
    });
  });

  describe('dry_run', () => {
    test('a write with dry_run=true answers as the real one and changes nothing', async () => {
      const name = freshName('dry');
      const answer = await create('/identities?dry_run=true', identityBody(name, { client_id: name }));
      expect([200, 201], answer.text).toContain(answer.status);
      const real = await create('/identities', identityBody(name, { client_id: name }));
      expect(real.status, real.text).toBe(201);

      const id = String(jsonOf(real)['id']);
      const secret = await create(`/identities/${id}/credentials?dry_run=true`, { type: 'client_secret' });
      expect([200, 201], secret.text).toContain(secret.status);
      expect(jsonOf(secret)['secret']).toBeUndefined();
      const suspend = await create(`/identities/${id}/suspend?dry_run=true`, { reason: 'dry' });
      expect([200, 202], suspend.text).toContain(suspend.status);
      const after = await admin.call('GET', `/identities/${id}`);
      expect(jsonOf(after)['state']).toBe('active');
      expect(await admin.all(`/credentials?identity=${id}`)).toEqual([]);
    });

    test('a dry run finds what the real one would refuse', async () => {
      const body = accessBody(scene.machine.identityId, scene.resource, ['read']);
      expectProblem(await create('/access?dry_run=true', body), 409);
      expectProblem(await create('/identities?dry_run=true', {}), 400);
    });

    test('a dry run of DELETE leaves the access in force', async () => {
      const path = `/access/${scene.accessId}`;
      const etag = String((await admin.call('GET', path)).headers.etag);
      const answer = await admin.call('DELETE', `${path}?dry_run=true`, { headers: [['If-Match', etag]] });
      expect([200, 204], answer.text).toContain(answer.status);
      expectToken(await askToken({ client: scene.client }));
    });
  });
});
