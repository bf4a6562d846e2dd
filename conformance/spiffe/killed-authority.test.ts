// An authority that is killed while go-spiffe watches: what is good is served until its end and then nothing, and all goes on once it is back.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, type RunningAuthority, startAuthority } from '../authority-process.ts';
import { prepare } from '../foreign/run.ts';
import { mayStartServers } from '../wire/target.ts';
import { type RunningAgent, startAgent } from './agent-process.ts';
import { stopWatching, until, watchWith } from './watch.ts';
import { seedWorkload, type WorkloadScene } from './workload-scene.ts';

interface Update {
  readonly svids?: readonly { readonly id: string; readonly serial: string; readonly not_after: number }[];
  readonly status?: string;
}

/** As short as may be: a test does not wait for half an hour. */
const LIFETIME = 20;

describe.runIf(mayStartServers())('an authority that is killed (needs the countersign command)', () => {
  prepare('spiffe-go');
  const folder = mkdtempSync(join(tmpdir(), 'countersign-killed-'));
  let port: number;
  let authority: RunningAuthority;
  let agent: RunningAgent;
  let scene: WorkloadScene;

  async function start(adminSecret?: string): Promise<RunningAuthority> {
    const env = { COUNTERSIGN_SVID_LIFETIME: `${LIFETIME}s` };
    return await startAuthority({ folder, port, env, adminSecret });
  }

  beforeAll(async () => {
    port = await freePort();
    authority = await start();
    scene = await seedWorkload('killed', undefined, authority.target);
    agent = await startAgent(folder, authority.target, scene.agent);
  }, 60_000);
  afterAll(async () => {
    stopWatching();
    await agent?.stop();
    await authority?.stop('SIGKILL').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  });

  test('go-spiffe sees renewals at half-life, serves on, is left with nothing, and sees renewals again', async (context) => {
    const env = { SPIFFE_ENDPOINT_SOCKET: agent.endpoint };
    const updates = await watchWith<Update>(context, 'spiffe-go', ['x509-watch'], env);
    const held = () => updates.flatMap(({ svids }) => svids?.[0] ?? []);
    const failed = () => updates.some(({ status }) => status !== undefined);
    await until(() => held().length >= 2, LIFETIME * 1000);
    const [first, second] = held();
    expect(second?.serial).not.toBe(first?.serial);
    // Renewed while the first one had some of its life left.
    expect(Date.now() / 1000).toBeLessThan(first?.not_after ?? 0);
    expect(failed()).toBe(false);

    const killedAt = Date.now();
    await authority.stop('SIGKILL');
    const last = held().at(-1);
    expect(last?.not_after).toBeGreaterThan(killedAt / 1000);
    const still = await watchWith<Update>(context, 'spiffe-go', ['x509-watch'], env);
    await until(() => still.length > 0);
    expect(still[0]?.svids?.[0]?.serial).toBe(last?.serial);
    await until(failed, (LIFETIME + 10) * 1000);
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(last?.not_after ?? Number.POSITIVE_INFINITY);
    expect(updates.find(({ status }) => status !== undefined)?.status).toBe('Unavailable');
    expect(held().at(-1)?.serial).toBe(last?.serial);

    const before = held().length;
    authority = await start(scene.target.admin?.client.secret);
    await until(() => held().length >= before + 2, 60_000);
    expect(held().at(-1)?.id).toBe(scene.spiffeId);

    const end = { reason: 'test', now: true, force: true };
    await scene.admin.must('POST', `/identities/${scene.identity.id}/decommission`, end);
    await until(() => updates.some(({ status }) => status === 'PermissionDenied'));
  }, 180_000);
});
