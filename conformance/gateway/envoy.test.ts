import { afterAll, describe } from 'vitest';
import { freePort } from '../authority-process.ts';
import { mayStartServers } from '../wire/target.ts';
import { envoyOverGrpc, envoyOverHttp, startEnvoy } from './envoy-program.ts';
import type { Program } from './front-program.ts';
import { type FrontScene, gatewayConfig, openFrontScene } from './front-scene.ts';
import { type Front, testFront, testGatewayGone } from './front-suite.ts';
import { once } from './once.ts';

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
    const { grpc, auth } = scene.gateway.ready;
    running = await startEnvoy(program, scene, address, {
      config: how === 'gRPC' ? envoyOverGrpc() : envoyOverHttp(),
      asked: (how === 'gRPC' ? grpc : auth) as string,
    });
    return { scene, address };
  });
  afterAll(async () => {
    await running?.stop();
    await scene?.close();
  });
  testFront(front, { gone: 503 });
  testGatewayGone(front, { gone: 503 });
});
