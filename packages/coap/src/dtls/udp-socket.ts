// No RFC: a UDP socket that is bound, and who its datagrams come from.
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Peer } from './session.ts';

/** Where to listen. `port` 0: any. */
export interface UdpPlace {
  /** Default: every IPv4 address. */
  readonly host?: string;
  readonly port: number;
}

export interface UdpListener {
  readonly address: string;
  readonly port: number;
  send(datagram: Uint8Array, peer: Peer): void;
  close(): Promise<void>;
}

/** `receive` must not throw. Rejects when the place is taken. */
export async function listenUdp(
  { host = '0.0.0.0', port }: UdpPlace,
  receive: (datagram: Uint8Array, peer: Peer) => void,
): Promise<UdpListener> {
  const socket: Socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  let isOpen = true;
  socket.on('message', (datagram, { address, port: from }) => receive(datagram, { address, port: from }));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  // A datagram that could not be sent is a datagram lost.
  socket.on('error', () => undefined);
  const bound = socket.address();
  return {
    address: bound.address,
    port: bound.port,
    send(datagram, peer) {
      if (isOpen) socket.send(datagram, peer.port, peer.address, () => undefined);
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
