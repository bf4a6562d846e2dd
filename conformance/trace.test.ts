import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { freePort, startAuthority } from './authority-process.ts';
import { scratchDatabase } from './load/postgres.ts';
import { accessBody, type Admin, makeMachine, openAdmin, resourceServerBody } from './wire/admin.ts';
import { jsonOf } from './wire/exchange.ts';
import { expectProblem, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, rememberSecret, seedOperator, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget, mayStartServers, type Target } from './wire/target.ts';
import { introspect, revoke } from './wire/token-call.ts';
import { askToken } from './wire/token-request.ts';

// What happened with a token: every step of its story in one answer, each with its place in the audit log.
const target = currentTarget();
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

interface Row {
  readonly at: string;
  readonly stage: string;
  readonly who: string;
  readonly event: { readonly seq: number; readonly id: string; readonly type: string } | null;
}

interface Trace extends Record<string, unknown> {
  readonly rows: readonly Row[];
  readonly before: readonly { readonly jti: string }[];
  readonly after: readonly { readonly jti: string }[];
}

async function trace(admin: Admin, jti: string): Promise<Trace> {
  return (await admin.must('GET', `/tokens/${jti}/trace`)) as Trace;
}

const types = ({ rows }: Trace): string[] => rows.map(({ event, stage }) => event?.type ?? stage);

/** The scopes by which an API tells what is used, for one machine, and one report about one call. */
async function reportUse(scene: SeededScene, row: Record<string, unknown>): Promise<void> {
  const { admin } = scene;
  const { scopes } = resourceServerBody(scene.resource, ['read', 'write', 'delete', 'usage:write']);
  expect(
    (await admin.change('PATCH', `/resource-servers/${scene.resourceServerId}`, { scopes })).status,
  ).toBe(200);
  const reporter = await seedOperator(admin, 'trace-api', ['usage:write']);
  await admin.must('POST', '/access', accessBody(reporter.identityId, scene.resource, ['usage:write']));
  const params = { resource: reporter.resource };
  const { token } = expectToken(await askToken({ target: scene.target, client: reporter, params }));
  const now = Date.now();
  const answer = await admin.call('POST', '/usage', {
    token,
    body: {
      resource_server: scene.resource,
      instance: 'pod-1',
      boot: freshName('boot'),
      seq: 1,
      from: new Date(now - 1000).toISOString(),
      to: new Date(now).toISOString(),
      rows: [row],
    },
  });
  expect(answer.status, answer.text).toBeLessThan(300);
}

async function tokenOf(scene: SeededScene): Promise<{ token: string; jti: string }> {
  const { token } = expectToken(await askToken({ target: scene.target, client: scene.client }));
  return { token, jti: String(decodeJwt(token).claims['jti']) };
}

/** Secret → token → what an API saw → cut-off, and what the trace makes of it. */
async function tellStory(scene: SeededScene): Promise<string> {
  const { jti } = await tokenOf(scene);
  const { credentialId } = scene.machine;
  await reportUse(scene, {
    credential: credentialId,
    access: scene.accessId,
    scope: 'read',
    ok: 1,
    denied: 0,
  });
  await scene.admin.must('POST', '/cutoffs', {
    kind: 'credential',
    id: credentialId,
    reason: 'seen in a log',
  });
  return jti;
}

function expectStory(scene: SeededScene, jti: string, told: Trace): void {
  const admin = (scene.target.admin as NonNullable<Target['admin']>).client.id;
  expect(types(told).filter((type) => type !== 'use')).toEqual([
    'identity.created',
    'credential.created',
    'access.created',
    'token.issued',
    'credential.revoked',
    'cutoff.ordered',
  ]);
  expect(types(told)).toContain('use');
  const instants = told.rows.map(({ at }) => Date.parse(at));
  expect(instants).toEqual(instants.toSorted((a, b) => a - b));
  expect(told).toMatchObject({
    token: { jti, identity: scene.client.id, credential: scene.machine.credentialId, access: scene.accessId },
    cut_off_at: expect.any(String),
    identity: { client_id: scene.client.id, state: 'active', owner: { person: expect.any(String) } },
    access: { id: scene.accessId, version: 1, requested_by: admin, approved_by: admin },
    credential: { made_by: admin, state_now: 'revoked' },
    use: { state: 'used', scopes: [{ scope: 'read', state: 'used' }, { scope: 'write' }] },
    complete: true,
  });
}

