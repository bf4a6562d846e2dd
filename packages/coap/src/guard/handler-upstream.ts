// A function behind the guard, where there is no CoAP server: requests and answers of RFC 7252 §5, each request once (§4.5).
import type { AccessCwtClaims } from '@countersign/cose';
import { type Answer, answerTo } from '../message/answer.ts';
import { Bodies, type BodyLimits, withBlock } from '../message/block1.ts';
import {
  CODE,
  type CoapMessage,
  numberOption,
  OPTION,
  optionNumber,
  optionValues,
  TYPE,
} from '../message/coap-message.ts';
import { hasUnknownCritical } from '../message/critical-options.ts';
import { type Method, readTarget } from '../message/request-target.ts';
import type { OpenUpstream } from './upstream.ts';

export interface CoapRequest {
  readonly method: Method;
  readonly path: string;
  readonly query: readonly string[];
  readonly payload: Uint8Array;
  readonly contentFormat: number | undefined;
  /** Of the token: who asks, and with which scope. */
  readonly claims: AccessCwtClaims;
}

export interface CoapResponse {
  /** As 2.05 is written: `0x45`. */
  readonly code: number;
  readonly payload?: Uint8Array | string;
  readonly contentFormat?: number;
}

/** What it throws is the client's 5.00. */
export type CoapHandler = (request: CoapRequest) => CoapResponse | Promise<CoapResponse>;

/** Answers kept for messages that come again. */
const MOST_EXCHANGES = 32;
const INTERNAL_SERVER_ERROR = 0xa0;

/** Bodies in blocks, of all clients: four mebibytes. */
const BODIES: BodyLimits = { bytes: 65_536, bodies: 64, bodiesPerPeer: 2, pauseMs: 30_000 };

/** @param now milliseconds that only grow */
export function handlerUpstream(
  handler: CoapHandler,
  failed: (error: Error) => void,
  now: () => number,
): OpenUpstream {
  const bodies = new Bodies(BODIES, now);
  return (claims, deliver) => {
    const peer = {};
    /** By message id; undefined while the handler works. */
    const exchanges = new Map<number, Uint8Array | undefined>();
    let nextId = 0;
    let isOver = false;

    async function answer(message: CoapMessage): Promise<Answer> {
      try {
        return acceptable(message, toAnswer(await handler(requestOf(message, claims()))));
      } catch (error) {
        failed(error instanceof Error ? error : new Error('the handler failed', { cause: error }));
        return { code: INTERNAL_SERVER_ERROR };
      }
    }

    return {
      forward(message) {
        if (isOver || message.code === CODE.empty) return;
        if (exchanges.has(message.messageId)) {
          const known = exchanges.get(message.messageId);
          if (known !== undefined) deliver(known);
          return;
        }
        const taken = bodies.take(message, peer);
        // Nothing is served under a condition that nobody has looked at.
        if (taken.kind === 'whole' && hasUnknownCritical(taken.request)) {
          const refusal = { code: CODE.badOption };
          if (message.type === TYPE.confirmable) deliver(answerTo(message, refusal, message.messageId));
          return;
        }
        exchanges.set(message.messageId, undefined);
        const [oldest] = exchanges.keys();
        if (exchanges.size > MOST_EXCHANGES && oldest !== undefined) exchanges.delete(oldest);
        nextId = (nextId + 1) & 0xffff;
        const messageId = nextId;
        const give = (answered: Answer): void => {
          if (isOver) return;
          const bytes = answerTo(message, answered, messageId);
          if (exchanges.has(message.messageId)) exchanges.set(message.messageId, bytes);
          deliver(bytes);
        };
        if (taken.kind === 'answer') give(taken.answer);
        else void answer(taken.request).then((answered) => give(withBlock(answered, taken.block)));
      },
      // It has no Observe.
      release: () => undefined,
      close() {
        isOver = true;
        exchanges.clear();
        bodies.forget(peer);
      },
    };
  };
}

/** The guard has read its target before. */
function requestOf(message: CoapMessage, claims: AccessCwtClaims): CoapRequest {
  const read = readTarget(message);
  if (!read.ok) throw new Error('a request without a target came through');
  return {
    ...read.target,
    query: optionValues(message, OPTION.uriQuery).map((value) => Buffer.from(value).toString('utf8')),
    payload: message.payload,
    contentFormat: optionNumber(message, OPTION.contentFormat),
    claims,
  };
}

/** RFC 7252 §5.10.4: in another format than the one that is asked for nothing is given. */
function acceptable(message: CoapMessage, answer: Answer): Answer {
  const wanted = optionNumber(message, OPTION.accept);
  const isGiven = (answer.options ?? []).length > 0 && (answer.payload ?? '').length > 0;
  if (wanted === undefined || !isGiven || answer.code >= CODE.badRequest) return answer;
  const given = optionNumber({ options: answer.options ?? [] }, OPTION.contentFormat);
  return given === wanted ? answer : { code: CODE.notAcceptable };
}

function toAnswer({ code, payload, contentFormat }: CoapResponse): Answer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  return {
    code,
    options: contentFormat === undefined ? [] : [numberOption(OPTION.contentFormat, contentFormat)],
    ...(bytes === undefined ? {} : { payload: bytes }),
  };
}
