// Keys of SVIDs that somebody else may hold: found by their name, cut off, and gone for go-spiffe on the Workload API and at the bundle endpoint.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAuthority, startAuthority } from '../authority-process.ts';
import { printed, prepare, runForeign } from '../foreign/run.ts';
import { expectOAuthError, expectToken } from '../wire/expectations.ts';
import { decodeJwt } from '../wire/jwt.ts';
import { mayStartServers } from '../wire/target.ts';
import { type RunningAgent, startAgent } from './agent-process.ts';
import { askByJwtSvid, seedSpiffeClient } from './two-domains.ts';
import { stopWatching, until, watchWith } from './watch.ts';
import { seedWorkload, type WorkloadScene } from './workload-scene.ts';

interface Bundle {
  readonly kids?: readonly string[];
  readonly sequence?: number;
}
interface Served {
  readonly keys?: { readonly [trustDomain: string]: readonly string[] };
}
interface Update {
  readonly svids?: readonly { readonly serial: string }[];
}

describe.runIf(mayStartServers())('a leaked key of SVIDs (needs the countersign command)', () => {
  prepare('spiffe-go');
  const folder = mkdtempSync(join(tmpdir(), 'countersign-leaked-key-'));
  let authority: RunningAuthority;
  let agent: RunningAgent;
  let scene: WorkloadScene;

  beforeAll(async () => {
    authority = await startAuthority({ folder, env: { COUNTERSIGN_TRUST_DOMAIN: 'leaky.example' } });
    scene = await seedWorkload('leaked-key', undefined, authority.target);
    agent = await startAgent(folder, authority.target, scene.agent);
  }, 60_000);
  afterAll(async () => {
    stopWatching();
    await agent?.stop();
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const env = (more: Record<string, string> = {}) => ({ SPIFFE_ENDPOINT_SOCKET: agent.endpoint, ...more });
  const cutOff = (id: string) => scene.admin.must('POST', '/cutoffs', { kind: 'key', id, reason: 'drill' });

  test('of JWT-SVIDs: its SVIDs prove nobody, and whoever watches the bundle is told', async (context) => {
    const issuer = authority.target.issuer;
    const fetch = async (): Promise<string> => {
      const got = printed(await runForeign(context, 'spiffe-go', ['jwt'], env({ AUDIENCE: issuer })));
      return (got as { svids: { token: string }[] }).svids[0]?.token ?? '';
    };
    const stolen = await fetch();
    const kid = String(decodeJwt(stolen).header['kid']);
    const client = await seedSpiffeClient(authority, scene.spiffeId, scene.identity);
    expectToken(await askByJwtSvid(client, stolen));
    const listed = (await scene.admin.must('GET', '/keys'))['items'] as Record<string, unknown>[];
    expect(listed.find((key) => key['kid'] === kid)).toMatchObject({ purpose: 'jwt_svids', state: 'active' });
    const served = await watchWith<Served>(context, 'spiffe-go', ['jwt-bundle-watch'], env());
    const published = await watchWith<Bundle>(context, 'spiffe-go', ['federated-watch'], {
      TRUST_DOMAIN: 'leaky.example',
      BUNDLE_ENDPOINT: `${issuer}/spiffe/bundle`,
      CA_FILE: String(authority.target.caFile),
    });
    const kidsServed = () => served.at(-1)?.keys?.['leaky.example'] ?? [];
    await until(() => kidsServed().includes(kid) && published.at(-1)?.kids?.includes(kid) === true);
    const before = published.at(-1)?.sequence ?? 0;
    await cutOff(kid);
    expectOAuthError(await askByJwtSvid(client, stolen), 401, 'invalid_client');
    await until(() => !kidsServed().includes(kid) && published.at(-1)?.kids?.includes(kid) === false);
    expect(published.at(-1)?.sequence).toBeGreaterThan(before);
    const next = await fetch();
    expect(decodeJwt(next).header['kid']).not.toBe(kid);
    expectToken(await askByJwtSvid(client, next));
  });

  test('of X.509-SVIDs: a workload that watches gets a new one at once', async (context) => {
    const updates = await watchWith<Update>(context, 'spiffe-go', ['x509-watch'], env());
    await until(() => updates.length === 1);
    const before = updates[0]?.svids?.[0]?.serial;
    const { items } = await scene.admin.must('GET', '/certificate-authorities');
    const issuing = (items as { id: string; role: string }[]).find(({ role }) => role === 'issuing');
    await cutOff(String(issuing?.id));
    await until(() => updates.length > 1);
    const after = updates.at(-1)?.svids?.[0]?.serial;
    expect(after).toBeDefined();
    expect(after).not.toBe(before);
    const got = printed(await runForeign(context, 'spiffe-go', ['x509'], env())) as { id?: string };
    expect(got.id).toBe(scene.spiffeId);
  });
});
