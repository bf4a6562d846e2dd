// The port that MQTT clients come to: MQTT 5.0 §4.2; TLS as RFC 9325 has it.
import { constants } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type Arrivals, connectionName, type ListenerTlsFiles } from '@countersign/daemon';
import { plainAddress } from '@countersign/protocol';
import { chainOf } from './admission/certificate-chain.ts';

export interface MqttListenerOptions {
  readonly tls: ListenerTlsFiles | undefined;
  readonly limits: { readonly connections: number; readonly connectTimeout: number };
  /** Of those whose CONNECT is not there yet. */
  readonly arrivals: Arrivals;
  readonly onClient: (client: ArrivedClient) => void;
  /** A connection that was closed, for there was no place for it, or its place was needed. */
  readonly onTurnedAway: (address: string) => void;
}

/** A client that can send CONNECT. */
export interface ArrivedClient {
  readonly socket: Socket;
  /** DER of what it showed in its TLS handshake, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly address: string;
  /** Gives back its place among those whose CONNECT is not there yet. */
  arrived(): void;
}

export interface MqttListener {
  /** Resolves with the port bound. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more connections; those that are there stay. */
  close(): void;
}

export function createMqttListener(options: MqttListenerOptions): MqttListener {
  const { tls, limits, arrivals, onClient, onTurnedAway } = options;
  const shakeHands = tls === undefined ? undefined : createHandshakes(tls, limits.connectTimeout, onClient);
  const server = createServer({ noDelay: true }, (socket) => {
    const address = plainAddress(socket.remoteAddress);
    const turnAway = (): void => {
      onTurnedAway(address);
      socket.destroy();
    };
    const arrived = arrivals.take({ address, giveUp: turnAway });
    if (arrived === undefined) return turnAway();
    socket.once('close', arrived);
    if (shakeHands === undefined) onClient({ socket, chain: [], address, arrived });
    else shakeHands(socket, { address, arrived });
  });
  server.maxConnections = limits.connections;
  return {
    async listen(host, port) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port, backlog: 1024 }, resolve);
      });
      return (server.address() as AddressInfo).port;
    },
    close: () => void server.close(),
  };
}

type ShakeHands = (socket: Socket, more: Pick<ArrivedClient, 'address' | 'arrived'>) => void;

function createHandshakes(
  tls: ListenerTlsFiles,
  timeout: number,
  onClient: MqttListenerOptions['onClient'],
): ShakeHands {
  /** Node does not say which connection it was that a handshake is done on. */
  const underWay = new Map<string, Pick<ArrivedClient, 'address' | 'arrived'>>();
  const server = createTlsServer(
    {
      ...tls,
      noDelay: true,
      minVersion: 'TLSv1.2',
      // Which one is right, the token says, or the authority.
      rejectUnauthorized: false,
      // A session that is resumed has only the leaf of what was shown.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
      handshakeTimeout: timeout * 1000,
    },
    (socket: TLSSocket) => {
      const client = underWay.get(connectionName(socket));
      // It has hung up already.
      if (client === undefined) socket.destroy();
      else onClient({ socket, chain: chainOf(socket), ...client });
    },
  );
  return (socket, client) => {
    const name = connectionName(socket);
    underWay.set(name, client);
    socket.once('close', () => underWay.delete(name));
    server.emit('connection', socket);
  };
}
