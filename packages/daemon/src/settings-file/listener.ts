import { isLoopback } from '@countersign/protocol';
import type { ListenerTlsFiles } from '../http/listener.ts';
import type { ConfiguredFiles, ConfiguredIdentity } from './configured-file.ts';
import type { YamlValue } from './yaml-reader.ts';

/** Where a listener is. */
export interface ListenerConfig {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  readonly tls: ListenerTls | undefined;
}

export interface ListenerTls extends ConfiguredIdentity {
  /** Ask callers for a certificate, which tokens can be bound to (RFC 8705); which one is right, the token says. */
  readonly askForCertificate: boolean;
}

/** `host:port`, or an address with TLS. @throws ConfigFault */
function readListener(value: YamlValue, files: ConfiguredFiles): ListenerConfig {
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
      ...files.identity(tls.certificate, tls.key),
      askForCertificate: tls.askForCertificate?.boolean() ?? false,
    },
  };
}

/** Those that the file names. @throws ConfigFault also where two would listen at the same address */
export function readListeners<Name extends string>(
  given: { readonly [name in Name]?: YamlValue },
  files: ConfiguredFiles,
): { readonly [name in Name]?: ListenerConfig } {
  const taken = new Map<string, YamlValue>();
  const listeners: { [name in Name]?: ListenerConfig } = {};
  for (const [name, value] of Object.entries(given) as [Name, YamlValue][]) {
    const listener = readListener(value, files);
    const address = `${listener.host}:${listener.port}`;
    const other = listener.port === 0 ? undefined : taken.get(address);
    if (other !== undefined) throw value.fault(`is at ${address} as ${other.member} is`);
    taken.set(address, value);
    listeners[name] = listener;
  }
  return listeners;
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

/** What the files hold. @throws ConfigFault */
export function tlsFilesOf({ tls }: ListenerConfig): ListenerTlsFiles | undefined {
  if (tls === undefined) return undefined;
  return {
    cert: tls.certificate.text(),
    key: tls.key.text(),
    requestCert: tls.askForCertificate,
  };
}

/** The URL of a listener that has got its port. @param scheme in the clear, and with TLS */
export function addressOf(
  { host, tls }: ListenerConfig,
  port: number,
  [plain, secure]: readonly [string, string] = ['http', 'https'],
): string {
  return `${tls === undefined ? plain : secure}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
