import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from './front-program.ts';
import type { FrontScene } from './front-scene.ts';
import { configsOf } from './page.ts';

const PAGE = 'gateway-envoy.md';

/** The page's first configuration. */
export function envoyOverGrpc(): string {
  return configsOf(PAGE, 'yaml')[0] as string;
}

/** The same with the changes that the page tells of. */
export function envoyOverHttp(): string {
  const service = (configsOf(PAGE, 'yaml')[1] as string).replace(/^(?=.)/gm, ' '.repeat(22));
  return envoyOverGrpc()
    .replace(/^ +encode_raw_headers.*\n +include_peer_certificate.*\n +grpc_service.*\n/m, service)
    .replace(/^ +typed_extension_protocol_options:\n.*\n.*\n.*http2_protocol_options.*\n/m, '');
}

/** Starts Envoy at an address; it asks the gateway at this URL. */
export async function startEnvoy(
  program: string,
  { folder, upstream }: FrontScene,
  address: string,
  { config, asked }: { readonly config: string; readonly asked: string },
): Promise<Program> {
  const home = join(folder, 'envoy');
  mkdirSync(home);
  const here = config
    .replace('port_value: 8000', `port_value: ${address.split(':')[1]}`)
    .replace('port_value: 8080', `port_value: ${upstream.address.split(':')[1]}`)
    .replace('port_value: 9181', `port_value: ${new URL(asked).port}`);
  writeFileSync(join(home, 'envoy.yaml'), here);
  const flags = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'];
  return await startProgram([program, '-c', join(home, 'envoy.yaml'), ...flags], { address });
}
