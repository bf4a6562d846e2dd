// Messages out of fragments, in order: RFC 6347 §4.2.3, §4.2.4.
import type { Fragment } from './handshake-message.ts';

export interface HandshakeMessage {
  readonly type: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** Messages that may come before their turn: a client sends three in a flight. */
const MOST_AHEAD = 4;

interface Partial {
  readonly type: number;
  readonly body: Uint8Array;
  /** Which bytes have come: fragments may overlap (RFC 6347 §4.2.3). */
  readonly seen: Uint8Array;
  left: number;
}

export interface Reassembly {
  /**
   * Takes a fragment and gives the messages whose turn has come. What contradicts an earlier fragment, is too far ahead or
   * was here before is dropped.
   */
  add(fragment: Fragment): readonly HandshakeMessage[];
  /** Sequence number of the message whose turn it is. */
  readonly next: number;
}

/** Holds at most `MOST_AHEAD` messages of the longest kind. `first`: the number of the first message to come. */
export function createReassembly(first: number): Reassembly {
  let next = first;
  const waiting = new Map<number, Partial>();

  function take(): readonly HandshakeMessage[] {
    const whole: HandshakeMessage[] = [];
    for (let partial = waiting.get(next); partial?.left === 0; partial = waiting.get(next)) {
      waiting.delete(next);
      whole.push({ type: partial.type, sequence: next, body: partial.body });
      next++;
    }
    return whole;
  }

  return {
    get next() {
      return next;
    },
    add({ type, length, sequence, offset, bytes }) {
      if (sequence < next || sequence >= next + MOST_AHEAD) return [];
      let partial = waiting.get(sequence);
      if (partial === undefined) {
        partial = { type, body: new Uint8Array(length), seen: new Uint8Array(length), left: length };
        waiting.set(sequence, partial);
      }
      if (partial.type !== type || partial.body.length !== length) return [];
      for (let i = 0; i < bytes.length; i++) {
        if (partial.seen[offset + i] === 1) continue;
        partial.seen[offset + i] = 1;
        partial.body[offset + i] = bytes[i] as number;
        partial.left--;
      }
      return take();
    },
  };
}
