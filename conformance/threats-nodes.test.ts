import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startAuthority, type RunningAuthority } from './authority-process.ts';
import { describeOnPostgres, scratchDatabase, type ScratchDatabase } from './load/postgres.ts';
import { issueSecret, openAdmin, revokeCredential } from './wire/admin.ts';
import { send, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { makeKey } from './wire/client-assertion.ts';
import { dpopProof } from './wire/dpop-proof.ts';
import { mayStartServers, type Target } from './wire/target.ts';
import { askToken, basic, FORM, formBody } from './wire/token-request.ts';

/** What an order given at one node needs at most to be in force at the other. */
const WITHIN_MS = 2000;

// Threats 4, 12 and 48 where two nodes share a database: what one is told, the other knows.
describe.runIf(mayStartServers())('two nodes (need the countersign command)', () => {
  describeOnPostgres(describeNodes);
});

function describeNodes(): void {
  const folders = ['a', 'b'].map((name) => mkdtempSync(join(tmpdir(), `countersign-node-${name}-`)));
  let database: ScratchDatabase;
  const nodes: RunningAuthority[] = [];
  let scene: SeededScene;
  let first: Target;
  let second: Target;

  beforeAll(async () => {
    database = await scratchDatabase();
    const ports = [await freePort(), await freePort()];
    const common = ['--database', database.url, '--issuer', `https://localhost:${ports[0]}`];
    for (const [at, folder] of folders.entries()) {
      const masterKey = join(folders[0] as string, 'data', 'master.key');
      nodes.push(
        await startAuthority({
          folder,
          port: ports[at] as number,
          args: common,
          adminSecret: nodes[0]?.target.admin?.client.secret,
          ...(at === 0 ? {} : { env: { COUNTERSIGN_MASTER_KEY_FILE: masterKey } }),
        }),
      );
    }
    first = (nodes[0] as RunningAuthority).target;
    const at = (url: string): string => url.replace(`:${ports[0]}/`, `:${ports[1]}/`);
    second = {
      ...(nodes[1] as RunningAuthority).target,
      tokenEndpoint: at(first.tokenEndpoint),
      issuer: at(`${first.issuer}/`).slice(0, -1),
    };
    scene = await seedScene('nodes', first);
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop().catch(() => undefined);
    await database.drop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  function introspectAt(target: Target, token: string): Promise<Answer> {
    return send(`${target.issuer}/oauth/introspect`, {
      method: 'POST',
      ca: target.ca,
      headers: [
        ['Content-Type', FORM],
        ['Authorization', basic(scene.client)],
      ],
      body: formBody({ token }),
    });
  }

  test('what one makes the other knows: clients, tokens, keys', async () => {
    for (const target of [first, second]) {
      const { token } = expectToken(await askToken({ target, client: scene.client }));
      expect(decodeJwt(token).claims['iss']).toBe(first.issuer);
      for (const asked of [first, second])
        expect((await introspectAt(asked, token)).text).toContain('"active":true');
    }
  });

  test('threat 48: a token revoked at one is dead at the other within two seconds', async () => {
    const { token } = expectToken(await askToken({ target: first, client: scene.client }));
    expect((await introspectAt(second, token)).text).toContain('"active":true');
    const answer = await send(`${first.issuer}/oauth/revoke`, {
      method: 'POST',
      ca: first.ca,
      headers: [
        ['Content-Type', FORM],
        ['Authorization', basic(scene.client)],
      ],
      body: formBody({ token }),
    });
    expect(answer.status).toBe(200);
    await expect
      .poll(async () => (await introspectAt(second, token)).text, { timeout: WITHIN_MS, interval: 50 })
      .toBe('{"active":false}');
  });

  test('threat 4: a secret revoked at one opens nothing at the other', async () => {
    const made = await issueSecret(scene.admin, scene.machine.identityId);
    const client = { id: scene.client.id, secret: made.secret };
    await expect
      .poll(async () => (await askToken({ target: second, client })).status, { timeout: WITHIN_MS })
      .toBe(200);
    await revokeCredential(scene.admin, made.id);
    await expect
      .poll(async () => (await askToken({ target: second, client })).status, { timeout: WITHIN_MS })
      .toBe(401);
  });

  test('threat 12: of one proof shown at both at once, one token comes', async () => {
    const holder = makeKey();
    const ask = (target: Target, proof: string): Promise<Answer> =>
      askToken({ target, client: scene.client, headers: [['DPoP', proof]] });
    const refused = await ask(first, dpopProof(holder, first));
    const nonce = refused.headers['dpop-nonce'];
    const proof = dpopProof(holder, first, { nonce });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => ask(at % 2 === 0 ? first : second, proof)),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expectOAuthError(answer, 400, 'invalid_dpop_proof');
  });

  // The last one: it ends the tokens of the others.
  test('threat 44: a token of a key that one made this instant is taken by the admin API of the other', async () => {
    for (let times = 0; times < 5; times++) {
      const admin = openAdmin(first);
      const { kid } = decodeJwt(await admin.token()).header;
      const keys = await admin.all('/keys');
      const next = keys.find(({ alg, state }) => alg === 'ES256' && state === 'next');
      // Both known ones: what signs then was made by this order.
      for (const id of [next?.['kid'], kid])
        await admin.must('POST', '/cutoffs', { kind: 'key', id: String(id), reason: 'drill' });
      const token = await openAdmin(first).token();
      expect(keys.map((key) => key['kid'])).not.toContain(decodeJwt(token).header['kid']);
      // At once: the news of the key may not have come there yet.
      const answer = await send(`${second.issuer}/v1/keys`, {
        ca: second.ca,
        headers: [['Authorization', `Bearer ${token}`]],
      });
      expect(answer.status, answer.text).toBe(200);
    }
  });
}
