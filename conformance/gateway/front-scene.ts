import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningAuthority, startAuthority } from '../authority-process.ts';
import { makeMachine } from '../wire/admin.ts';
import { expectToken } from '../wire/expectations.ts';
import { freshName, type SeededScene, seedScene } from '../wire/scene.ts';
import { askToken } from '../wire/token-request.ts';
import { accessBody } from '../wire/admin.ts';
import { type RunningGateway, startGateway } from './gateway-process.ts';
import { startUpstream, type Upstream } from './upstream.ts';

/** Several servers start at once, on machines that do other things too. */
const START_WITHIN_MS = 90_000;

/** The host that callers name. */
export const HOST = 'orders.example';

/** An authority, a gateway, and an application that knows nothing of either; the front proxy is each test's own. */
export interface FrontScene {
  readonly folder: string;
  readonly scene: SeededScene;
  readonly authority: RunningAuthority;
  readonly upstream: Upstream;
  gateway: RunningGateway;
  /** A token of the scene's client, with the scopes named. */
  token(scope?: string): Promise<string>;
  /** A token of a client of its own, whom nobody misses once it is cut off, and its identity. */
  disposable(): Promise<{ readonly token: string; readonly identity: string }>;
  close(): Promise<void>;
}

/** What the gateway is told, with members added. `more` may name further listeners. */
export function gatewayConfig(
  { authority, scene }: Pick<FrontScene, 'authority' | 'scene'>,
  more: { readonly listen: string; readonly settings?: string; readonly upstream?: string },
): string {
  const upstream = more.upstream === undefined ? '' : ', upstream: app';
  return `
issuer: ${authority.target.issuer}
ca: ${authority.ready.ca_file ?? ''}
listen: {${more.listen}, operation: '127.0.0.1:0'}
${more.upstream === undefined ? '' : `upstreams: {app: 'http://${more.upstream}'}`}
resources:
  orders: {audience: '${scene.resource}', publicUrl: 'https://${HOST}', apiKeys: true}
routes:
  - {host: ${HOST}, path: /public, methods: [GET], public: true${upstream}}
  - {host: ${HOST}, prefix: /internal, deny: true}
  - {host: ${HOST}, prefix: /admin, resource: orders, scope: delete${upstream}}
  - {host: ${HOST}, path: '/orders/{id}', methods: [GET], resource: orders, scope: read${upstream}}
  - {host: ${HOST}, path: /orders, methods: [POST], resource: orders, scope: write${upstream}}
  - {host: ${HOST}, prefix: /files, resource: orders, scope: read${upstream}}
${more.settings ?? ''}`;
}

/** Starts all of it, with a gateway on the endpoint for front proxies unless another configuration is made. */
export async function openFrontScene(
  stem: string,
  config: (parts: Pick<FrontScene, 'folder' | 'authority' | 'scene' | 'upstream'>) => string = (parts) =>
    gatewayConfig(parts, { listen: "auth: '127.0.0.1:0'" }),
): Promise<FrontScene> {
  const folder = mkdtempSync(join(tmpdir(), `countersign-${stem}-`));
  const authority = await startAuthority({
    folder,
    args: ['--mtls-port', '0'],
    startWithinMs: START_WITHIN_MS,
  });
  const { target } = authority;
  const upstream = await startUpstream();
  const parts = async (): Promise<Pick<FrontScene, 'scene' | 'gateway'>> => {
    const scene = await seedScene(stem, target);
    return { scene, gateway: await startGateway(folder, config({ folder, authority, scene, upstream })) };
  };
  const { scene, gateway } = await parts().catch(async (error: Error) => {
    await upstream.close();
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const tokenOf = async (client: { id: string; secret: string }, scope: string): Promise<string> =>
    expectToken(await askToken({ target, client, params: { resource: scene.resource, scope } })).token;
  const made: FrontScene = {
    folder,
    scene,
    authority,
    upstream,
    gateway,
    token: (scope = 'read') => tokenOf(scene.client, scope),
    async disposable() {
      const machine = await makeMachine(scene.admin, freshName(stem));
      await scene.admin.must('POST', '/access', accessBody(machine.identityId, scene.resource, ['read']));
      return { token: await tokenOf(machine, 'read'), identity: machine.identityId };
    },
    async close() {
      await made.gateway.stop();
      await upstream.close();
      await authority.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return made;
}
