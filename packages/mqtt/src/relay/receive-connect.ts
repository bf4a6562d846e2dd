// The first packet of a connection: MQTT 5.0 §3.1, within a time and a size.
import type { Socket } from 'node:net';
import { type Connect, readConnect } from '../wire/connect.ts';
import { Malformed } from '../wire/malformed.ts';
import { PacketStream } from '../wire/packet-stream.ts';
import { CONNECT } from '../wire/packet-type.ts';
import { PROTOCOL_ERROR } from '../wire/reason-code.ts';
import type { WaitingBytes } from './waiting-bytes.ts';

/** Bytes of a CONNECT: a token, a Will of 64 KiB and what is around them. Nothing is known yet of who sends it. */
const LONGEST_CONNECT = 131_072;

export interface Received {
  readonly connect: Connect;
  /** What came behind it. */
  readonly ahead: Buffer;
}

/** Leaves the socket paused. @throws Malformed for anything else, also for silence and for who hangs up */
export function receiveConnect(
  socket: Socket,
  { packetBytes, connectTimeout }: { readonly packetBytes: number; readonly connectTimeout: number },
  waiting: WaitingBytes,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const end = (result: Received | Malformed): void => {
      clearTimeout(timer);
      stream.end();
      waiting.release(here);
      socket.off('data', onData);
      socket.off('close', onClose);
      socket.pause();
      if (result instanceof Malformed) reject(result);
      else resolve(result);
    };
    const stream = new PacketStream({
      maxBytes: Math.min(packetBytes, LONGEST_CONNECT),
      forward: () => undefined,
      onPacket(bytes, start, body, stop) {
        if (bytes[start] !== CONNECT << 4) throw new Malformed('not CONNECT', PROTOCOL_ERROR);
        end({ connect: readConnect(bytes, body, stop), ahead: bytes.subarray(stop) });
        return false;
      },
    });
    const onData = (chunk: Buffer): void => {
      try {
        stream.push(chunk);
        if (stream.held > 0) waiting.hold(here, stream.held);
      } catch (error) {
        end(error instanceof Malformed ? error : new Malformed('CONNECT'));
      }
    };
    const here = { giveUp: () => end(new Malformed('too much that is not whole waits')) };
    const onClose = (): void => end(new Malformed('hung up'));
    const timer = setTimeout(() => end(new Malformed('no CONNECT in time')), connectTimeout * 1000);
    socket.on('data', onData);
    socket.on('close', onClose);
  });
}
