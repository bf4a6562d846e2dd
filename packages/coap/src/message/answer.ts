// An answer of the guard's own: RFC 7252 §5.2.
import { CODE, type CoapMessage, type CoapOption, TYPE, writeCoap } from './coap-message.ts';

export interface Answer {
  readonly code: number;
  readonly options?: readonly CoapOption[];
  readonly payload?: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** On the acknowledgement where one is wanted (§5.2.1), else by itself (§5.2.3) under `messageId`. */
export function answerTo(
  request: CoapMessage,
  { code, options = [], payload = NO_BYTES }: Answer,
  messageId: number,
): Uint8Array {
  const isConfirmable = request.type === TYPE.confirmable;
  return writeCoap({
    type: isConfirmable ? TYPE.acknowledgement : TYPE.nonConfirmable,
    code,
    messageId: isConfirmable ? request.messageId : messageId,
    token: request.token,
    options,
    payload,
  });
}

/** RFC 7252 §4.2, §4.3: what cannot be processed is rejected; undefined where even that would be wrong. */
export function resetFor(bytes: Uint8Array): Uint8Array | undefined {
  const [first = 0, , idHigh = 0, idLow = 0] = bytes;
  const isConfirmable = bytes.length >= 4 && first >> 6 === 1 && ((first >> 4) & 3) === TYPE.confirmable;
  if (!isConfirmable) return undefined;
  const messageId = (idHigh << 8) | idLow;
  return writeCoap({
    type: TYPE.reset,
    code: CODE.empty,
    messageId,
    token: NO_BYTES,
    options: [],
    payload: NO_BYTES,
  });
}