describe.runIf(target.admin !== undefined)('the trace of a token (needs the admin API)', () => {
  let scene: SeededScene;
  let admin: Admin;

  beforeAll(async () => {
    scene = await seedScene('trace');
    admin = scene.admin;
  });

  test('secret, token, use and cut-off are told in order, and each row is found in the log', async () => {
    const own = await seedScene('trace-story');
    const jti = await tellStory(own);
    const told = await trace(admin, jti);
    expectStory(own, jti, told);
    for (const { at, event, who } of told.rows) {
      if (event === null) continue;
      const to = new Date(Date.parse(at) + 1).toISOString();
      const found = await admin.all(`${target.issuer}/audit/events?type=${event.type}&from=${at}&to=${to}`);
      const logged = found.find(({ seq }) => seq === event.seq);
      expect(logged).toMatchObject({ id: event.id, identity: who });
    }
  });

  test('a chain of three is told whole, from each of them', async () => {
    const [second, third] = [await seedScene('trace-second'), await seedScene('trace-third')];
    for (const each of [scene, second]) {
      const { scopes } = resourceServerBody(each.resource, ['read', 'write', 'delete', 'tokens:exchange']);
      await admin.change('PATCH', `/resource-servers/${each.resourceServerId}`, { scopes });
    }
    const machine = async () => {
      const made = await makeMachine(admin, freshName('trace-api'));
      rememberSecret(target, made.secret);
      return made;
    };
    const give = (to: { identityId: string }, at: SeededScene, scopes: string[]) =>
      admin.must('POST', '/access', accessBody(to.identityId, at.resource, scopes));
    const [api, last] = [await machine(), await machine()];
    await give(api, scene, ['tokens:exchange']);
    await give(api, second, ['read']);
    await give(last, second, ['tokens:exchange']);
    await give(last, third, ['read']);
    await give(scene.machine, second, ['read']);
    await give(scene.machine, third, ['read']);
    const exchange = async (client: typeof api, subject: string, resource: string): Promise<string> => {
      const params = {
        grant_type: GRANT,
        subject_token: subject,
        subject_token_type: ACCESS_TOKEN,
        resource,
      };
      return expectToken(await askToken({ client, params })).token;
    };
    const one = expectToken(
      await askToken({ client: scene.client, params: { resource: scene.resource } }),
    ).token;
    const two = await exchange(api, one, second.resource);
    const three = await exchange(last, two, third.resource);
    const jtis = [one, two, three].map((token) => String(decodeJwt(token).claims['jti']));
    for (const [place, jti] of jtis.entries()) {
      const told = await trace(admin, jti);
      expect(told.before.map((each) => each.jti)).toEqual(jtis.slice(0, place));
      expect(told.after.map((each) => each.jti)).toEqual(jtis.slice(place + 1));
      expect(types(told).filter((type) => type === 'token.issued')).toHaveLength(3);
    }
    expect(await trace(admin, jtis[2] as string)).toMatchObject({
      token: { identity: last.id, subject: scene.client.id, parent: jtis[1] },
    });
    const found = await admin.all(`${target.issuer}/audit/events?parent=${jtis[0]}`);
    expect(found.map((event) => event['jti'])).toEqual([jtis[1]]);
  });

  test('a token that was revoked says so, and so does an opaque one', async () => {
    const own = await seedScene('trace-opaque');
    const format = { token: { format: 'opaque' } };
    await admin.change('PATCH', `/resource-servers/${own.resourceServerId}`, format);
    const { token } = expectToken(await askToken({ client: own.client }));
    rememberSecret(target, token);
    const { jti } = jsonOf(await introspect(token, own.machine));
    expect((await revoke(token, own.machine)).status).toBe(200);
    const told = await trace(admin, String(jti));
    expect(types(told).slice(-2)).toEqual(['token.issued', 'cutoff.ordered']);
    expect(told.rows.at(-1)).toMatchObject({ who: own.client.id, stage: 'cutoff' });
  });

  test('without audit:read it is refused, and an unknown token is not found', async () => {
    const { jti } = await tokenOf(await seedScene('trace-refused'));
    const other = await seedOperator(admin, 'trace-other', ['access:read', 'identities:read']);
    const params = { resource: other.resource };
    const { token } = expectToken(await askToken({ client: other, params }));
    expectProblem(await admin.call('GET', `/tokens/${jti}/trace`, { token }), 403);
    expectProblem(await admin.call('GET', '/tokens/AAAAAAAAAAAAAAAAAAAAAA/trace'), 404);
  });
});

/** The authority is killed between what happened and the question. */
async function traceAfterKill(database?: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-trace-'));
  const args = database === undefined ? [] : ['--database', database];
  const port = await freePort();
  let authority = await startAuthority({ folder, port, args });
  const adminSecret = authority.target.admin?.client.secret;
  try {
    const scene = await seedScene('trace-kill', authority.target);
    const { jti: plain } = await tokenOf(scene);
    await authority.stop('SIGKILL');
    authority = await startAuthority({ folder, port, args, adminSecret });
    const again = { ...scene, admin: openAdmin(authority.target), target: authority.target };
    expect(types(await trace(again.admin, plain)).at(-1)).toBe('token.issued');
    const jti = await tellStory(again);
    await authority.stop('SIGKILL');
    authority = await startAuthority({ folder, port, args, adminSecret });
    const startedAt = performance.now();
    const told = await trace(openAdmin(authority.target), jti);
    console.log(`traced in ${Math.round(performance.now() - startedAt)} ms, token request for it included`);
    expectStory(again, jti, told);
  } finally {
    await authority.stop('SIGKILL').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.runIf(mayStartServers())('the trace after kill -9 (needs the countersign command)', () => {
  test('SQLite: nothing of it is lost', () => traceAfterKill(), 90_000);

  test('PostgreSQL: nothing of it is lost', async (context) => {
    const database = await scratchDatabase(context);
    try {
      await traceAfterKill(database.url);
    } finally {
      await database.drop();
    }
  }, 90_000);
});
