import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, type Admin, inSeconds, type Machine, makeMachine } from './wire/admin.ts';
import type { Answer } from './wire/exchange.ts';
import { expectOAuthError, expectProblem, expectToken } from './wire/expectations.ts';
import { freshName, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// People approve what machines may do, and an access says when it may be used.
const target = currentTarget();
const ONE_APPROVER = [{ quorum: 1, roles: ['approver'] }];

describe.runIf(target.admin !== undefined)('approvals and conditions (need the admin API)', () => {
  let scene: SeededScene;
  let admin: Admin;

  beforeAll(async () => {
    scene = await seedScene('approvals');
    admin = scene.admin;
  });

  const machineWith = async (
    change: Record<string, unknown>,
  ): Promise<[Machine, Record<string, unknown>]> => {
    const machine = await makeMachine(admin, freshName('asks'));
    const body = accessBody(machine.identityId, scene.resource, ['read'], change);
    return [machine, await admin.must('POST', '/access', body)];
  };

  describe('conditions', () => {
    test('a token is issued to callers from the networks of the access, and to no others', async () => {
      const [near] = await machineWith({ conditions: { networks: ['127.0.0.0/8', '::1/128'] } });
      expectToken(await askToken({ client: near }));
      const [far] = await machineWith({ conditions: { networks: ['203.0.113.0/24', '2001:db8::/32'] } });
      expectOAuthError(await askToken({ client: far }), 400, 'access_denied');
    });

    test('what a caller writes about its address changes nothing', async () => {
      const [far] = await machineWith({ conditions: { networks: ['203.0.113.0/24'] } });
      const headers = [['X-Forwarded-For', '203.0.113.7']] as const;
      expectOAuthError(await askToken({ client: far, headers }), 400, 'access_denied');
    });

    test('a token is issued in the time windows of the access, and never else', async () => {
      const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
      const always = { days, from: '00:00', to: '24:00', time_zone: 'Pacific/Auckland' };
      const [open] = await machineWith({ conditions: { times: [always] } });
      expectToken(await askToken({ client: open }));
      const minute = 60_000;
      const clock = (at: number): string => new Date(at).toISOString().slice(11, 16);
      const past = { days, from: clock(Date.now() - 90 * minute), to: clock(Date.now() - 60 * minute) };
      const [closed] = await machineWith({ conditions: { times: [{ ...past, time_zone: 'Etc/UTC' }] } });
      expectOAuthError(await askToken({ client: closed }), 400, 'access_denied');
    });

    test('where a binding is required nothing unbound is issued', async () => {
      const [machine] = await machineWith({ conditions: { binding: 'any' } });
      expectOAuthError(await askToken({ client: machine }), 400, 'invalid_request');
    });

    test.each([
      [{ networks: ['10.0.0.0/33'] }],
      [{ networks: ['everywhere'] }],
      [{ networks: ['0.0.0.0/0'] }],
      [{ times: [{ days: ['mon'], from: '08:00', to: '08:00', time_zone: 'Etc/UTC' }] }],
      [{ times: [{ days: ['mon'], from: '08:00', to: '18:00', time_zone: 'Mars/Olympus' }] }],
      [{ times: [{ days: ['mon'], from: '08:00', to: '18:00', time_zone: '+01:00' }] }],
      [{ binding: 'secret' }],
      [{ moon: 'full' }],
    ])('%j is no condition', async (conditions) => {
      const machine = await makeMachine(admin, freshName('odd'));
      const body = accessBody(machine.identityId, scene.resource, ['read'], { conditions });
      expectProblem(await admin.call('POST', '/access', { body }), 400);
    });
  });

  describe('approvals', () => {
    let ruled: SeededScene;
    let rule: Record<string, unknown>;

    beforeAll(async () => {
      ruled = await seedScene('ruled');
      rule = await admin.must('POST', '/approval-rules', {
        name: freshName('rule'),
        match: { resource_servers: [ruled.resource] },
        steps: ONE_APPROVER,
      });
    });

    const ask = async (): Promise<[Machine, Record<string, unknown>]> => {
      const machine = await makeMachine(admin, freshName('waits'));
      const body = accessBody(machine.identityId, ruled.resource, ['read']);
      return [machine, await admin.must('POST', '/access', body)];
    };
    const pendingOf = (access: Record<string, unknown>): Record<string, unknown> =>
      access['pending'] as Record<string, unknown>;

    test('what a rule matches waits in the 201, and gives no token', async () => {
      const [machine, access] = await ask();
      expect(access).toMatchObject({ state: 'requested', approved_by: null });
      expect(pendingOf(access)).toMatchObject({ given: 0, needed: 1 });
      expectOAuthError(await askToken({ client: machine }), 400, 'invalid_target');
    });

    test('the hash is that of the canonical JSON of what is asked for', async () => {
      const [, access] = await ask();
      const { content, content_hash } = pendingOf(access) as {
        content: Record<string, unknown>;
        content_hash: string;
      };
      // RFC 8785 §3.2.3: members in the order of their names; the values here are plain.
      const members = Object.keys(content).sort();
      const canonical = `{${members.map((name) => `${JSON.stringify(name)}:${JSON.stringify(content[name])}`).join(',')}}`;
      expect(createHash('sha256').update(canonical).digest('hex')).toBe(content_hash);
      expect(members).toEqual([
        'conditions',
        'expires_at',
        'identity',
        'justification',
        'resource_server',
        'scopes',
        'token_lifetime',
      ]);
    });

    test('no machine approves or rejects, not the administrator either', async () => {
      const [, access] = await ask();
      const { content_hash } = pendingOf(access);
      for (const [verb, body] of [
        ['approve', { content_hash }],
        ['reject', { content_hash, comment: 'no' }],
      ] as const) {
        const answer = await admin.call('POST', `/access/${String(access['id'])}/${verb}`, { body });
        expect(expectProblem(answer, 403)['code']).toBe('needs_people');
      }
      const inbox = await admin.call('GET', '/approvals?state=pending&for=me');
      expect(expectProblem(inbox, 403)['code']).toBe('needs_people');
    });

    test('no machine loosens a rule', async () => {
      const path = `/approval-rules/${String(rule['id'])}`;
      const refused = (answer: Answer): void => {
        expect(expectProblem(answer, 403)['code']).toBe('needs_people');
      };
      refused(await admin.change('DELETE', path));
      refused(await admin.change('PATCH', path, { match: { environments: ['dev'] } }));
      const document = {
        apiVersion: 'countersign/v1',
        kind: 'ApprovalRule',
        metadata: { name: rule['name'] },
        spec: { match: { environments: ['dev'] }, steps: ONE_APPROVER },
      };
      refused(await admin.call('POST', '/apply', { body: { documents: [document] } }));
    });

    test('what gives more waits beside the old version, what gives less does not wait', async () => {
      const machine = await makeMachine(admin, freshName('grows'), { expires_at: inSeconds(8_000_000) });
      const other = await seedScene('grown');
      const body = accessBody(machine.identityId, other.resource, ['read', 'write']);
      const access = await admin.must('POST', '/access', body);
      await admin.must('POST', '/approval-rules', {
        name: freshName('rule'),
        match: { resource_servers: [other.resource] },
        steps: ONE_APPROVER,
      });
      const path = `/access/${String(access['id'])}`;
      const narrowed = await admin.change('PATCH', path, { scopes: ['read'] });
      expect(JSON.parse(narrowed.text)).toMatchObject({ scopes: ['read'], version: 2, pending: null });
      const widened = await admin.change('PATCH', path, { scopes: ['read', 'write'] });
      expect(JSON.parse(widened.text)).toMatchObject({ scopes: ['read'], version: 2, state: 'active' });
      const token = expectToken(await askToken({ client: machine }));
      expect(token.scopes).toEqual(['read']);
      const later = await admin.call('POST', `${path}/renew`, { body: { expires_at: inSeconds(3_000_000) } });
      const renewed = JSON.parse(later.text) as {
        expires_at: string;
        pending: { content: { expires_at: string } };
      };
      expect(renewed.expires_at).toBe(access['expires_at']);
      expect(Date.parse(renewed.pending.content.expires_at)).toBeGreaterThan(Date.parse(renewed.expires_at));
      // The request before it is void: there waits one thing.
      const listed = await admin.call('GET', `/approvals?subject=${String(access['id'])}`);
      const items = (JSON.parse(listed.text) as { items: { state: string; changes: string[] }[] }).items;
      expect(items.map(({ state }) => state)).toEqual(['void', 'pending']);
    });
  });

  describe('history', () => {
    test('who held a scope at an instant, and why somebody may use it, is one call each', async () => {
      const [machine, access] = await machineWith({});
      const held = new Date().toISOString();
      const api = `resource_server=${encodeURIComponent(scene.resource)}&scope=read`;
      await admin.change('DELETE', `/access/${String(access['id'])}`);
      const holders = await admin.all(`/access/holders?${api}&at=${held}`);
      const mine = holders.find((each) => each['access'] === access['id']);
      expect(mine).toMatchObject({ client_id: machine.id, version: 1, could_act: true });
      const now = await admin.all(`/access/holders?${api}`);
      expect(now.some((each) => each['access'] === access['id'])).toBe(false);
      const explain = async (at: string): Promise<Record<string, unknown>> => {
        const path = `/access/explain?identity=${machine.id}&${api}&at=${at}`;
        return JSON.parse((await admin.call('GET', path)).text) as Record<string, unknown>;
      };
      expect(await explain(held)).toMatchObject({ allowed: true, blocked_by: null });
      expect(await explain(new Date().toISOString())).toMatchObject({ allowed: false, blocked_by: 'access' });
    });
  });
});
