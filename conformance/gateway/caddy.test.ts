import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { freePort } from '../authority-process.ts';
import { mayStartServers } from '../wire/target.ts';
import { type Program, startProgram } from './front-program.ts';
import { type FrontScene, openFrontScene } from './front-scene.ts';
import { type Front, testFront, testGatewayGone } from './front-suite.ts';
import { once } from './once.ts';
import { configOf } from './page.ts';

// `forward_auth` of a real Caddy, configured as docs/guide/gateway-caddy.md says.
const program = process.env['COUNTERSIGN_TEST_CADDY'] ?? '';
if (program === '' && process.env['COUNTERSIGN_REQUIRE'] === 'all')
  throw new Error('COUNTERSIGN_TEST_CADDY is not set');

describe.runIf(mayStartServers() && process.platform === 'linux' && program !== '')(
  'Caddy asks the gateway (needs Caddy)',
  () => {
    let scene: FrontScene | undefined;
    let running: Program | undefined;
    const front = once(async (): Promise<Front> => {
      scene = await openFrontScene('gateway-caddy');
      const address = `127.0.0.1:${await freePort()}`;
      const home = join(scene.folder, 'caddy');
      mkdirSync(home);
      const config = configOf('gateway-caddy.md', 'caddy', {
        'http://:8000': `http://:${address.split(':')[1]}`,
        '127.0.0.1:8080': scene.upstream.address,
        '127.0.0.1:9180': new URL(scene.gateway.ready.auth as string).host,
      });
      writeFileSync(join(home, 'Caddyfile'), config);
      const command = [program, 'run', '--config', join(home, 'Caddyfile'), '--adapter', 'caddyfile'];
      running = await startProgram(command, {
        address,
        env: { HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home },
      });
      return { scene, address };
    });
    afterAll(async () => {
      await running?.stop();
      await scene?.close();
    });
    testFront(front, { gone: 502 });
    testGatewayGone(front, { gone: 502 });
  },
);
