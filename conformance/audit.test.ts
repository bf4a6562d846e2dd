import { beforeAll, describe, expect, test } from 'vitest';
import { issueSecret, makeMachine, revokeCredential, type Admin } from './wire/admin.ts';
import { send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// Promises 1 and 4: no token without its record, and an operator is told what a caller is not.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('the audit log (needs the admin API)', () => {
  let scene: SeededScene;
  let admin: Admin;

  beforeAll(async () => {
    scene = await seedScene('audit');
    admin = scene.admin;
  });

  function events(filter: string): Promise<Record<string, unknown>[]> {
    return admin.all(`${target.issuer}/audit/events?${filter}`);
  }

  test('a token has its event before the answer is here, with everything about it', async () => {
    const answer = await askToken({ client: scene.client, params: { scope: 'read delete' } });
    const { claims } = decodeJwt(expectToken(answer).token);
    const [event, ...more] = await events(`jti=${String(claims['jti'])}`);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      id: expect.any(String),
      seq: expect.any(Number),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      type: 'token.issued',
      request_id: answer.headers['request-id'],
      identity: scene.client.id,
      credential: scene.machine.credentialId,
      access: scene.accessId,
      resource: scene.resource,
      jti: claims['jti'],
      method: 'client_secret_basic',
    });
    expect(JSON.stringify(event?.['scopes_asked'])).toContain('delete');
    expect(JSON.stringify(event?.['scopes_held'])).not.toContain('delete');
    expect(String(event?.['source'])).toContain('127.0.0.1');
  });

  test('refusals that look alike on the wire differ in the log', async () => {
    const machine = await makeMachine(admin, freshName('audit-refused'));
    const revoked = await issueSecret(admin, machine.identityId);
    await revokeCredential(admin, revoked.id);
    const suspended = await makeMachine(admin, freshName('audit-suspended'));
    await admin.must('POST', `/identities/${suspended.identityId}/suspend`, { reason: 'conformance' });
    const cases = [
      { id: freshName('nobody'), secret: 'x' },
      { id: machine.id, secret: 'wrong' },
      { id: machine.id, secret: revoked.secret },
      suspended,
    ];
    const reasons: string[] = [];
    for (const client of cases) {
      const answer = await askToken({ client, localAddress: '127.0.0.78' });
      expectOAuthError(answer, 401, 'invalid_client');
      const [event] = await events(`request_id=${String(answer.headers['request-id'])}`);
      expect(event).toMatchObject({ type: 'token.refused' });
      reasons.push(String(event?.['reason']));
    }
    expect(new Set(reasons).size, reasons.join(' ')).toBe(cases.length);
  });

  test('a caller cannot choose the address that is written down', async () => {
    for (const [name, value] of [
      ['X-Forwarded-For', '203.0.113.9'],
      ['Forwarded', 'for=203.0.113.9'],
      ['X-Real-IP', '203.0.113.9'],
    ] as const) {
      const answer = await askToken({ client: scene.client, headers: [[name, value]] });
      const jti = String(decodeJwt(expectToken(answer).token).claims['jti']);
      const [event] = await events(`jti=${jti}`);
      expect(String(event?.['source']), name).toContain('127.0.0.1');
    }
  });

  test('an instance names itself and is remembered', async () => {
    const answer = await askToken({
      client: scene.client,
      headers: [['Countersign-Instance', 'boot-7f3a9c']],
    });
    const jti = String(decodeJwt(expectToken(answer).token).claims['jti']);
    const [event] = await events(`jti=${jti}`);
    expect(event?.['instance']).toBe('boot-7f3a9c');
  });

  test('pages follow the sequence without gap or repeat', async () => {
    for (let at = 0; at < 5; at++) expectToken(await askToken({ client: scene.client }));
    const mine = await events(`identity=${scene.client.id}&limit=2`);
    const seqs = mine.map((event) => Number(event['seq']));
    expect(new Set(seqs).size).toBe(seqs.length);
    const ascending = [...seqs].sort((a, b) => a - b);
    expect([ascending, [...ascending].reverse()]).toContainEqual(seqs);
    expect(mine.filter((event) => event['type'] === 'token.issued').length).toBeGreaterThanOrEqual(5);
  });

  test('reading it needs audit:read', async () => {
    const bare = await send(`${target.issuer}/audit/events`, { ca: target.ca });
    expect(bare.status).toBe(401);
    const wrong = await send(`${target.issuer}/audit/events`, {
      ca: target.ca,
      headers: [['Authorization', `Bearer ${expectToken(await askToken({ client: scene.client })).token}`]],
    });
    expect(wrong.status).toBe(401);
  });
});
