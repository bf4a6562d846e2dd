import { beforeAll, describe, expect, test } from 'vitest';
import {
  accessBody,
  DAYS,
  identityBody,
  inSeconds,
  makeMachine,
  openAdmin,
  resourceServerBody,
  type Admin,
} from './wire/admin.ts';
import { jsonOf, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectProblem, expectToken } from './wire/expectations.ts';
import { freshName, seedOperator, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// The admin API as scripts rely on it: what makes a record, and its states. Versions, repeats, pages and dry runs: admin-api-changes.test.ts.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('admin API (needs the admin API)', () => {
  let admin: Admin;
  let scene: SeededScene;

  beforeAll(async () => {
    admin = openAdmin(target);
    scene = await seedScene('admin');
  });

  function create(path: string, body: unknown, headers: [string, string][] = []): Promise<Answer> {
    return admin.call('POST', path, { body, headers });
  }

  describe('what makes a record', () => {
    test('an identity is active in its 201, with id, client_id and version', async () => {
      const answer = await create('/identities', identityBody(freshName('made')));
      expect(answer.status, answer.text).toBe(201);
      const body = jsonOf(answer);
      expect(body['id']).toMatch(/^idn_[0-9a-z]{20}$/);
      expect(body['client_id']).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
      expect(body['state']).toBe('active');
      expect(answer.headers.etag).toBeTruthy();
      expect(String(body['expires_at'])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    });

    test('a client_id may be chosen once and never again', async () => {
      const clientId = freshName('chosen');
      const first = await create('/identities', identityBody(clientId, { client_id: clientId }));
      expect(first.status, first.text).toBe(201);
      expect(jsonOf(first)['client_id']).toBe(clientId);
      const second = await create('/identities', identityBody(freshName('again'), { client_id: clientId }));
      expectProblem(second, 409);
      await admin.must('POST', `/identities/${String(jsonOf(first)['id'])}/decommission`, { reason: 'over' });
      const third = await create('/identities', identityBody(freshName('later'), { client_id: clientId }));
      expectProblem(third, 409);
    });

    test.each(['a b', 'ü', '', 'a'.repeat(129), '../x', 'a\u0000b'])(
      'client_id %j is 400',
      async (clientId) => {
        expectProblem(await create('/identities', identityBody('x', { client_id: clientId })), 400);
      },
    );

    test('an identity without expires_at is 400', async () => {
      const { expires_at: _gone, ...body } = identityBody(freshName('endless'));
      expectProblem(await create('/identities', body), 400);
    });

    test('an identity without owner is 400', async () => {
      const { owner: _gone, ...body } = identityBody(freshName('nobodys'));
      expectProblem(await create('/identities', body), 400);
    });

    test('an access without expires_at is 400', async () => {
      const { expires_at: _gone, ...body } = accessBody(scene.machine.identityId, scene.resource, ['read']);
      expectProblem(await create('/access', body), 400);
    });

    test('an end in the past is 400', async () => {
      const past = { expires_at: inSeconds(-60) };
      expectProblem(await create('/identities', identityBody(freshName('past'), past)), 400);
    });

    test('a second access of one identity at one resource server is 409', async () => {
      expectProblem(
        await create('/access', accessBody(scene.machine.identityId, scene.resource, ['read'])),
        409,
      );
    });

    test('access to a scope that the resource server does not have is refused', async () => {
      const other = await seedScene('admin-scope');
      const body = accessBody(scene.machine.identityId, other.resource, ['read', 'no-such-scope']);
      expectProblem(await create('/access', body), [400, 422]);
    });

    test('identity and resource server may be named by id, client_id or identifier', async () => {
      const other = await seedScene('admin-names');
      const one = await create('/access', accessBody(scene.client.id, other.resourceServerId, ['read']));
      expect(one.status, one.text).toBe(201);
      const list = await admin.all(
        `/access?identity=${scene.client.id}&resource_server=${encodeURIComponent(other.resource)}`,
      );
      expect(list.map((each) => each['id'])).toEqual([jsonOf(one)['id']]);
    });

    test('a second resource server of the same identifier is 409', async () => {
      expectProblem(await create('/resource-servers', resourceServerBody(scene.resource, ['read'])), 409);
    });

    test('a secret is shown once, well made, and the credential states its end', async () => {
      const answer = await create(`/identities/${scene.machine.identityId}/credentials`, {
        type: 'client_secret',
      });
      expect(answer.status, answer.text).toBe(201);
      const body = jsonOf(answer);
      expect(body['secret']).toMatch(/^csk_[A-Za-z0-9]{8}_[A-Za-z0-9]{38}$/);
      expect(Date.parse(String(body['expires_at']))).toBeGreaterThan(Date.now());
      const again = await admin.call('GET', `/credentials/${String(body['id'])}`);
      expect(again.status, again.text).toBe(200);
      expect(again.text).not.toContain(String(body['secret']).slice(13));
    });

    test('a credential does not outlive its identity', async () => {
      const made = await admin.must(
        'POST',
        '/identities',
        identityBody(freshName('day'), { expires_at: inSeconds(DAYS) }),
      );
      const credential = await admin.must('POST', `/identities/${String(made['id'])}/credentials`, {
        type: 'client_secret',
      });
      expect(Date.parse(String(credential['expires_at']))).toBeLessThanOrEqual(
        Date.parse(String(made['expires_at'])),
      );
    });
  });

  describe('states', () => {
    test('a draft gets no token; activated it does', async () => {
      const draft = await admin.must(
        'POST',
        '/identities',
        identityBody(freshName('draft'), { state: 'draft' }),
      );
      expect(draft['state']).toBe('draft');
      const id = String(draft['id']);
      await admin.must('POST', '/access', accessBody(id, scene.resource, ['read']));
      const credential = await admin.must('POST', `/identities/${id}/credentials`, { type: 'client_secret' });
      const client = { id: String(draft['client_id']), secret: String(credential['secret']) };
      expectOAuthError(await askToken({ client }), 401, 'invalid_client');
      await admin.must('POST', `/identities/${id}/activate`, {});
      expectToken(await askToken({ client }));
    });

    test('suspended: no token. resumed: tokens again. decommissioned: never again', async () => {
      const name = freshName('states');
      const made = await admin.must('POST', '/identities', identityBody(name));
      const id = String(made['id']);
      const credential = await admin.must('POST', `/identities/${id}/credentials`, { type: 'client_secret' });
      await admin.must('POST', '/access', accessBody(id, scene.resource, ['read']));
      const client = { id: String(made['client_id']), secret: String(credential['secret']) };
      expectToken(await askToken({ client }));
      await admin.must('POST', `/identities/${id}/suspend`, { reason: 'holiday' });
      expectOAuthError(await askToken({ client }), 401, 'invalid_client');
      await admin.must('POST', `/identities/${id}/resume`, { reason: 'back' });
      expectToken(await askToken({ client }));
      await admin.must('POST', `/identities/${id}/decommission`, { reason: 'gone', now: true, force: true });
      expectOAuthError(await askToken({ client }), 401, 'invalid_client');
      expectProblem(await create(`/identities/${id}/resume`, { reason: 'no' }), 409);
    });

    test('suspending needs a reason', async () => {
      expectProblem(await create(`/identities/${scene.machine.identityId}/suspend`, {}), 400);
    });
  });

  describe('nobody gives more than they hold', () => {
    test('a machine that may write access cannot give itself, or a friend, more of the admin API', async () => {
      const clerk = await seedOperator(admin, 'clerk', ['identities:write', 'access:read', 'access:write']);
      const friend = await makeMachine(admin, freshName('friend'));
      const token = expectToken(
        await askToken({ client: clerk, params: { resource: clerk.resource } }),
      ).token;
      const scopes = ['access:write', 'keys:write'];
      const given = await admin.call('POST', '/access', {
        body: accessBody(friend.identityId, clerk.resource, scopes),
        token,
      });
      expectProblem(given, 403);
      const [own] = await admin.all(`/access?identity=${clerk.id}`);
      const path = `/access/${String(own?.['id'])}`;
      const etag = String((await admin.call('GET', path)).headers.etag);
      const taken = await admin.call('PATCH', path, {
        body: { scopes },
        headers: [['If-Match', etag]],
        token,
      });
      expectProblem(taken, 403);
    });

    test('a machine cannot add a credential to an identity with more of the admin API than its own', async () => {
      const clerk = await seedOperator(admin, 'clerk', ['credentials:write']);
      const chief = await seedOperator(admin, 'chief', ['keys:write', 'access:write']);
      const token = expectToken(
        await askToken({ client: clerk, params: { resource: clerk.resource } }),
      ).token;
      const answer = await admin.call('POST', `/identities/${chief.identityId}/credentials`, {
        body: { type: 'client_secret' },
        token,
      });
      expectProblem(answer, 403);
    });
  });

  test('a change names who did it in the audit log', async () => {
    const made = await create('/identities', identityBody(freshName('told')));
    const requestId = String(made.headers['request-id']);
    const events = await admin.all(`${target.issuer}/audit/events?request_id=${requestId}`);
    expect(events.map((event) => event['type'])).toContain('identity.created');
    expect(JSON.stringify(events)).toContain(String(jsonOf(made)['id']));
  });
});
