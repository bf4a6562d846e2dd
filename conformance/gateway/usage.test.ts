import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { accessBody, makeMachine, resourceServerBody } from '../wire/admin.ts';
import { type HeaderLine, send } from '../wire/exchange.ts';
import { freshName } from '../wire/scene.ts';
import { mayStartServers } from '../wire/target.ts';
import { type FrontScene, gatewayConfig, HOST, openFrontScene } from './front-scene.ts';
import { spawnGateway } from './gateway-process.ts';

// Each of these starts servers of its own.
vi.setConfig({ testTimeout: 180_000 });

describe.runIf(mayStartServers())(
  'a gateway with an identity of its own (needs the countersign command)',
  () => {
    let scene: FrontScene | undefined;
    afterEach(() => scene?.close());

    test('asks about opaque tokens, and tells the authority what was used', async () => {
      scene = await openFrontScene('gateway-usage');
      const { folder, authority, gateway } = scene;
      const { admin, resource, resourceServerId, accessId, target } = scene.scene;
      const { scopes } = resourceServerBody(resource, [
        'read',
        'write',
        'delete',
        'tokens:introspect',
        'usage:write',
      ]);
      await admin.change('PATCH', `/resource-servers/${resourceServerId}`, {
        scopes,
        token: { format: 'opaque' },
      });
      const asker = await makeMachine(admin, freshName('gateway'));
      await admin.must(
        'POST',
        '/access',
        accessBody(asker.identityId, resource, ['tokens:introspect', 'usage:write']),
      );
      const api = String(target.admin?.resource);
      await admin.must('POST', '/access', accessBody(asker.identityId, api, ['usage:write']));
      const secretFile = join(folder, 'gateway.secret');
      const settings = `client: {id: ${asker.id}, secretFile: ${secretFile}}\nopaqueTokens: true\nusage: true`;
      const config = gatewayConfig(
        { authority, scene: scene.scene },
        { listen: "auth: '127.0.0.1:0'", settings },
      );

      writeFileSync(secretFile, `${asker.secret}\n`, { mode: 0o644 });
      await expect(spawnGateway(folder, config).ready()).rejects.toThrow('readable by others');

      writeFileSync(join(folder, 'private.secret'), `${asker.secret}\n`, { mode: 0o600 });
      await gateway.stop();
      scene.gateway = await spawnGateway(
        folder,
        config.replace(secretFile, join(folder, 'private.secret')),
      ).ready();
      const token = await scene.token();
      expect(token).toMatch(/^cot_/);
      const ask = async (path: string): Promise<number> => {
        const headers: HeaderLine[] = [
          ['X-Forwarded-Method', 'GET'],
          ['X-Forwarded-Uri', path],
          ['X-Forwarded-Host', HOST],
          ['Authorization', `Bearer ${token}`],
        ];
        return (await send(`${scene?.gateway.ready.auth}/auth/forward`, { headers })).status;
      };
      expect([await ask('/orders/7'), await ask('/orders/8'), await ask('/admin/users')]).toEqual([
        200, 200, 403,
      ]);
      expect((await send(`${scene.gateway.ready.operation}/metrics`)).text).toContain(
        'countersign_gateway_cutoffs_stale{resource="orders"} 0\n',
      );
      expect(await scene.gateway.stop()).toBe(0);
      const access = await admin.must('GET', `/access/${accessId}`);
      expect(access['usage']).toMatchObject({
        scopes: expect.arrayContaining([
          expect.objectContaining({ scope: 'read', state: 'used', ok: 2, denied: 0 }),
        ]),
      });
    });
  },
);
