import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startAuthority, type RunningAuthority } from './authority-process.ts';
import { describeOnPostgres, scratchDatabase, type ScratchDatabase } from './load/postgres.ts';
import { accessBody, makeMachine, openAdmin, resourceServerBody, type Machine } from './wire/admin.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, seedScene, type SeededScene } from './wire/scene.ts';
import { mayStartServers, type ClientCredentials, type Target } from './wire/target.ts';
import { askToken, basic, FORM, formBody } from './wire/token-request.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
/** What an order given at one node needs at most to be in force at the other. */
const WITHIN_MS = 2000;

// Threats 28, 46 and 60 on PostgreSQL, where two nodes share a database: exchanged and opaque tokens.
describe.runIf(mayStartServers())('two nodes (need the countersign command)', () => {
  describeOnPostgres(describeNodes);
});

function describeNodes(): void {
  const folders = ['a', 'b'].map((name) => mkdtempSync(join(tmpdir(), `countersign-exchange-${name}-`)));
  let database: ScratchDatabase;
  const nodes: RunningAuthority[] = [];
  let first: Target;
  let second: Target;
  let front: SeededScene;
  let back: SeededScene;
  let api: Machine;

  beforeAll(async () => {
    database = await scratchDatabase();
    const ports = [await freePort(), await freePort()];
    const args = ['--database', database.url, '--issuer', `https://localhost:${ports[0]}`];
    const masterKey = join(folders[0] as string, 'data', 'master.key');
    for (const [at, folder] of folders.entries())
      nodes.push(
        await startAuthority({
          folder,
          port: ports[at] as number,
          args,
          adminSecret: nodes[0]?.target.admin?.client.secret,
          ...(at === 0 ? {} : { env: { COUNTERSIGN_MASTER_KEY_FILE: masterKey } }),
        }),
      );
    first = (nodes[0] as RunningAuthority).target;
    const at = (url: string): string => url.replace(`:${ports[0]}/`, `:${ports[1]}/`);
    second = {
      ...(nodes[1] as RunningAuthority).target,
      tokenEndpoint: at(first.tokenEndpoint),
      issuer: at(`${first.issuer}/`).slice(0, -1),
    };
    front = await seedScene('front', first);
    back = await seedScene('back', first);
    const { scopes } = resourceServerBody(front.resource, ['read', 'write', 'delete', 'tokens:exchange']);
    await front.admin.change('PATCH', `/resource-servers/${front.resourceServerId}`, { scopes });
    await front.admin.change('PATCH', `/resource-servers/${back.resourceServerId}`, {
      token: { format: 'opaque' },
    });
    api = await makeMachine(front.admin, freshName('api'));
    await give(api.identityId, front.resource, ['tokens:exchange']);
    await give(api.identityId, back.resource, ['read']);
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop().catch(() => undefined);
    await database.drop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  const give = (identity: string, resource: string, scopes: string[]): Promise<unknown> =>
    front.admin.must('POST', '/access', accessBody(identity, resource, scopes));

  async function caller(): Promise<Machine> {
    const made = await makeMachine(front.admin, freshName('caller'));
    await give(made.identityId, front.resource, ['read']);
    await give(made.identityId, back.resource, ['read']);
    return made;
  }
  async function subjectToken(client: ClientCredentials, target: Target): Promise<string> {
    return expectToken(await askToken({ target, client, params: { resource: front.resource } })).token;
  }
  const exchange = (target: Target, subject: string) =>
    askToken({
      target,
      client: api,
      params: {
        grant_type: GRANT,
        subject_token: subject,
        subject_token_type: ACCESS_TOKEN,
        resource: back.resource,
      },
    });
  async function introspectAt(target: Target, token: string): Promise<Record<string, unknown>> {
    const answer = await send(`${target.issuer}/oauth/introspect`, {
      method: 'POST',
      ca: target.ca,
      headers: [
        ['Content-Type', FORM],
        ['Authorization', basic(api)],
      ],
      body: formBody({ token }),
    });
    return jsonOf(answer);
  }

  test('threat 46: what one seals the other opens, exchanged at either', async () => {
    const client = await caller();
    for (const [asked, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const subject = await subjectToken(client, other);
      const made = expectToken(await exchange(asked, subject)).token;
      expect(made.split('.')).toHaveLength(1);
      expect(await introspectAt(other, made)).toMatchObject({
        active: true,
        sub: client.id,
        act: { sub: api.id },
        via: [{ jti: decodeJwt(subject).claims['jti'], kid: decodeJwt(subject).header['kid'] }],
      });
    }
  });

  test('threat 60: exchanges at one race a cut-off at the other: nothing that came of it is good', async () => {
    const client = await caller();
    const subject = await subjectToken(client, first);
    const got: string[] = [];
    let stop = false;
    const racing = Array.from({ length: 8 }, async () => {
      while (!stop) {
        const answer = await exchange(second, subject);
        if (answer.status === 200) got.push(String(jsonOf(answer)['access_token']));
        else expect(jsonOf(answer)['error']).toBe('invalid_request');
      }
    });
    await expect.poll(() => got.length, { timeout: 10_000, interval: 10 }).toBeGreaterThan(20);
    await front.admin.must('POST', '/cutoffs', {
      kind: 'token',
      id: String(decodeJwt(subject).claims['jti']),
      reason: 'race',
    });
    await expect
      .poll(async () => (await exchange(second, subject)).status, { timeout: WITHIN_MS, interval: 20 })
      .toBe(400);
    stop = true;
    await Promise.all(racing);
    const told = await Promise.all(got.map((token) => introspectAt(second, token)));
    expect(told.filter(({ active }) => active === true)).toEqual([]);
  });

  test('threat 60: two administrators end each other at two nodes at once: one stays', async () => {
    const { resource } = first.admin as NonNullable<Target['admin']>;
    const admins: Machine[] = [];
    for (const stem of ['one', 'two']) {
      const made = await makeMachine(front.admin, freshName(stem));
      await give(made.identityId, resource, ['identities:write', 'credentials:write', 'access:write']);
      admins.push(made);
    }
    const [one, two] = admins as [Machine, Machine];
    const as = (target: Target, client: Machine) =>
      openAdmin({ ...target, admin: { client, resource, api: `${target.issuer}/v1` } });
    const ask = (by: ReturnType<typeof as>, id: string) =>
      by.call('POST', `/identities/${id}/suspend`, { body: { reason: 'race' } });
    const byOne = as(first, one);
    expect((await ask(byOne, 'admin')).status).toBe(200);
    const answers = await Promise.all([ask(byOne, two.id), ask(as(second, two), one.id)]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.every((status) => [200, 401, 409].includes(status))).toBe(true);
  });
}
