import { generateSecret, generateWebhookSecret } from '@countersign/protocol';
import { afterEach, expect, test } from 'vitest';
import {
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
} from '../../../test/authority.ts';
import type { LeakAction } from '../../registry/leak.ts';
import { StorageError } from '../../storage/errors.ts';

let authority: Authority;
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

interface Made {
  readonly id: string;
  readonly secret: string;
}

async function scene(leakAction: LeakAction): Promise<Made> {
  authority = await openAuthority({ leakAction });
  await authority.call('POST', '/v1/identities', { body: identityBody('x', { client_id: 'pays' }) });
  return (
    await authority.call('POST', '/v1/identities/pays/credentials', { body: { type: 'client_secret' } })
  ).body;
}

const report = (secret: unknown, more: object = {}, query = ''): Promise<Answer> =>
  authority.call('POST', `/v1/leaks${query}`, {
    body: { secret, where: 'github.com/x/y: a.env:3', ...more },
  });
const told = (...types: string[]): string[] =>
  authority.log.events.map(({ type }) => type).filter((type) => types.includes(type));
const stateOf = async (id: string): Promise<string | undefined> =>
  (await authority.storage.credentials.byId(id))?.state;

// OWASP Non-Human Identities Top 10 (2025), NHI2: secret leakage.
test('NHI2: a secret that was found is suspended with the tokens that it got, and its owner can be told', async () => {
  const made = await scene('suspend-credential');
  const answer = await report(made.secret, { found_by: 'nightly scan' });
  expect([answer.status, answer.body]).toEqual([200, { received: true }]);
  expect(await stateOf(made.id)).toBe('suspended');
  expect((await authority.storage.identities.byClientId('pays'))?.state).toBe('active');
  const leaked = authority.log.events.find(({ type }) => type === 'credential.leaked');
  expect(leaked).toMatchObject({
    resource: made.id,
    identity: 'admin',
    reason: 'its secret was found in github.com/x/y: a.env:3',
  });
  expect(told('credential.suspended', 'cutoff.ordered')).toEqual(['credential.suspended', 'cutoff.ordered']);
  expect(await authority.storage.cutoffs.after(0, 10)).toMatchObject([
    { kind: 'credential', target: made.id },
  ]);
  expect(JSON.stringify(authority.log.events)).not.toContain(made.secret);
});

test('as the deployment wishes, it is told only, or the whole machine stops until two people agree', async () => {
  const only = await scene('report');
  await report(only.secret);
  expect(await stateOf(only.id)).toBe('active');
  expect(told('credential.leaked', 'credential.suspended')).toEqual(['credential.leaked']);
  await authority.close();
  const all = await scene('suspend-identity');
  await report(all.secret);
  expect(await stateOf(all.id)).toBe('suspended');
  expect(await authority.storage.identities.byClientId('pays')).toMatchObject({
    state: 'suspended',
    securityStop: true,
  });
});

test('nobody learns from the answer, or from a dry run, whether a secret is one of ours', async () => {
  const made = await scene('suspend-credential');
  const foreign = generateSecret('csk', authority.deps.random).secret;
  const answers = [
    await report(made.secret, {}, '?dry_run=true'),
    await report(foreign, {}, '?dry_run=true'),
    await report(generateWebhookSecret(authority.deps.random), {}, '?dry_run=true'),
  ];
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(await stateOf(made.id)).toBe('active');
  const real = [await report(foreign), await report(made.secret), await report(made.secret)];
  expect(new Set(real.map(({ text, status }) => status + text)).size).toBe(1);
  expect(told('leak.reported', 'credential.leaked')).toEqual([
    'leak.reported',
    'credential.leaked',
    'credential.leaked',
  ]);
  expect(told('credential.suspended')).toHaveLength(1);
});

test('a secret of a webhook that was found is told of', async () => {
  await scene('suspend-credential');
  const body = { name: 'siem', url: 'https://siem.example/', events: ['*'] };
  const made = (await authority.call('POST', '/v1/webhooks', { body })).body as Made;
  expect((await report(made.secret)).body).toEqual({ received: true });
  expect(authority.log.events.at(-1)).toMatchObject({ type: 'webhook.secret_leaked', resource: made.id });
  expect((await authority.storage.webhooks.byId(made.id))?.state).toBe('enabled');
});

test('the secret stands in the body alone, and nowhere afterwards', async () => {
  const made = await scene('suspend-credential');
  await report(made.secret, { where: `line ${made.secret} of a.env`, found_by: `scan of ${made.secret}` });
  expect(JSON.stringify(authority.log.events)).not.toContain(made.secret);
  for (const secret of ['', 'csk_x', 'AKIA', `${made.secret}x`, 7]) {
    const answer = await report(secret);
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/secret']);
    if (typeof secret === 'string' && secret.length > 8) expect(answer.text).not.toContain(secret);
  }
});

test('somebody who changes the credential at the same moment changes neither the answer nor the end', async () => {
  const made = await scene('suspend-credential');
  const { storage } = authority;
  const transaction = storage.transaction.bind(storage);
  let conflicts = 0;
  storage.transaction = (work) =>
    conflicts++ < 2 ? Promise.reject(new StorageError('version_conflict', 'credentials')) : transaction(work);
  expect((await report(made.secret)).body).toEqual({ received: true });
  expect(await stateOf(made.id)).toBe('suspended');
});

test('one that is suspended already still ends the tokens that it got, once', async () => {
  const made = await scene('suspend-credential');
  await authority.call('PATCH', `/v1/credentials/${made.id}`, {
    body: { state: 'suspended' },
    headers: { 'If-Match': '*' },
  });
  await report(made.secret);
  const orders = () => authority.storage.cutoffs.after(0, 10);
  expect(await orders()).toMatchObject([{ kind: 'credential', target: made.id }]);
  await report(made.secret);
  expect(await orders()).toHaveLength(1);
  expect(told('credential.leaked')).toHaveLength(2);
});

test('one that has ended is told of, and the answer is the same', async () => {
  const made = await scene('suspend-credential');
  authority.clock.advance(29 * 86_400_000 + 86_400_000);
  expect((await report(made.secret)).body).toEqual({ received: true });
  expect(told('credential.leaked', 'credential.suspended')).toEqual(['credential.leaked']);
});

test('it takes leaks:write, and nothing else', async () => {
  const made = await scene('suspend-credential');
  const body = { secret: made.secret, where: 'x' };
  const scanner = await operator(authority, 'scanner', ['leaks:write']);
  const other = await operator(authority, 'other', ['identities:write']);
  expect((await authority.call('POST', '/v1/leaks', { body, token: other })).status).toBe(403);
  expect((await authority.call('POST', '/v1/leaks', { body, token: scanner })).status).toBe(200);
  expect(await stateOf(made.id)).toBe('suspended');
});

test('the last administrator’s own secret is stopped like any other', async () => {
  await scene('suspend-credential');
  expect((await report(authority.admin.secret)).body).toEqual({ received: true });
  expect(told('credential.suspended')).toHaveLength(1);
});
