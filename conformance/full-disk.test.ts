import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, startAuthority, type RunningAuthority } from './authority-process.ts';
import { smallDisk, type SmallDisk } from './load/full-disk.ts';
import { brokenDatabases } from './load/integrity.ts';
import { identityBody, openAdmin } from './wire/admin.ts';
import { send, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectProblem, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, seedScene, type SeededScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// Promise 6: a full disk gives a defined answer. No token leaves without its record, and space that comes back is enough.
describe.runIf(mayStartServers())('a full disk (needs the countersign command)', () => {
  let folder: string;
  let disk: SmallDisk | undefined;
  let authority: RunningAuthority | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-disk-'));
  });
  afterEach(async () => {
    await authority?.stop('SIGKILL').catch(() => undefined);
    disk?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Asks for tokens until one is refused; every token on the way is remembered. */
  async function untilRefused(scene: SeededScene, jtis: Set<string>, withinMs: number): Promise<Answer> {
    const until = Date.now() + withinMs;
    while (Date.now() < until) {
      const answers = await Promise.all(
        Array.from({ length: 16 }, () => askToken({ target: scene.target, client: scene.client })),
      );
      for (const answer of answers)
        if (answer.status === 200) jtis.add(String(decodeJwt(expectToken(answer).token).claims['jti']));
      const refused = answers.find((answer) => answer.status !== 200);
      if (refused !== undefined) return refused;
    }
    throw new Error(`still issuing after ${withinMs} ms and ${jtis.size} tokens on a full disk`);
  }

  test('no token without a record, a clear log line, and recovery without restart', async (context) => {
    const small = smallDisk(context, join(folder, 'disk'), 96);
    disk = small;
    const port = await freePort();
    const running = await startAuthority({ folder, port, dataDir: join(small.folder, 'data') });
    authority = running;
    const { target } = running;
    const scene = await seedScene('disk', target);
    const jtis = new Set<string>();
    expectToken(await askToken({ target, client: scene.client }));

    small.fill();
    const refused = await untilRefused(scene, jtis, 240_000);
    expectOAuthError(refused, 503, 'temporarily_unavailable');
    expect(Number(refused.headers['retry-after'] ?? 1)).toBeGreaterThan(0);

    // the change of a record is refused too, and says that it may be tried again
    const name = freshName('full');
    const change = await openAdmin(target).call('POST', '/identities', {
      body: identityBody(name, { client_id: name }),
      token: await adminTokenFrom(scene),
    });
    if (change.status !== 201) expectProblem(change, 503);

    // what needs no writing is served: keys and metadata
    for (const path of ['/oauth/jwks', '/.well-known/oauth-authorization-server', '/healthz'])
      expect((await send(`${target.issuer}${path}`, { ca: target.ca })).status, path).toBe(200);
    await sleep(200);
    expect(running.log()).toMatch(/ENOSPC|no space|disk (is )?full/i);

    small.free();
    await expect
      .poll(async () => (await askToken({ target, client: scene.client })).status, {
        timeout: 20_000,
        interval: 250,
      })
      .toBe(200);

    const admin = openAdmin(target);
    const events = await admin.all(`${target.issuer}/audit/events?type=token.issued&limit=200`, 100_000);
    const logged = new Set(events.map((event) => String(event['jti'])));
    expect(
      [...jtis].filter((jti) => !logged.has(jti)),
      'tokens without an event',
    ).toEqual([]);
    const there = await admin.call('GET', `/identities/${name}`);
    expect(there.status).toBe(change.status === 201 ? 200 : 404);
    const again = await admin.call('POST', '/identities', { body: identityBody(freshName('after')) });
    expect(again.status, again.text).toBe(201);

    expect(await running.stop()).toBe(0);
    expect(brokenDatabases(running.dataDir)).toEqual([]);
    expect(readFileSync(running.logFile, 'utf8')).not.toContain(scene.client.secret);
  }, 600_000);

  /** A token taken while the disk had room would be as good; on a full one the admin may get none. */
  async function adminTokenFrom(scene: SeededScene): Promise<string> {
    return scene.admin.token();
  }
});
