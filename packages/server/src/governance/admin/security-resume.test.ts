import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';

let authority: Authority;
let path: string;
beforeEach(async () => {
  authority = await openAuthority();
  const body = identityBody('payments', { client_id: 'payments', environment: 'test' });
  path = `/v1/identities/${(await authority.call('POST', '/v1/identities', { body })).body.id}`;
  await newCredential();
  await cutOff();
  authority.clock.advance(1000);
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function cutOff(): Promise<void> {
  const body = { kind: 'identity', id: 'payments', reason: 'leak' };
  expect((await authority.call('POST', '/v1/cutoffs', { body })).status).toBe(201);
}

async function newCredential(): Promise<void> {
  const made = await authority.call('POST', `${path}/credentials`, { body: { type: 'client_secret' } });
  expect(made.status).toBe(201);
}

async function resumeAs(handle: string | null, role: 'admin' | 'operator' = 'admin'): Promise<Answer> {
  const body = { reason: 'found and mended' };
  if (handle === null) return await authority.call('POST', `${path}/resume`, { body });
  const token = await authority.personToken(handle, [role]);
  return await authority.call('POST', `${path}/resume`, { token, body });
}

async function statesOfCredentials(): Promise<string[]> {
  const { body } = await authority.call('GET', '/v1/credentials?identity=payments');
  return body.items.map(({ state }: { state: string }) => state);
}

test('two people and a new credential put it back to work, and what it had before is gone', async () => {
  const first = await resumeAs('ada@example.com');
  expect([first.status, first.body.state, first.body.security_stop]).toEqual([200, 'suspended', true]);
  expect(await statesOfCredentials()).toEqual(['revoked']);
  const early = await resumeAs('eva@example.com');
  expect([early.status, early.body.code]).toEqual([409, 'illegal_transition']);
  await newCredential();
  const second = await resumeAs('eva@example.com');
  expect([second.status, second.body.state, second.body.security_stop]).toEqual([200, 'active', false]);
  const told = authority.log.events.filter(({ type }) => type.startsWith('identity.resume'));
  expect(told).toMatchObject([
    { type: 'identity.resume_agreed', person: 'ada@example.com' },
    { type: 'identity.resumed', person: 'eva@example.com' },
  ]);
});

test('a cut-off of what is stopped already leaves no room for a second word that has not seen it', async () => {
  await resumeAs('ada@example.com');
  await newCredential();
  const { storage, changes } = authority;
  const read = await storage.identities.byClientId('payments');
  if (read === undefined) throw new Error('it is gone');
  await cutOff();
  const unseen = changes.run({ identity: 'x' }, (stores, tell) =>
    moveIdentity(authority.deps, stores, tell, read, {
      move: 'resume',
      reason: 'found and mended',
      actor: { identity: 'x' },
      twoAgreed: true,
    }),
  );
  await expect(unseen).rejects.toMatchObject({ fault: 'version_conflict' });
  expect((await storage.identities.byClientId('payments'))?.state).toBe('suspended');
});

test('one person does not make two, under whatever spelling of its name', async () => {
  await resumeAs('ada@example.com');
  await newCredential();
  for (const handle of ['ada@example.com', 'Ada@Example.com']) {
    expect((await resumeAs(handle)).body.code).toBe('needs_people');
  }
});

test('neither a machine nor who decides nothing has a say', async () => {
  expect((await resumeAs(null)).body.code).toBe('needs_people');
  expect((await resumeAs('otto@example.com', 'operator')).body.code).toBe('insufficient_scope');
  await resumeAs('ada@example.com');
  await newCredential();
  expect((await resumeAs(null)).body.code).toBe('needs_people');
  expect((await resumeAs('otto@example.com', 'operator')).body.code).toBe('insufficient_scope');
});

test('a word stands for a day, and not beyond the next cut-off', async () => {
  await resumeAs('ada@example.com');
  await newCredential();
  await cutOff();
  const again = await resumeAs('eva@example.com');
  expect(again.body.state).toBe('suspended');
  await newCredential();
  authority.clock.advance(86_400_001);
  expect((await resumeAs('ada@example.com')).body.state).toBe('suspended');
});

test('a dry run shows what goes with the first word, and does nothing', async () => {
  const token = await authority.personToken('ada@example.com', ['admin']);
  const ask = { token, body: { reason: 'x' } };
  const shown = await authority.call('POST', `${path}/resume?dry_run=true`, ask);
  expect(shown.status).toBe(200);
  expect(await statesOfCredentials()).toEqual(['active']);
});

test('lifting its cut-off is the same: two people, and a new credential', async () => {
  const { body: list } = await authority.call('GET', '/v1/cutoffs');
  const lift = async (handle: string): Promise<Answer> =>
    await authority.call('POST', `/v1/cutoffs/${list.items[0].id}/lift`, {
      token: await authority.personToken(handle, ['approver']),
      body: { reason: 'found and mended' },
    });
  expect((await lift('ada@example.com')).status).toBe(200);
  await newCredential();
  expect((await lift('ada@example.com')).body.code).toBe('needs_people');
  expect((await lift('eva@example.com')).status).toBe(200);
  expect((await authority.call('GET', path)).body).toMatchObject({ state: 'active', security_stop: false });
  expect((await lift('eva@example.com')).body.code).toBe('illegal_transition');
});

test('a credential that was cut off stays so, whoever asks', async () => {
  const { body: credentials } = await authority.call('GET', '/v1/credentials?identity=payments');
  const body = { kind: 'credential', id: credentials.items[0].id, reason: 'leak' };
  const made = await authority.call('POST', '/v1/cutoffs', { body });
  const token = await authority.personToken('ada@example.com', ['admin']);
  const lifted = await authority.call('POST', `/v1/cutoffs/${made.body.id}/lift`, {
    token,
    body: { reason: 'x' },
  });
  expect([lifted.status, lifted.body.code]).toEqual([409, 'illegal_transition']);
});
