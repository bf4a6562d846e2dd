import { isLoopback } from '@countersign/protocol';
import type { GatewayConfig, ListenerConfig } from './config.ts';
import type { YamlValue } from './yaml-reader.ts';

const NAMES = ['auth', 'grpc', 'proxy', 'operation'] as const;

/** Where to listen, `host:port` or with TLS. @throws ConfigFault */
export function readListeners(
  value: YamlValue,
  pathOf: (file: YamlValue) => string,
): GatewayConfig['listen'] {
  const given = value.members(NAMES);
  if (given.auth === undefined && given.grpc === undefined && given.proxy === undefined) {
    throw value.fault('name auth, grpc or proxy: what this gateway is for');
  }
  const read = (name: (typeof NAMES)[number]): ListenerConfig | undefined =>
    given[name] && readListener(given[name], pathOf);
  return { auth: read('auth'), grpc: read('grpc'), proxy: read('proxy'), operation: read('operation') };
}

function readListener(value: YamlValue, pathOf: (file: YamlValue) => string): ListenerConfig {
  if (!value.isMapping()) return inTheClear(value, value, false);
  const given = value.members(['address', 'tls', 'plaintext']);
  if (given.address === undefined) throw value.fault('address is missing, host:port');
  if (given.tls === undefined) return inTheClear(value, given.address, given.plaintext?.boolean() ?? false);
  const tls = given.tls.members(['certificate', 'key', 'askForCertificate']);
  if (tls.certificate === undefined || tls.key === undefined) {
    throw given.tls.fault('name the files certificate and key');
  }
  return {
    ...readAddress(given.address),
    tls: {
      certificate: pathOf(tls.certificate),
      key: pathOf(tls.key),
      askForCertificate: tls.askForCertificate?.boolean() ?? false,
    },
  };
}

/** Tokens travel here: beyond this machine only where somebody wrote that down. */
function inTheClear(value: YamlValue, address: YamlValue, allowed: boolean): ListenerConfig {
  const { host, port } = readAddress(address);
  if (!allowed && !isLoopback(host)) {
    throw value.fault('takes tokens in the clear beyond this machine; give it tls, or write plaintext: true');
  }
  return { host, port, tls: undefined };
}

function readAddress(value: YamlValue): { host: string; port: number } {
  const [, host, port] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})$/.exec(value.string()) ?? [];
  if (host === undefined || Number(port) > 65_535) throw value.fault('write host:port, 127.0.0.1:9180');
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
