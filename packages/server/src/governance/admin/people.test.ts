import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority, PEOPLE } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const lastReason = (): string | undefined => authority.log.events.at(-1)?.reason;

async function requested(): Promise<string> {
  const { body } = await authority.call('POST', '/v1/identities', {
    body: identityBody('a', { state: 'draft' }),
  });
  await authority.call('POST', `/v1/identities/${body.id}/submit`);
  return `/v1/identities/${body.id}`;
}

test('a person with the role approves, and the log names the person, who vouched for it, and when it signed in', async () => {
  const path = await requested();
  const token = await authority.personToken('ada@example.com', ['approver']);
  const { body: waiting } = await authority.call('GET', '/v1/approvals?state=pending');
  const { content_hash } = waiting.items[0];
  const approved = await authority.call('POST', `${path}/approve`, { token, body: { content_hash } });
  expect([approved.status, approved.body.state]).toEqual([200, 'approved']);
  expect(authority.log.events.at(-1)).toMatchObject({
    type: 'identity.approved',
    identity: 'person:ada@example.com',
    person: 'ada@example.com',
    person_issuer: PEOPLE.issuer,
    person_subject: 'sub-ada@example.com',
    signed_in_at: '2026-11-21T12:00:00.000Z',
  });
});

test('a machine never approves, whatever it holds', async () => {
  const path = await requested();
  for (const verb of ['approve', 'reject']) {
    const answer = await authority.call('POST', `${path}/${verb}`, { body: {} });
    expect([answer.status, answer.body.code]).toEqual([403, 'needs_people']);
  }
  // A scope that no access can have is no scope of its token either.
  const forged = await authority.tokenFor('admin', { scope: 'identities:write approvals:write' });
  const answer = await authority.call('POST', `${path}/approve`, { token: forged, body: {} });
  expect([answer.status, answer.body.code]).toEqual([403, 'needs_people']);
});

describe('roles', () => {
  test.each(['operator', 'owner', 'reviewer', 'auditor'] as const)('%s does not approve', async (role) => {
    const path = await requested();
    const token = await authority.personToken('eve@example.com', [role]);
    const answer = await authority.call('POST', `${path}/approve`, { token, body: {} });
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
    expect(answer.body.detail).toContain('of the role admin or approver');
  });

  test('an auditor sees and changes nothing', async () => {
    const token = await authority.personToken('olga@example.com', ['auditor']);
    expect((await authority.call('GET', '/v1/identities', { token })).status).toBe(200);
    const made = await authority.call('POST', '/v1/identities', { token, body: identityBody('b') });
    expect([made.status, made.body.code]).toEqual([403, 'insufficient_scope']);
  });

  test('an operator makes identities', async () => {
    const token = await authority.personToken('otto@example.com', ['operator']);
    const made = await authority.call('POST', '/v1/identities', { token, body: identityBody('b') });
    expect(made.status).toBe(201);
  });

  test('a role that does not exist, or only looks like one, gives nothing', async () => {
    for (const role of ['Admin', 'admin ', 'root', 'аdmin']) {
      const token = await authority.personToken('eve@example.com', [role as 'admin'], {
        claims: { scope: 'identities:read' },
      });
      const answer = await authority.call('GET', '/v1/identities', { token });
      expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
    }
  });

  test('a token opens no more than it was issued for', async () => {
    const token = await authority.personToken('ada@example.com', ['admin'], {
      claims: { scope: 'identities:read' },
    });
    expect((await authority.call('GET', '/v1/identities', { token })).status).toBe(200);
    const made = await authority.call('POST', '/v1/identities', { token, body: identityBody('b') });
    expect(made.status).toBe(403);
  });
});

describe('a token of a person ends', () => {
  const read = async (claims: Record<string, unknown> = {}) => {
    const token = await authority.personToken('ada@example.com', ['admin'], { claims });
    return await authority.call('GET', '/v1/identities', { token });
  };

  test('when its issuer is not, or no longer, one that vouches for people', async () => {
    expect((await read({ crd: 'tis_other' })).status).toBe(401);
    expect(lastReason()).toBe('people_issuer_not_active');
    expect((await read({ idp: { iss: 'https://other.test', sub: 'ada' } })).status).toBe(401);
    expect(lastReason()).toBe('people_issuer_not_active');
  });

  test('when it is cut off: by its token, its issuer, or its person', async () => {
    for (const [kind, target] of [
      ['token', 'jti-1'],
      ['credential', PEOPLE.id],
      ['identity', 'person:ada@example.com'],
    ] as const) {
      const before = await read({ jti: 'jti-1' });
      expect(before.status).toBe(200);
      const record = {
        id: `cut_${kind}`,
        kind,
        target,
        notBefore: Math.floor(authority.clock.now() / 1000),
        reason: 'x',
        orderedBy: 'admin',
        createdAt: authority.clock.now(),
      };
      await authority.storage.transaction((stores) => stores.cutoffs.append(record));
      expect((await read({ jti: 'jti-1' })).status).toBe(401);
      expect(lastReason()).toBe('cut_off');
      authority.clock.advance(2000);
    }
  });

  test.each<[string, Record<string, unknown>]>([
    ['no roles', { roles: undefined }],
    ['roles that are no list', { roles: 'admin' }],
    ['an actor', { act: { sub: 'payments' } }],
    ['the client of a machine', { client_id: 'admin' }],
    ['no word of who vouched', { idp: undefined }],
    ['a subject that is no person', { sub: 'admin' }],
    ['no time of sign-in', { auth_time: undefined }],
  ])('and is not taken with %s', async (_what, claims) => {
    expect((await read(claims)).status).toBe(401);
    expect(lastReason()).toBe('token_malformed');
  });
});

test('somebody who has left is nobody from then on', async () => {
  await authority.close();
  let left = false;
  authority = await openAuthority({
    people: {
      trustedIssuers: { byId: async () => undefined, ofPeople: async () => [] },
      builtIn: PEOPLE,
      standing: async () => (left ? 'left' : 'active'),
    },
  });
  const token = await authority.personToken('ada@example.com', ['admin']);
  expect((await authority.call('GET', '/v1/identities', { token })).status).toBe(200);
  left = true;
  expect((await authority.call('GET', '/v1/identities', { token })).status).toBe(401);
  expect(lastReason()).toBe('person_left');
});
