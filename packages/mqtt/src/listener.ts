// The port that MQTT clients come to: MQTT 5.0 §4.2; TLS as RFC 9325 has it.
import { constants } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { ListenerTlsFiles } from '@countersign/daemon';

export interface MqttListenerOptions {
  readonly tls: ListenerTlsFiles | undefined;
  readonly limits: { readonly connections: number; readonly connectTimeout: number };
  /** `certificate`: DER of what the client showed. */
  readonly onClient: (socket: Socket, certificate: Uint8Array | undefined) => void;
}

export interface MqttListener {
  /** Resolves with the port bound. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more connections; those that are there stay. */
  close(): void;
}

export function createMqttListener({ tls, limits, onClient }: MqttListenerOptions): MqttListener {
  const server: Server =
    tls === undefined
      ? createServer({ noDelay: true }, (socket) => onClient(socket, undefined))
      : createTlsServer(
          {
            ...tls,
            noDelay: true,
            minVersion: 'TLSv1.2',
            // Which one is right, the token says, or the authority.
            rejectUnauthorized: false,
            secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
            handshakeTimeout: limits.connectTimeout * 1000,
          },
          (socket: TLSSocket) => onClient(socket, socket.getPeerX509Certificate()?.raw),
        );
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
