import { randomInt } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { freePort, startAuthority, type RunningAuthority } from '../authority-process.ts';
import { identityBody, issueSecret, openAdmin, type Admin } from '../wire/admin.ts';
import { type AssertingClient, giveKey } from '../wire/client-assertion.ts';
import { jsonOf } from '../wire/exchange.ts';
import { decodeJwt } from '../wire/jwt.ts';
import { freshName, seedScene } from '../wire/scene.ts';
import { brokenDatabases } from './integrity.ts';
import { startLoad, tokenRequest } from './run-load.ts';

const CONNECTIONS = 16;

export interface ChaosPlan {
  readonly kills: number;
  /** `postgres://…` of an empty database; without it the embedded database in the data directory. */
  readonly database?: string;
}

export interface ChaosReport {
  readonly kills: number;
  readonly tokens: number;
  readonly changes: number;
  /** Milliseconds from the start of the process to its ready file, worst. */
  readonly slowestRestartMs: number;
}

/** What clients had in hand when the process died. */
interface Received {
  readonly jtis: Set<string>;
  /** client_ids of identities whose 201 arrived, and of those asked for without an answer. */
  readonly acknowledged: Map<string, string>;
  readonly open: Set<string>;
  /** Assertions that a token came of: they are used up, whatever happens. */
  readonly assertions: string[];
}

/**
 * Kills the authority in the middle of load again and again, and checks after each restart that everything which reached a
 * client is there and that nothing is half there.
 */
export async function killUnderLoad(plan: ChaosPlan): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-chaos-'));
  const port = await freePort();
  const args = plan.database === undefined ? [] : ['--database', plan.database];
  let authority = await startAuthority({ folder, port, args });
  const adminSecret = authority.target.admin?.client.secret;
  try {
    const scene = await seedScene('chaos', authority.target);
    const signing = await giveKey(scene);
    let tokens = 0;
    let changes = 0;
    let slowestRestartMs = 0;
    for (let kill = 0; kill < plan.kills; kill++) {
      const from = new Date(Date.now() - 1000).toISOString();
      const received = await loadUntilKilled(authority, signing);
      if (plan.database === undefined) expect(brokenDatabases(copyOf(authority.dataDir, folder))).toEqual([]);
      const startedAt = Date.now();
      authority = await startAuthority({ folder, port, args, adminSecret });
      slowestRestartMs = Math.max(slowestRestartMs, Date.now() - startedAt);
      const admin = openAdmin(authority.target);
      await expectEverythingReceived(admin, received, from);
      await expectUsedUp(signing, received.assertions);
      tokens += received.jtis.size;
      changes += received.acknowledged.size;
    }
    expect(await authority.stop()).toBe(0);
    if (plan.database === undefined) expect(brokenDatabases(authority.dataDir)).toEqual([]);
    return { kills: plan.kills, tokens, changes, slowestRestartMs };
  } finally {
    await authority.stop('SIGKILL').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Token requests on keep-alive connections, by secret and by assertion, and changes beside them; kill -9 at a random instant. */
async function loadUntilKilled(authority: RunningAuthority, signing: AssertingClient): Promise<Received> {
  const { target } = authority;
  const received: Received = { jtis: new Set(), acknowledged: new Map(), open: new Set(), assertions: [] };
  const request = tokenRequest(target, signing.scene.client);
  const tokens = startLoad(target, {
    connections: Array.from({ length: CONNECTIONS }, () => ({ requests: [request] })),
    collect: true,
  });
  let dead = false;
  const admin = openAdmin(target);
  const changes = async (): Promise<void> => {
    while (!dead) {
      const name = freshName('chaos');
      received.open.add(name);
      const body = identityBody(name, { client_id: name });
      const made = await admin.call('POST', '/identities', { body }).catch(() => undefined);
      if (made?.status !== 201) continue;
      const id = String(jsonOf(made)['id']);
      received.open.delete(name);
      received.acknowledged.set(name, id);
      await issueSecret(admin, id).catch(() => undefined);
    }
  };
  const proofs = async (): Promise<void> => {
    while (!dead) {
      const assertion = signing.assertion();
      const answer = await signing.ask(assertion).catch(() => undefined);
      if (answer?.status !== 200) continue;
      received.assertions.push(assertion);
      received.jtis.add(String(decodeJwt(String(jsonOf(answer)['access_token'])).claims['jti']));
    }
  };
  const working = [changes(), proofs(), proofs(), proofs()];
  await tokens.started;
  await sleep(500 + randomInt(800));
  // the process itself, not a wrapper: nothing of it may run on
  process.kill(authority.ready.pid, 'SIGKILL');
  await authority.stop('SIGKILL');
  dead = true;
  tokens.child.kill('SIGTERM');
  for (const jti of (await tokens.result).jtis) received.jtis.add(jti);
  await Promise.all(working);
  return received;
}

/** RFC 7523 §3, item 7: across the kill too. The latest are those that a lost write would lose. */
async function expectUsedUp(signing: AssertingClient, assertions: readonly string[]): Promise<void> {
  for (const assertion of assertions.slice(-20)) {
    expect((await signing.ask(assertion)).status, 'an assertion that was used before the kill').toBe(401);
  }
}

async function expectEverythingReceived(admin: Admin, received: Received, from: string): Promise<void> {
  const query = `limit=200&from=${encodeURIComponent(from)}`;
  const issued = await admin.all(`${admin.target.issuer}/audit/events?type=token.issued&${query}`, 100_000);
  const logged = new Map<string, number>();
  for (const event of issued) {
    const jti = String(event['jti']);
    logged.set(jti, (logged.get(jti) ?? 0) + 1);
    for (const member of ['id', 'seq', 'at', 'request_id', 'identity', 'credential', 'access', 'resource'])
      expect(event, 'a token event is whole').toHaveProperty(member);
  }
  expect(
    [...received.jtis].filter((jti) => !logged.has(jti)),
    'tokens without an event',
  ).toEqual([]);
  expect(
    [...logged].filter(([, times]) => times > 1),
    'events that came twice',
  ).toEqual([]);

  const created = await admin.all(
    `${admin.target.issuer}/audit/events?type=identity.created&${query}`,
    100_000,
  );
  const createdNames = new Set(created.map((event) => String(event['identity'] ?? '')));
  const told = JSON.stringify(created);
  for (const [name, id] of received.acknowledged) {
    const got = await admin.call('GET', `/identities/${id}`);
    expect(got.status, `${name} was acknowledged`).toBe(200);
    expect(createdNames.has(name) || told.includes(name) || told.includes(id), `${name} has its event`).toBe(
      true,
    );
  }
  for (const name of received.open) {
    const got = await admin.call('GET', `/identities/${name}`);
    const there = got.status === 200;
    expect(told.includes(name), `${name}: record and event are both there, or neither`).toBe(there);
  }
  await expectUnbrokenSequence(admin, query);
}

async function expectUnbrokenSequence(admin: Admin, query: string): Promise<void> {
  const all = await admin.all(`${admin.target.issuer}/audit/events?${query}`, 100_000);
  const seqs = all.map((event) => Number(event['seq']));
  const gaps = seqs.filter((seq, at) => at > 0 && seq !== (seqs[at - 1] as number) + 1);
  expect(gaps, 'sequence numbers after a gap').toEqual([]);
}

/** The files as the killed process left them, so that opening them changes nothing that the restart will see. */
function copyOf(dataDir: string, folder: string): string {
  const copy = join(folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}
