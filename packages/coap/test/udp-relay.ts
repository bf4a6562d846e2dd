// Somebody in between, who keeps what he hears and can say it again, or leave it out.
import { createSocket, type Socket } from 'node:dgram';

export interface UdpRelay {
  readonly port: number;
  /** What the client said, in order. */
  readonly heard: readonly Uint8Array[];
  /** To the server, from the same address as before. */
  say(datagram: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** `loses`: whether the nth datagram in that direction, from 0, is lost. For one client at a time. */
export async function openRelay(
  server: number,
  loses: (direction: 'to_server' | 'to_client', index: number) => boolean = () => false,
): Promise<UdpRelay> {
  const heard: Uint8Array[] = [];
  const front = await bound();
  const back = await bound();
  const counts = { to_server: 0, to_client: 0 };
  let client = 0;
  front.on('message', (datagram, { port }) => {
    client = port;
    heard.push(datagram);
    if (!loses('to_server', counts.to_server++)) back.send(datagram, server, '127.0.0.1');
  });
  back.on('message', (datagram) => {
    if (!loses('to_client', counts.to_client++)) front.send(datagram, client, '127.0.0.1');
  });
  return {
    port: front.address().port,
    heard,
    say: (datagram) =>
      new Promise((resolve, reject) => {
        back.send(datagram, server, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
      }),
    async close() {
      for (const socket of [front, back]) await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}
