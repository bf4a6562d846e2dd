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

// A real HAProxy that asks from Lua, configured as docs/guide/gateway-haproxy.md says.
const program = process.env['COUNTERSIGN_TEST_HAPROXY'] ?? '';
if (program === '' && process.env['COUNTERSIGN_REQUIRE'] === 'all')
  throw new Error('COUNTERSIGN_TEST_HAPROXY is not set');

describe.runIf(mayStartServers() && process.platform === 'linux' && program !== '')(
  'HAProxy asks the gateway (needs HAProxy)',
  () => {
    let scene: FrontScene | undefined;
    let running: Program | undefined;
    const front = once(async (): Promise<Front> => {
      scene = await openFrontScene('gateway-haproxy');
      const address = `127.0.0.1:${await freePort()}`;
      const home = join(scene.folder, 'haproxy');
      mkdirSync(home);
      const auth = scene.gateway.ready.auth as string;
      const lua = configOf('gateway-haproxy.md', 'lua', { 'http://127.0.0.1:9180': auth });
      writeFileSync(join(home, 'countersign.lua'), lua);
      const config = configOf('gateway-haproxy.md', 'haproxy', {
        '127.0.0.1:8000': address,
        '127.0.0.1:8080': scene.upstream.address,
        'lua-load countersign.lua': `lua-load ${join(home, 'countersign.lua')}`,
      });
      writeFileSync(join(home, 'haproxy.cfg'), config);
      running = await startProgram([program, '-db', '-f', join(home, 'haproxy.cfg')], { address });
      return { scene, address };
    });
    afterAll(async () => {
      await running?.stop();
      await scene?.close();
    });
    testFront(front, { gone: 503 });
    testGatewayGone(front, { gone: 503 });
  },
);
