// go-spiffe v2 on the Workload API of countersign-agent: X.509-SVIDs, watched while they change; `openssl verify` on the chain.
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printed, prepare, runForeign } from '../foreign/run.ts';
import { type RunningAgent, startAgent } from './agent-process.ts';
import { stopWatching, until, watchWith } from './watch.ts';
import { seedWorkload, seedWorkloadOf, type WorkloadScene } from './workload-scene.ts';

const OPENSSL = process.env['COUNTERSIGN_TEST_OPENSSL'] ?? 'openssl';
const MINE = `unix:uid:${process.getuid?.()}`;

interface Update {
  readonly update?: number;
  readonly svids?: readonly { readonly id: string; readonly serial: string }[];
  readonly watch_error?: string;
  readonly status?: string;
}

describe('go-spiffe: X.509-SVIDs', () => {
  prepare('spiffe-go');
  const folder = mkdtempSync(join(tmpdir(), 'countersign-agent-'));
  let scene: WorkloadScene;
  let agent: RunningAgent;

  beforeAll(async () => {
    scene = await seedWorkload('go-spiffe-x509');
    agent = await startAgent(folder, scene.target, scene.agent);
  });
  afterAll(async () => {
    stopWatching();
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const env = (more: Record<string, string> = {}) => ({ SPIFFE_ENDPOINT_SOCKET: agent.endpoint, ...more });

  it('has one that go-spiffe and openssl verify, with the profile of a leaf', async (context) => {
    const got = printed(await runForeign(context, 'spiffe-go', ['x509'], env())) as Record<string, string>;
    expect(got['id']).toBe(scene.spiffeId);
    writeFileSync(join(folder, 'chain.pem'), got['chain'] ?? '');
    writeFileSync(join(folder, 'roots.pem'), got['roots'] ?? '');
    for (const purpose of ['sslclient', 'sslserver']) {
      const args = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'roots.pem'];
      const said = await openssl([...args, '-untrusted', 'chain.pem', 'chain.pem']);
      expect(said).toContain('chain.pem: OK');
    }
    const leaf = new X509Certificate(got['chain'] ?? '');
    expect(leaf.ca).toBe(false);
    expect(leaf.subjectAltName).toBe(`URI:${scene.spiffeId}`);
    expect(Date.parse(leaf.validTo) - Date.now()).toBeLessThanOrEqual(3_600_000);
    const text = await openssl(['x509', '-noout', '-text', '-in', 'chain.pem']);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/TLS Web Server Authentication, TLS Web Client Authentication/);
  });

  it('refuses a leaf that names another identity than its authority signed', async (context) => {
    const got = printed(await runForeign(context, 'spiffe-go', ['x509'], env())) as Record<string, string>;
    const CHAIN = got['chain'] ?? '';
    const verified = await runForeign(context, 'spiffe-go', ['x509-verify'], env({ CHAIN }));
    expect(printed(verified)).toEqual({ id: scene.spiffeId });
  });

  it('sends the whole state when an identity comes, and when one is cut off; loses the last with 7', async (context) => {
    const updates = await watchWith<Update>(context, 'spiffe-go', ['x509-watch'], env());
    await until(() => updates.length === 1);
    expect(idsOf(updates[0])).toEqual([scene.spiffeId]);
    const second = await seedWorkloadOf(scene.admin, scene.agent, 'go-spiffe-second', [MINE]);
    await until(() => idsOf(updates.at(-1)).length === 2);
    expect(idsOf(updates.at(-1))).toEqual([scene.spiffeId, second.spiffeId]);
    await scene.admin.must('POST', '/cutoffs', { kind: 'identity', id: second.identity.id, reason: 'test' });
    await until(() => idsOf(updates.at(-1)).length === 1);
    expect(idsOf(updates.at(-1))).toEqual([scene.spiffeId]);
    await scene.admin.must('POST', `/identities/${scene.identity.id}/suspend`, { reason: 'test' });
    await until(() => updates.some(({ status }) => status === 'PermissionDenied'));
  });

  function openssl(args: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
      execFile(OPENSSL, args, { cwd: folder }, (error, out, err) =>
        resolve(error === null ? out : `${out}${err}`),
      );
    });
  }
});

function idsOf(update: Update | undefined): string[] {
  return (update?.svids ?? []).map(({ id }) => id);
}
