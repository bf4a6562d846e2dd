// go-spiffe v2, which the SPIFFE project keeps, on the Workload API of countersign-agent: JWT-SVIDs.
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolchain } from '../foreign/install.ts';
import { printed, prepare, runForeign } from '../foreign/run.ts';
import { decodeJwt } from '../wire/jwt.ts';
import { type RunningAgent, startAgent } from './agent-process.ts';
import { seedWorkload, type WorkloadScene } from './workload-scene.ts';

const AUDIENCE = 'https://orders.example';

describe('go-spiffe: JWT-SVIDs', () => {
  prepare('spiffe-go');
  const folder = mkdtempSync(join(tmpdir(), 'countersign-agent-'));
  let scene: WorkloadScene;
  let agent: RunningAgent;

  beforeAll(async () => {
    scene = await seedWorkload('go-spiffe-jwt');
    agent = await startAgent(folder, scene.target, scene.agent);
  });
  afterAll(async () => {
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const env = (more: Record<string, string> = {}) => ({
    SPIFFE_ENDPOINT_SOCKET: agent.endpoint,
    AUDIENCE,
    ...more,
  });

  it('fetches one for its audience, with header and claims as the profile has them', async (context) => {
    const { svids } = printed(await runForeign(context, 'spiffe-go', ['jwt'], env())) as {
      svids: { id: string; token: string }[];
    };
    expect(svids.map(({ id }) => id)).toEqual([scene.spiffeId]);
    const { header, claims } = decodeJwt(svids[0]?.token ?? '');
    expect(Object.keys(header).sort()).toEqual(['alg', 'kid', 'typ']);
    expect(header['typ']).toBe('JWT');
    expect(claims).toMatchObject({ sub: scene.spiffeId, aud: [AUDIENCE], iss: scene.target.issuer });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(300);
  });

  it('verifies one with the bundle of the source', async (context) => {
    expect(printed(await runForeign(context, 'spiffe-go', ['jwt-source'], env()))).toEqual({
      id: scene.spiffeId,
    });
  });

  it('gets none as a process of another user', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('by design: only root becomes another user');
    const installed = await toolchain('spiffe-go');
    if ('absent' in installed) return context.skip(installed.absent);
    // Where another user can start it, and reach the socket.
    const program = join(folder, 'spiffe');
    copyFileSync(installed.command[0] ?? '', program);
    chmodSync(program, 0o755);
    chmodSync(folder, 0o755);
    const said = await new Promise<string>((resolve) => {
      execFile(
        program,
        ['jwt'],
        { cwd: '/', uid: 65_534, gid: 65_534, env: env(), timeout: 20_000 },
        (_error, out) => resolve(out),
      );
    });
    expect(JSON.parse(said)).toMatchObject({ status: 'PermissionDenied' });
    expect(printed(await runForeign(context, 'spiffe-go', ['jwt'], env()))).toHaveProperty('svids');
  });

  it('has one validated by the agent, and refused for another audience', async (context) => {
    const { svids } = printed(await runForeign(context, 'spiffe-go', ['jwt'], env())) as {
      svids: { token: string }[];
    };
    const TOKEN = svids[0]?.token ?? '';
    expect(printed(await runForeign(context, 'spiffe-go', ['validate'], env({ TOKEN })))).toEqual({
      id: scene.spiffeId,
    });
    const other = await runForeign(context, 'spiffe-go', ['validate'], env({ TOKEN, AUDIENCE: 'https://b' }));
    expect(printed(other)).toMatchObject({ status: 'InvalidArgument' });
  });
});
