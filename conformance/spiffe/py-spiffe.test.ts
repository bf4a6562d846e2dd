// py-spiffe, on the C core of gRPC, on the Workload API of countersign-agent.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printed, prepare, runForeign } from '../foreign/run.ts';
import { type RunningAgent, startAgent } from './agent-process.ts';
import { stopWatching, until, watchWith } from './watch.ts';
import { seedWorkload, seedWorkloadOf, type WorkloadScene } from './workload-scene.ts';

const AUDIENCE = 'https://orders.example';
const MINE = `unix:uid:${process.getuid?.()}`;

interface Update {
  readonly svids?: readonly { readonly id: string; readonly serial: string }[];
  readonly bundles?: readonly string[];
  readonly watch_error?: string;
}

describe('py-spiffe', () => {
  prepare('spiffe-python');
  const folder = mkdtempSync(join(tmpdir(), 'countersign-agent-'));
  let scene: WorkloadScene;
  let agent: RunningAgent;

  beforeAll(async () => {
    scene = await seedWorkload('py-spiffe');
    agent = await startAgent(folder, scene.target, scene.agent);
  });
  afterAll(async () => {
    stopWatching();
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const env = (more: Record<string, string> = {}) => ({
    SPIFFE_ENDPOINT_SOCKET: agent.endpoint,
    AUDIENCE,
    ...more,
  });

  it('has an X.509-SVID with its chain and its bundle', async (context) => {
    expect(printed(await runForeign(context, 'spiffe-python', ['x509'], env()))).toMatchObject({
      id: scene.spiffeId,
      chain: 2,
      roots: 1,
    });
  });

  it('fetches a JWT-SVID, and verifies it with the bundle that it watches', async (context) => {
    const got = printed(await runForeign(context, 'spiffe-python', ['jwt'], env()));
    expect(got).toMatchObject({ id: scene.spiffeId });
  });

  it('has one validated by the agent, and refused for another audience', async (context) => {
    const { token } = printed(await runForeign(context, 'spiffe-python', ['jwt'], env()));
    const TOKEN = String(token);
    const validated = await runForeign(context, 'spiffe-python', ['validate'], env({ TOKEN }));
    expect(printed(validated)).toEqual({ id: scene.spiffeId });
    const other = await runForeign(
      context,
      'spiffe-python',
      ['validate'],
      env({ TOKEN, AUDIENCE: 'https://b' }),
    );
    expect(printed(other)).toMatchObject({ error: 'ValidateJwtSvidError' });
  });

  it('is told when an identity comes, when one is cut off, and when the last is suspended', async (context) => {
    const updates = await watchWith<Update>(context, 'spiffe-python', ['x509-watch'], env());
    const ids = () => (updates.at(-1)?.svids ?? []).map(({ id }) => id);
    await until(() => updates.length === 1);
    expect(ids()).toEqual([scene.spiffeId]);
    expect(updates[0]?.bundles).toEqual([new URL(scene.spiffeId).hostname]);
    const second = await seedWorkloadOf(scene.admin, scene.agent, 'py-spiffe-second', [MINE]);
    await until(() => ids().length === 2);
    expect(ids()).toEqual([scene.spiffeId, second.spiffeId]);
    await scene.admin.must('POST', '/cutoffs', { kind: 'identity', id: second.identity.id, reason: 'test' });
    await until(() => ids().length === 1);
    expect(ids()).toEqual([scene.spiffeId]);
    await scene.admin.must('POST', `/identities/${scene.identity.id}/suspend`, { reason: 'test' });
    await until(() =>
      updates.some(({ watch_error: error }) => error?.includes('PERMISSION_DENIED') === true),
    );
  });

  it('is told of nothing while it has no identity', async (context) => {
    const answered = await runForeign(context, 'spiffe-python', ['validate'], env({ TOKEN: 'a.b.c' }));
    expect(printed(answered)).toMatchObject({ error: 'ValidateJwtSvidError' });
  });
});
