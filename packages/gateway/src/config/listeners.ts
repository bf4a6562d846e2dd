import { type ConfiguredFiles, type ListenerConfig, readListener, type YamlValue } from '@countersign/daemon';
import type { GatewayConfig } from './config.ts';

const NAMES = ['auth', 'grpc', 'proxy', 'operation'] as const;

/** Where to listen, `host:port` or with TLS. @throws ConfigFault */
export function readListeners(value: YamlValue, files: ConfiguredFiles): GatewayConfig['listen'] {
  const given = value.members(NAMES);
  if (given.auth === undefined && given.grpc === undefined && given.proxy === undefined) {
    throw value.fault('name auth, grpc or proxy: what this gateway is for');
  }
  const read = (name: (typeof NAMES)[number]): ListenerConfig | undefined =>
    given[name] && readListener(given[name], files);
  return { auth: read('auth'), grpc: read('grpc'), proxy: read('proxy'), operation: read('operation') };
}
