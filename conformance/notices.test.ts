import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { freePort, type RunningAuthority, startAuthority } from './authority-process.ts';
import { scratchDatabase } from './load/postgres.ts';
import { type Admin, openAdmin } from './wire/admin.ts';
import { mayStartServers } from './wire/target.ts';

const DAY = 86_400_000;
const ROUNDS = 2;

// Standard Webhooks, and that no notice is lost with the process that was to send it.
describe.runIf(mayStartServers())('notices (needs the countersign command)', () => {
  test('every change that was acknowledged is told, signed, through kill -9 and an absent receiver', async () => {
    await inFolder((folder) => survive(folder, []));
  }, 120_000);

  test('the same on PostgreSQL', async (context) => {
    const database = await scratchDatabase(context);
    try {
      await inFolder((folder) => survive(folder, ['--database', database.url]));
    } finally {
      await database.drop();
    }
  }, 120_000);
});

/** Takes notices that its secret verifies, while it is open. */
async function openReceiver() {
  const state = { secret: '', open: true, notices: [] as { type: string; name: string; id: string }[] };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (!state.open) return void response.writeHead(503).end();
    const headers = request.headers as Record<string, string>;
    // It throws for a signature that is not right, or too old: then the notice is not taken.
    const notice = new Webhook(state.secret).verify(body, headers) as {
      type: string;
      data: { resource: { name: string } };
    };
    state.notices.push({
      type: notice.type,
      name: notice.data.resource.name,
      id: headers['webhook-id'] ?? '',
    });
    response.writeHead(204).end();
  });
  const port = await freePort();
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return { state, url: `http://127.0.0.1:${port}/hooks`, close: () => server.close() };
}

async function survive(folder: string, args: readonly string[]): Promise<void> {
  const receiver = await openReceiver();
  const port = await freePort();
  const env = { COUNTERSIGN_OUTBOUND_ALLOW: '127.0.0.1' };
  let running: RunningAuthority | undefined;
  try {
    running = await startAuthority({ folder, port, args, env });
    const adminSecret = running.target.admin?.client.secret;
    let admin = openAdmin(running.target);
    const webhook = { name: 'kills', url: receiver.url, events: ['identity.created'] };
    receiver.state.secret = String((await admin.must('POST', '/webhooks', webhook))['secret']);
    const acknowledged = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      receiver.state.open = round % 2 === 1;
      const before = acknowledged.size;
      const changing = change(admin, round, acknowledged);
      await sleep(400 + round * 300);
      // On a busy machine that is too early for there to be something that could be lost.
      await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(before + 1);
      await running.stop('SIGKILL');
      await changing;
      running = await startAuthority({ folder, port, args, env, adminSecret });
      admin = openAdmin(running.target);
    }
    receiver.state.open = true;
    expect(acknowledged.size).toBeGreaterThan(ROUNDS);
    const until = Date.now() + 60_000;
    const missing = (): string[] => {
      const told = new Set(receiver.state.notices.map(({ name }) => name));
      return [...acknowledged].filter((name) => !told.has(name));
    };
    while (missing().length > 0 && Date.now() < until) await sleep(250);
    expect(missing()).toEqual([]);
    // Told is what happened, and an id stands for one event however often it came.
    for (const { name, type } of receiver.state.notices) {
      expect(type).toBe('identity.created');
      expect((await admin.call('GET', `/identities/${name}`)).status).toBe(200);
    }
    const names = new Map(receiver.state.notices.map(({ id, name }) => [id, name]));
    for (const { id, name } of receiver.state.notices) expect(names.get(id)).toBe(name);
  } finally {
    await running?.stop('SIGKILL').catch(() => undefined);
    receiver.close();
  }
}

/** Makes identities until the authority is gone; notes those of which the answer came. */
async function change(admin: Admin, round: number, acknowledged: Set<string>): Promise<void> {
  const lane = async (number: number): Promise<void> => {
    for (let at = 0; ; at++) {
      const client_id = `r${round}-${number}-${at}`;
      const answer = await admin
        .call('POST', '/identities', {
          body: {
            client_id,
            name: client_id,
            kind: 'service',
            environment: 'test',
            purpose: 'is made while the authority is killed',
            owner: { person: 'ada' },
            expires_at: new Date(Date.now() + 30 * DAY).toISOString(),
          },
        })
        .catch(() => undefined);
      if (answer === undefined) return;
      if (answer.status === 201) acknowledged.add(client_id);
    }
  };
  await Promise.all([lane(0), lane(1), lane(2)]);
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-notices-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
