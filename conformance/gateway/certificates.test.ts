import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, type TestContext, test, vi } from 'vitest';
import { freePort } from '../authority-process.ts';
import { askByCertificate, registerCertificate } from '../wire/certificate-client.ts';
import { selfSigned, type ShownCertificate } from '../wire/certificates.ts';
import { type HeaderLine, send } from '../wire/exchange.ts';
import { expectToken } from '../wire/expectations.ts';
import { mayStartServers } from '../wire/target.ts';
import { envoyOverGrpc, startEnvoy } from './envoy-program.ts';
import type { Program } from './front-program.ts';
import { type FrontScene, gatewayConfig, HOST, openFrontScene } from './front-scene.ts';
import { startNginx } from './nginx-program.ts';
import { configsOf } from './page.ts';
import { valuesOf } from './upstream.ts';

// Each of these starts servers of its own.
vi.setConfig({ testTimeout: 180_000 });

// RFC 8705 §3 behind real front proxies that take TLS off, and at the gateway itself.
describe.runIf(mayStartServers() && process.platform === 'linux')(
  'a token that is bound to a certificate',
  () => {
    let scene: FrontScene | undefined;
    let running: Program | undefined;
    afterEach(async () => {
      await running?.stop();
      await scene?.close();
      running = undefined;
      scene = undefined;
    });

    test('behind nginx', async (context) => {
      const program = programOf(context, 'COUNTERSIGN_TEST_NGINX');
      scene = await openFrontScene('gateway-bound', (parts) =>
        gatewayConfig(parts, { listen: "auth: '127.0.0.1:0'", settings: 'certificateHeader: nginx' }),
      );
      const shown = certificateFiles(context, scene.folder);
      const address = `127.0.0.1:${await freePort()}`;
      const [tls, ask] = ['tls', 'ask'].map((name) => configsOf('gateway-nginx.md', name)[0] as string) as [
        string,
        string,
      ];
      const { folder } = scene;
      running = await startNginx(program, scene, address, (config) =>
        config
          .replace(
            `listen ${address};`,
            `listen ${address} ssl;\n${tls.replaceAll(FILES, join(folder, '$&'))}`,
          )
          .replace('    proxy_pass_request_body off;', (line) => `${ask}${line}`),
      );
      await takenFromItsOwnerOnly(context, scene, address, shown);
    });

    test('behind Envoy', async (context) => {
      const program = programOf(context, 'COUNTERSIGN_TEST_ENVOY');
      scene = await openFrontScene('gateway-bound', (parts) =>
        gatewayConfig(parts, { listen: "grpc: '127.0.0.1:0'" }),
      );
      const shown = certificateFiles(context, scene.folder);
      const address = `127.0.0.1:${await freePort()}`;
      const tls = (configsOf('gateway-envoy.md', 'yaml')[2] as string).replaceAll(
        FILES,
        join(scene.folder, '$&'),
      );
      const inChain = tls.replace(/^(?=.)/gm, ' '.repeat(10)).trimStart();
      const config = envoyOverGrpc().replace('        - filters:', `        - ${inChain}          filters:`);
      running = await startEnvoy(program, scene, address, {
        config,
        asked: scene.gateway.ready.grpc as string,
      });
      await takenFromItsOwnerOnly(context, scene, address, shown);
    });

    test('at the gateway as the proxy', async (context) => {
      scene = await openFrontScene('gateway-bound', ({ folder, ...parts }) => {
        certificateFiles(context, folder);
        const tls = `{certificate: chain.pem, key: key.pem, askForCertificate: true}`;
        const listen = `proxy: {address: '127.0.0.1:0', tls: ${tls}}`;
        return gatewayConfig(parts, { listen, upstream: parts.upstream.address });
      });
      const { host } = new URL(scene.gateway.ready.proxy as string);
      await takenFromItsOwnerOnly(
        context,
        scene,
        host,
        readFileSync(join(scene.folder, 'chain.pem'), 'utf8'),
      );
    });
  },
);

async function takenFromItsOwnerOnly(
  context: TestContext,
  { authority, scene, upstream }: FrontScene,
  address: string,
  ca: string,
): Promise<void> {
  const own = selfSigned(context, 'payments');
  const other = selfSigned(context, 'payments');
  await registerCertificate(scene, own.cert);
  await scene.admin.change('PATCH', `/resource-servers/${scene.resourceServerId}`, {
    sender_constraint: 'mtls',
  });
  const tokenEndpoint = `${String(authority.ready.mtls_base)}/oauth/token`;
  const { token } = expectToken(await askByCertificate(tokenEndpoint, scene, { shown: own }));
  const ask = async (certificate: ShownCertificate | undefined, more: readonly HeaderLine[] = []) => {
    const headers: HeaderLine[] = [['Host', HOST], ['Authorization', `Bearer ${token}`], ...more];
    const url = `https://localhost:${address.split(':')[1]}/orders/7`;
    return (await send(url, { headers, ca, certificate })).status;
  };
  expect(await ask(own)).toBe(200);
  expect(await ask(other)).toBe(401);
  expect(await ask(undefined)).toBe(401);
  const escaped = encodeURIComponent(own.cert);
  const forged: HeaderLine[] = [
    ['X-SSL-Client-Cert', escaped],
    ['X-Forwarded-Client-Cert', `Cert="${escaped}"`],
    ['Client-Cert', `:${own.der.toString('base64')}:`],
  ];
  for (const line of forged) {
    expect(await ask(undefined, [line]), line[0]).toBe(401);
    expect(await ask(other, [line]), line[0]).toBe(401);
  }
  expect(upstream.seen).toHaveLength(1);
  expect(valuesOf(upstream.seen[0] as (typeof upstream.seen)[0], 'Countersign-Client-Id')).toEqual([
    scene.client.id,
  ]);
}

/** What the pages call certificate and key. */
const FILES = /\b(?:chain|key)\.pem\b/g;

/** Makes them for localhost; gives the certificate. */
function certificateFiles(context: TestContext, folder: string): string {
  const { cert, key } = selfSigned(context, 'localhost');
  writeFileSync(join(folder, 'chain.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  return cert;
}

function programOf(context: TestContext, variable: string): string {
  const program = process.env[variable] ?? '';
  if (program === '' && process.env['COUNTERSIGN_REQUIRE'] === 'all')
    throw new Error(`${variable} is not set`);
  return program === '' ? context.skip(`${variable} is not set`) : program;
}
