// What a client observes, so that it can be ended: RFC 7641 §3.1, §3.6, §4.2; FETCH too (RFC 8132 §2.4).
import {
  CODE,
  type CoapMessage,
  isRequest,
  OPTION,
  optionNumber,
  optionValues,
} from '../message/coap-message.ts';
import type { RequestTarget } from '../message/request-target.ts';

/** Of one client. */
const MOST_OBSERVED = 32;
const REGISTER = 0;
const DEREGISTER = 1;

export interface Observation {
  readonly registration: CoapMessage;
  readonly target: RequestTarget;
}

interface Entry extends Observation {
  /** Message id of the last notification. */
  lastId: number | undefined;
}

export class Observations {
  readonly #byToken = new Map<string, Entry>();

  /** Notes what a request begins or ends. False where it may not begin: it is to be asked without Observe, which is elective. */
  note(request: CoapMessage, target: RequestTarget): boolean {
    const given = optionValues(request, OPTION.observe);
    if (given.length === 0) return true;
    const token = keyOf(request.token);
    const observe = given.length === 1 ? optionNumber(request, OPTION.observe) : undefined;
    if (observe === DEREGISTER) {
      this.#byToken.delete(token);
      return true;
    }
    const mayObserve = request.code === CODE.get || request.code === CODE.fetch;
    if (observe !== REGISTER || !mayObserve) return false;
    if (this.#byToken.size >= MOST_OBSERVED && !this.#byToken.has(token)) return false;
    this.#byToken.set(token, { registration: kept(request), target, lastId: undefined });
    return true;
  }

  /** A message of the server behind goes to the client: an answer without Observe is the last one. */
  sent(message: CoapMessage): void {
    const entry = this.#byToken.get(keyOf(message.token));
    if (entry === undefined || message.code === CODE.empty || isRequest(message)) return;
    const goesOn = optionValues(message, OPTION.observe).length > 0 || blockNumber(message) > 0;
    if (goesOn && message.code < CODE.badRequest) entry.lastId = message.messageId;
    else this.#byToken.delete(keyOf(message.token));
  }

  /** RFC 7641 §3.6: who rejects a notification wants no more of them. */
  rejected(messageId: number): void {
    for (const [token, { lastId }] of this.#byToken) if (lastId === messageId) this.#byToken.delete(token);
  }

  /** Forgets those that are not `covered` any more, and gives them. */
  takeUncovered(covered: (target: RequestTarget) => boolean): readonly Observation[] {
    const taken: Observation[] = [];
    for (const [token, entry] of this.#byToken) {
      if (covered(entry.target)) continue;
      this.#byToken.delete(token);
      taken.push(entry);
    }
    return taken;
  }
}

/** RFC 7959 §2.4: a later block of a notification is asked for by itself, and has no Observe. */
function blockNumber(message: CoapMessage): number {
  return (optionNumber(message, OPTION.block2) ?? 0) >> 4;
}

/** Apart from the datagram that it came in. */
function kept(request: CoapMessage): CoapMessage {
  return {
    ...request,
    token: Uint8Array.from(request.token),
    options: request.options.map(({ number, value }) => ({ number, value: Uint8Array.from(value) })),
    payload: Uint8Array.from(request.payload),
  };
}

function keyOf(token: Uint8Array): string {
  return Buffer.from(token).toString('latin1');
}
