import { type ConfiguredFiles, readListeners, type YamlValue } from '@countersign/daemon';
import type { GatewayConfig } from './config.ts';

const NAMES = ['auth', 'grpc', 'proxy', 'operation'] as const;

/** Where to listen, `host:port` or with TLS. @throws ConfigFault */
export function readGatewayListeners(value: YamlValue, files: ConfiguredFiles): GatewayConfig['listen'] {
  const given = value.members(NAMES);
  if (given.auth === undefined && given.grpc === undefined && given.proxy === undefined) {
    throw value.fault('name auth, grpc or proxy: what this gateway is for');
  }
  const { auth, grpc, proxy, operation } = readListeners(given, files);
  return { auth, grpc, proxy, operation };
}
