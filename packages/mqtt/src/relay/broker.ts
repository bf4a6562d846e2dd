// The broker behind the gateway: one connection of its own for every client.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: in the clear. PEM of whom to trust; empty: the public ones. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  /** Who the gateway is to the broker. */
  readonly login: BrokerLogin | undefined;
  /** Seconds. */
  readonly connectTimeout: number;
}

export interface BrokerLogin {
  readonly username: string;
  readonly password: Buffer;
}

export interface Broker {
  readonly login: BrokerLogin | undefined;
  /** A connection; undefined where there is none in time. Never rejects. */
  open(): Promise<Socket | undefined>;
}

export function openBroker({ host, port, tls, login, connectTimeout }: BrokerOptions): Broker {
  return {
    login,
    open: () =>
      new Promise((resolve) => {
        const at = { host, port, noDelay: true };
        const socket: Socket =
          tls === undefined
            ? connect(at)
            : connectTls({ ...at, servername: host, minVersion: 'TLSv1.2', ...(tls.ca && { ca: tls.ca }) });
        const late = setTimeout(() => socket.destroy(), connectTimeout * 1000);
        // Stays for the life of the connection: what goes wrong later shows as its end.
        socket.on('error', () => socket.destroy());
        socket.once('close', () => {
          clearTimeout(late);
          resolve(undefined);
        });
        socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
          clearTimeout(late);
          resolve(socket);
        });
      }),
  };
}
