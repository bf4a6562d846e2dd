import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { freePort } from '../authority-process.ts';
import { mayStartServers } from '../wire/target.ts';
import { type Program, startProgram } from './front-program.ts';
import { type FrontScene, gatewayConfig, openFrontScene } from './front-scene.ts';
import { type Front, testFront, testGatewayGone } from './front-suite.ts';
import { once } from './once.ts';
import { configsOf } from './page.ts';

// `ext_authz` of a real Envoy, over gRPC and over HTTP, configured as docs/guide/gateway-envoy.md says.
const program = process.env['COUNTERSIGN_TEST_ENVOY'] ?? '';
if (program === '' && process.env['COUNTERSIGN_REQUIRE'] === 'all')
  throw new Error('COUNTERSIGN_TEST_ENVOY is not set');

describe
  .runIf(mayStartServers() && process.platform === 'linux' && program !== '')
  .each(['gRPC', 'HTTP'] as const)('Envoy asks the gateway over %s (needs Envoy)', (how) => {
  let scene: FrontScene | undefined;
  let running: Program | undefined;
  const front = once(async (): Promise<Front> => {
    scene = await openFrontScene('gateway-envoy', (parts) =>
      gatewayConfig(parts, { listen: "grpc: '127.0.0.1:0', auth: '127.0.0.1:0'" }),
    );
    const address = `127.0.0.1:${await freePort()}`;
    const home = join(scene.folder, 'envoy');
    mkdirSync(home);
    const asked = new URL((how === 'gRPC' ? scene.gateway.ready.grpc : scene.gateway.ready.auth) as string);
    const config = (how === 'gRPC' ? overGrpc() : overHttp())
      .replace('port_value: 8000', `port_value: ${address.split(':')[1]}`)
      .replace('port_value: 8080', `port_value: ${scene.upstream.address.split(':')[1]}`)
      .replace('port_value: 9181', `port_value: ${asked.port}`);
    writeFileSync(join(home, 'envoy.yaml'), config);
    const flags = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'];
    running = await startProgram([program, '-c', join(home, 'envoy.yaml'), ...flags], { address });
    return { scene, address };
  });
  afterAll(async () => {
    await running?.stop();
    await scene?.close();
  });
  testFront(front, { gone: 503 });
  testGatewayGone(front, { gone: 503 });
});

function overGrpc(): string {
  return configsOf('gateway-envoy.md', 'yaml')[0] as string;
}

/** The page's first configuration with the changes that it tells of. */
function overHttp(): string {
  const service = (configsOf('gateway-envoy.md', 'yaml')[1] as string).replace(/^(?=.)/gm, ' '.repeat(22));
  return overGrpc()
    .replace(/^ +encode_raw_headers.*\n +include_peer_certificate.*\n +grpc_service.*\n/m, service)
    .replace(/^ +typed_extension_protocol_options:\n.*\n.*\n.*http2_protocol_options.*\n/m, '');
}
