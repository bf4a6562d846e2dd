import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, identityBody, inSeconds, issueSecret, makeMachine, type Admin } from './wire/admin.ts';
import { jsonOf } from './wire/exchange.ts';
import { expectOAuthError, expectProblem, expectToken } from './wire/expectations.ts';
import { freshName, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// Everything expires, and of many at once exactly one wins.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('what ends, and what races (needs the admin API)', () => {
  let scene: SeededScene;
  let admin: Admin;

  beforeAll(async () => {
    scene = await seedScene('lifecycle');
    admin = scene.admin;
  });

  describe('ends', () => {
    test('an identity whose time is over gets no token', async () => {
      const machine = await makeMachine(admin, freshName('brief'), { expires_at: inSeconds(3) });
      await admin.must('POST', '/access', accessBody(machine.identityId, scene.resource, ['read']));
      const made = expectToken(await askToken({ client: machine }));
      expect(made.expiresIn).toBeLessThanOrEqual(3);
      await sleep(3200);
      expectOAuthError(await askToken({ client: machine }), 401, 'invalid_client');
    });

    test('an access whose time is over gives no token', async () => {
      const machine = await makeMachine(admin, freshName('brief-access'));
      const body = accessBody(machine.identityId, scene.resource, ['read'], { expires_at: inSeconds(3) });
      await admin.must('POST', '/access', body);
      expectToken(await askToken({ client: machine }));
      await sleep(3200);
      expectOAuthError(await askToken({ client: machine }), 400, 'invalid_target');
      // its place is free again: the old one is no live access
      await admin.must('POST', '/access', accessBody(machine.identityId, scene.resource, ['read']));
      expectToken(await askToken({ client: machine }));
    });

    test('a suspended credential gives no token, and others of the identity do', async () => {
      const machine = await makeMachine(admin, freshName('paused'));
      await admin.must('POST', '/access', accessBody(machine.identityId, scene.resource, ['read']));
      const second = await issueSecret(admin, machine.identityId);
      const path = `/credentials/${second.id}`;
      expect((await admin.change('PATCH', path, { state: 'suspended' })).status).toBe(200);
      const client = { id: machine.id, secret: second.secret };
      expectOAuthError(await askToken({ client }), 401, 'invalid_client');
      expectToken(await askToken({ client: machine }));
      expect((await admin.change('PATCH', path, { state: 'active' })).status).toBe(200);
      expectToken(await askToken({ client }));
    });

    test('threat 4: a revoked credential does not come back', async () => {
      const machine = await makeMachine(admin, freshName('revoked'));
      const path = `/credentials/${machine.credentialId}`;
      expect((await admin.change('DELETE', path)).status).toBeLessThan(300);
      expectProblem(await admin.change('PATCH', path, { state: 'active' }), 409);
      expectOAuthError(await askToken({ client: machine }), 401, 'invalid_client');
    });

    test('a resource server in use cannot be deleted; unused it can, and no token is for it any more', async () => {
      const other = await seedScene('lifecycle-api');
      const path = `/resource-servers/${other.resourceServerId}`;
      expectProblem(await admin.change('DELETE', path), 409);
      expect((await admin.change('DELETE', `/access/${other.accessId}`)).status).toBeLessThan(300);
      expect((await admin.change('DELETE', path)).status).toBeLessThan(300);
      const params = { resource: other.resource };
      expectOAuthError(await askToken({ client: other.client, params }), 400, 'invalid_target');
    });

    test('who had access is still known as of then', async () => {
      const machine = await makeMachine(admin, freshName('as-of'));
      const made = await admin.must(
        'POST',
        '/access',
        accessBody(machine.identityId, scene.resource, ['read']),
      );
      const then = inSeconds(0);
      await sleep(20);
      expect(
        (await admin.change('PATCH', `/access/${String(made['id'])}`, { scopes: ['write'] })).status,
      ).toBe(200);
      const query = `/access?identity=${machine.id}`;
      const [now] = await admin.all(query);
      const [before] = await admin.all(`${query}&as_of=${encodeURIComponent(then)}`);
      const [never] = await admin.all(`${query}&as_of=${encodeURIComponent(inSeconds(-3600))}`);
      expect([now?.['scopes'], before?.['scopes'], never]).toEqual([['write'], ['read'], undefined]);
    });
  });

  describe('races', () => {
    async function statusesOf(
      count: number,
      ask: (at: number) => Promise<{ status: number }>,
    ): Promise<number[]> {
      return (await Promise.all(Array.from({ length: count }, (_, at) => ask(at)))).map(
        ({ status }) => status,
      );
    }

    test('of forty that want one client_id, one gets it', async () => {
      const clientId = freshName('race-id');
      const statuses = await statusesOf(40, () =>
        admin.call('POST', '/identities', { body: identityBody(clientId, { client_id: clientId }) }),
      );
      expect(statuses.filter((status) => status === 201).length).toBe(1);
      expect(statuses.filter((status) => status === 409).length).toBe(39);
    });

    test('of forty that open one access, one does', async () => {
      const machine = await makeMachine(admin, freshName('race-access'));
      const statuses = await statusesOf(40, () =>
        admin.call('POST', '/access', { body: accessBody(machine.identityId, scene.resource, ['read']) }),
      );
      expect(statuses.filter((status) => status === 201).length).toBe(1);
      expect(statuses.filter((status) => status === 409).length).toBe(39);
      expect((await admin.all(`/access?identity=${machine.id}`)).length).toBe(1);
    });

    test('of forty moves at once every state seen is a legal one', async () => {
      const machine = await makeMachine(admin, freshName('race-state'));
      const statuses = await statusesOf(40, (at) =>
        admin.call('POST', `/identities/${machine.identityId}/${at % 2 === 0 ? 'suspend' : 'resume'}`, {
          body: { reason: `race ${at}` },
        }),
      );
      for (const status of statuses) expect([200, 409]).toContain(status);
      const got = jsonOf(await admin.call('GET', `/identities/${machine.identityId}`));
      expect(['active', 'suspended']).toContain(got['state']);
    });

    test('from the answer to a suspension on, not one more token is issued', async () => {
      const machine = await makeMachine(admin, freshName('race-suspend'));
      await admin.must('POST', '/access', accessBody(machine.identityId, scene.resource, ['read']));
      let suspended = false;
      let late = 0;
      const asking = Array.from({ length: 8 }, async () => {
        for (let turn = 0; turn < 40; turn++) {
          const after = suspended;
          const answer = await askToken({ client: machine });
          if (after && answer.status === 200) late++;
        }
      });
      await sleep(100);
      await admin.must('POST', `/identities/${machine.identityId}/suspend`, { reason: 'race' });
      suspended = true;
      await Promise.all(asking);
      expect(late).toBe(0);
    });
  });
});
