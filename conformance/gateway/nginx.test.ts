import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { freePort } from '../authority-process.ts';
import { mayStartServers } from '../wire/target.ts';
import { startProgram, type Program } from './front-program.ts';
import { openFrontScene, type FrontScene } from './front-scene.ts';
import { type Front, testFront, testGatewayGone } from './front-suite.ts';
import { once } from './once.ts';
import { configOf } from './page.ts';

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
      const home = join(scene.folder, 'nginx');
      mkdirSync(home);
      const server = configOf('gateway-nginx.md', 'nginx', {
        '127.0.0.1:8000': address,
        '127.0.0.1:8080': scene.upstream.address,
        'http://127.0.0.1:9180': scene.gateway.ready.auth as string,
      });
      const user = process.getuid?.() === 0 ? 'user root;' : '';
      writeFileSync(
        join(home, 'nginx.conf'),
        `daemon off; ${user} worker_processes 1; pid nginx.pid; error_log error.log;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  ${server}
}
`,
      );
      nginx = await startProgram([program, '-p', home, '-c', join(home, 'nginx.conf')], { address });
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
