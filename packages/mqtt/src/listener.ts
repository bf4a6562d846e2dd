// The port that MQTT clients come to: MQTT 5.0 §4.2; TLS as RFC 9325 has it.
import { constants } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { ListenerTlsFiles } from '@countersign/daemon';
import { chainOf } from './admission/certificate-chain.ts';

export interface MqttListenerOptions {
  readonly tls: ListenerTlsFiles | undefined;
  readonly limits: { readonly connections: number; readonly connectTimeout: number };
  /** `chain`: DER of what the client showed, leaf first. */
  readonly onClient: (socket: Socket, chain: readonly Uint8Array[]) => void;
}

export interface MqttListener {
  /** Resolves with the port bound. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more connections; those that are there stay. */
  close(): void;
}

const NOTHING: readonly Uint8Array[] = [];
export function createMqttListener({ tls, limits, onClient }: MqttListenerOptions): MqttListener {
  const server: Server =
    tls === undefined
      ? createServer({ noDelay: true }, (socket) => onClient(socket, NOTHING))
      : createTlsServer(
          {
            ...tls,
            noDelay: true,
            minVersion: 'TLSv1.2',
            // Which one is right, the token says, or the authority.
            rejectUnauthorized: false,
            // A session that is resumed has only the leaf of what was shown.
            secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
            handshakeTimeout: limits.connectTimeout * 1000,
          },
          (socket: TLSSocket) => onClient(socket, chainOf(socket)),
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
