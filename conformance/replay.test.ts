import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { freePort, type RunningAuthority, startAuthority } from './authority-process.ts';
import { scratchDatabase } from './load/postgres.ts';
import { giveKey } from './wire/client-assertion.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { seedScene } from './wire/scene.ts';
import { mayStartServers, type Target } from './wire/target.ts';

// RFC 7523 section 3, item 7, for a deployment and not only for a process.
describe.runIf(mayStartServers())('an assertion is used once (needs the countersign command)', () => {
  test('threat 12: across a restart', async () => {
    await inFolder(async (folder, started) => {
      const port = await freePort();
      const first = await started(startAuthority({ folder, port }));
      const adminSecret = first.target.admin?.client.secret;
      const client = await giveKey(await seedScene('replay', first.target));
      // What the log alone knows of, and what was written down before.
      const early = client.assertion();
      const refused = client.assertion();
      expectToken(await client.ask(early));
      await sleep(1500);
      const late = Array.from({ length: 40 }, () => client.assertion());
      for (const answer of await Promise.all(late.map((assertion) => client.ask(assertion))))
        expectToken(answer);
      expectOAuthError(await client.ask(refused, { scope: 'nothing-of-that-name' }), 400, 'invalid_scope');
      await first.stop('SIGKILL');
      await started(startAuthority({ folder, port, adminSecret }));
      // One after the other: many refusals at once would be answered 429.
      for (const assertion of [early, refused, ...late.slice(0, 6)]) {
        expectOAuthError(await client.ask(assertion), 401, 'invalid_client');
      }
      expectToken(await client.ask());
    });
  }, 60_000);

  test('threats 12 and 60: across two processes on one PostgreSQL database, and never where that is gone', async (context) => {
    const database = await scratchDatabase(context);
    let dropped = false;
    try {
      await inFolder(async (folder, started) => {
        const args = ['--database', database.url];
        const first = await started(startAuthority({ folder, args }));
        const port = await freePort();
        const other = mkdtempSync(join(folder, 'other-'));
        const second = await started(
          startAuthority({
            folder: other,
            port,
            args: [...args, '--issuer', first.ready.issuer],
            env: { COUNTERSIGN_MASTER_KEY_FILE: join(first.dataDir, 'master.key') },
            adminSecret: first.target.admin?.client.secret,
          }),
        );
        const client = await giveKey(await seedScene('replay', first.target));
        const nodes = [first.target, { ...second.target, tokenEndpoint: addressOf(port) }];
        for (let round = 0; round < 5; round++) {
          const answers = await askAll(nodes, client.assertion(), client);
          expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
          expect(answers.filter(({ status }) => status === 401 || status === 429)).toHaveLength(199);
        }
        for (const target of nodes) expectToken(await client.ask(undefined, {}, { target }));

        dropped = true;
        await database.drop();
        for (const target of nodes) {
          const answer = await client.ask(undefined, {}, { target });
          expectOAuthError(answer, 503, 'temporarily_unavailable');
        }
      });
    } finally {
      if (!dropped) await database.drop();
    }
  }, 120_000);
});

type Client = Awaited<ReturnType<typeof giveKey>>;

function askAll(
  nodes: readonly Target[],
  assertion: string,
  client: Client,
): ReturnType<typeof Promise.all<ReturnType<Client['ask']>[]>> {
  return Promise.all(
    Array.from({ length: 200 }, (_, at) =>
      client.ask(assertion, {}, { target: nodes[at % nodes.length] as Target }),
    ),
  );
}

function addressOf(port: number): string {
  return `https://localhost:${port}/oauth/token`;
}

/** A folder for the test, and the authorities that were started in it ended with it. */
async function inFolder(
  work: (
    folder: string,
    started: (starting: Promise<RunningAuthority>) => Promise<RunningAuthority>,
  ) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-replay-'));
  const running: RunningAuthority[] = [];
  try {
    await work(folder, async (starting) => {
      const authority = await starting;
      running.push(authority);
      return authority;
    });
  } finally {
    for (const authority of running) await authority.stop('SIGKILL').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}
