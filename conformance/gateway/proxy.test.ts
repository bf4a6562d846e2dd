import { afterAll, describe, expect, test } from 'vitest';
import { send } from '../wire/exchange.ts';
import { mayStartServers } from '../wire/target.ts';
import { type FrontScene, gatewayConfig, HOST, openFrontScene } from './front-scene.ts';
import { type Front, testFront } from './front-suite.ts';
import { once } from './once.ts';

// The gateway as a reverse proxy, before the same application and the same requests as every front proxy.
describe.runIf(mayStartServers())('the gateway is the proxy itself (needs the countersign command)', () => {
  let scene: FrontScene | undefined;
  const front = once(async (): Promise<Front> => {
    scene = await openFrontScene('gateway-proxy', (parts) =>
      gatewayConfig(parts, { listen: "proxy: '127.0.0.1:0'", upstream: parts.upstream.address }),
    );
    return { scene, address: new URL(scene.gateway.ready.proxy as string).host };
  });
  afterAll(async () => {
    await scene?.close();
  });
  testFront(front, { gone: 502 });

  test('while the application is gone the answer is 502, and says nothing of it', async () => {
    const { scene: running, address } = await front();
    await running.upstream.close();
    const token = await running.token();
    const answer = await send(`http://${address}/orders/7`, {
      headers: [
        ['Host', HOST],
        ['Authorization', `Bearer ${token}`],
      ],
    });
    expect([answer.status, answer.text]).toEqual([502, '{}']);
  });
});
