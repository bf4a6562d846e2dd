// A plain CoAP server behind the guard: RFC 7252 §4. Each session has a socket of its own, so that message ids and tokens of two clients
// never meet; acknowledgements, retransmissions, Observe and blocks are between the client and that server.
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type CoapMessage, numberOption, OPTION, TYPE, writeCoap } from '../message/coap-message.ts';
import type { OpenUpstream } from './upstream.ts';

export interface UdpServer {
  /** An IP address: that of the server, which answers nobody else. */
  readonly host: string;
  readonly port: number;
}

/** Messages kept while the socket opens. */
const MOST_WAITING = 16;

/** `failed`: is told when the server cannot be reached; clients find out by their own timers. */
export function udpUpstream({ host, port }: UdpServer, failed: (error: Error) => void): OpenUpstream {
  return (_claims, deliver) => {
    let waiting: Uint8Array[] | undefined = [];
    const socket: Socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    let isOver = false;
    socket.on('message', (bytes) => {
      if (!isOver) deliver(bytes);
    });
    socket.on('error', (error) => {
      if (!isOver) failed(error);
    });
    // Connected: what others send to this port is not taken.
    socket.connect(port, host, () => {
      for (const bytes of waiting ?? []) socket.send(bytes, told);
      waiting = undefined;
    });

    function told(error: Error | null): void {
      if (error !== null && !isOver) failed(error);
    }

    function send(bytes: Uint8Array): void {
      if (waiting === undefined) socket.send(bytes, told);
      else if (waiting.length < MOST_WAITING) waiting.push(Uint8Array.from(bytes));
    }

    return {
      forward(_message, bytes) {
        if (!isOver) send(bytes);
      },
      release(observed) {
        if (isOver) return;
        for (const [index, registration] of observed.entries()) send(deregistration(registration, index));
      },
      close() {
        if (isOver) return;
        isOver = true;
        // What was given to send leaves first.
        setImmediate(() => socket.close());
      },
    };
  };
}

/** RFC 7641 §3.6: the same request with Observe 1; nobody waits for its answer. */
function deregistration(registration: CoapMessage, index: number): Uint8Array {
  const options = registration.options.map((option) =>
    option.number === OPTION.observe ? numberOption(OPTION.observe, 1) : option,
  );
  const messageId = (registration.messageId + 0x8000 + index) & 0xffff;
  return writeCoap({ ...registration, type: TYPE.nonConfirmable, messageId, options });
}
