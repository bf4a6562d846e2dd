import type { Socket } from 'node:net';

/** Node does not say which connection it was that a TLS handshake is done on. No two that are open have the same name. */
export function connectionName({
  localAddress,
  remoteAddress,
  remotePort,
}: Pick<Socket, 'localAddress' | 'remoteAddress' | 'remotePort'>): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}
