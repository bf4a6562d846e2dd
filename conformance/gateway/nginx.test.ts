import { afterAll, describe } from 'vitest';
import { freePort } from '../authority-process.ts';
import { mayStartServers } from '../wire/target.ts';
import type { Program } from './front-program.ts';
import { openFrontScene, type FrontScene } from './front-scene.ts';
import { type Front, testFront, testGatewayGone } from './front-suite.ts';
import { startNginx } from './nginx-program.ts';
import { once } from './once.ts';

// `auth_request` of a real nginx, configured as docs/guide/gateway-nginx.md says.
const program = process.env['COUNTERSIGN_TEST_NGINX'] ?? '';
if (program === '' && process.env['COUNTERSIGN_REQUIRE'] === 'all')
  throw new Error('COUNTERSIGN_TEST_NGINX is not set');

describe.runIf(mayStartServers() && process.platform === 'linux' && program !== '')(
  'nginx asks the gateway (needs nginx)',
  () => {
    let scene: FrontScene | undefined;
    let nginx: Program | undefined;
    const front = once(async (): Promise<Front> => {
      scene = await openFrontScene('gateway-nginx');
      const address = `127.0.0.1:${await freePort()}`;
      nginx = await startNginx(program, scene, address);
      return { scene, address };
    });
    afterAll(async () => {
      await nginx?.stop();
      await scene?.close();
    });
    const traits = { gone: 503 };
    testFront(front, traits);
    testGatewayGone(front, traits);
  },
);
