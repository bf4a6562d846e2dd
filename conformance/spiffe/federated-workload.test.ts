// A workload of one trust domain verifies workloads of another one: federated bundles and revocation lists in the Workload API, read by go-spiffe and py-spiffe.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { printed, prepare, runForeign } from '../foreign/run.ts';
import { mayStartServers } from '../wire/target.ts';
import { type RunningAgent, startAgent } from './agent-process.ts';
import { type Minting, seedMinting, startTwoDomains, type TwoDomains } from './two-domains.ts';
import { stopWatching, until, watchWith } from './watch.ts';
import { seedWorkload, type WorkloadScene } from './workload-scene.ts';

interface Keys {
  readonly keys?: { readonly [trustDomain: string]: readonly string[] };
}
interface Update {
  readonly bundles?: readonly string[];
}

const AUDIENCE = 'https://orders.example';

describe.runIf(mayStartServers())(
  'a workload beside another trust domain (needs the countersign command)',
  () => {
    prepare('spiffe-go');
    prepare('spiffe-python');
    const folder = mkdtempSync(join(tmpdir(), 'countersign-federated-'));
    let domains: TwoDomains;
    let agent: RunningAgent;
    let scene: WorkloadScene;
    let foreign: Minting;

    beforeAll(async () => {
      domains = await startTwoDomains();
      scene = await seedWorkload('federated-workload', undefined, domains.home.target);
      foreign = await seedMinting('federated-workload', domains.foreign);
      agent = await startAgent(folder, domains.home.target, scene.agent);
    }, 90_000);
    afterAll(async () => {
      stopWatching();
      await agent?.stop();
      await domains?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const env = (more: Record<string, string> = {}) => ({
      SPIFFE_ENDPOINT_SOCKET: agent.endpoint,
      AUDIENCE,
      ...more,
    });

    test('is told of its bundle once it is declared, and that it is gone; verifies by it what came from there', async (context) => {
      const jwt = await watchWith<Keys>(context, 'spiffe-go', ['jwt-bundle-watch'], env());
      const x509 = await watchWith<Update>(context, 'spiffe-python', ['x509-watch'], env());
      await until(() => jwt.length > 0 && x509.length > 0, 30_000);
      expect(Object.keys(jwt[0]?.keys ?? {})).toEqual(['home.example']);
      expect(x509[0]?.bundles).toEqual(['home.example']);
      const TOKEN = await foreign.jwtSvid(AUDIENCE);
      const CHAIN = (await foreign.x509Svid(context)).cert;
      expect(printed(await runForeign(context, 'spiffe-go', ['validate'], env({ TOKEN })))).toMatchObject({
        status: 'InvalidArgument',
      });

      const { trustDomain: trust_domain, bundleEndpoint: bundle_endpoint } = domains;
      const made = await scene.admin.must('POST', '/trust-domains', { trust_domain, bundle_endpoint });
      await until(() => jwt.at(-1)?.keys?.[trust_domain]?.length === 2, 30_000);
      await until(() => x509.at(-1)?.bundles?.includes(trust_domain) === true, 30_000);
      expect(x509.at(-1)?.bundles).toEqual(['foreign.example', 'home.example']);
      for (const name of ['spiffe-go', 'spiffe-python'] as const) {
        const validated = printed(await runForeign(context, name, ['validate'], env({ TOKEN })));
        expect(validated).toEqual({ id: foreign.spiffeId });
      }
      const verified = await runForeign(context, 'spiffe-go', ['x509-verify'], env({ CHAIN }));
      expect(printed(verified)).toEqual({ id: foreign.spiffeId });

      const removed = await scene.admin.change('DELETE', `/trust-domains/${made['id']}`);
      expect(removed.status).toBe(200);
      await until(() => Object.keys(jwt.at(-1)?.keys ?? {}).length === 1, 30_000);
      await until(() => x509.at(-1)?.bundles?.length === 1, 30_000);
      const refused = await runForeign(context, 'spiffe-go', ['x509-verify'], env({ CHAIN }));
      expect(printed(refused)).toHaveProperty('error');
    }, 180_000);
  },
);
