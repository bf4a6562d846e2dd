// Requests whose body is larger than one datagram: RFC 7959 §2.5, §2.9; the same request by all its options but these (RFC 9175 §3).
import type { Answer } from './answer.ts';
import {
  CODE,
  type CoapMessage,
  type CoapOption,
  numberOption,
  OPTION,
  optionNumber,
} from './coap-message.ts';

export interface BodyLimits {
  /** Of one body. */
  readonly bytes: number;
  /** Bodies that have begun, of all peers; beyond it the one that waited longest is forgotten. */
  readonly bodies: number;
  readonly bodiesPerPeer: number;
  /** Milliseconds for which the next block may be away. */
  readonly pauseMs: number;
}

/** Answers to the last block say which it was. */
export type Taken =
  | { readonly kind: 'whole'; readonly request: CoapMessage; readonly block: CoapOption | undefined }
  | { readonly kind: 'answer'; readonly answer: Answer };

interface Body {
  readonly peer: unknown;
  readonly blocks: Uint8Array[];
  length: number;
  at: number;
  /** Message id of the last block that was taken, for it may come again (RFC 7252 §4.5). */
  lastId: number;
  isWhole: boolean;
}

/** An exponent of 7 is reserved (RFC 7959 §2.2). */
const RESERVED_SIZE = 7;

export class Bodies {
  readonly #limits: BodyLimits;
  readonly #now: () => number;
  /** The one that waited longest comes first. */
  readonly #begun = new Map<string, Body>();
  readonly #names = new WeakMap<object, number>();
  #named = 0;

  /** @param now milliseconds that only grow */
  constructor(limits: BodyLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get begun(): number {
    return this.#begun.size;
  }

  /** The whole request once its last block is there, or what is to be answered until then. @param peer one text or one object for each */
  take(request: CoapMessage, peer: string | object): Taken {
    const value = optionNumber(request, OPTION.block1);
    if (value === undefined) return { kind: 'whole', request, block: undefined };
    this.#forgetLate();
    const exponent = value & 7;
    const size = 1 << (exponent + 4);
    const isLast = (value & 8) === 0;
    // RFC 7959 §2.2: each block but the last one is as large as it says.
    if (exponent === RESERVED_SIZE || request.payload.length > size) return refused(CODE.badRequest);
    if (!isLast && request.payload.length !== size) return refused(CODE.badRequest);
    const key = this.#keyOf(request, peer);
    const offset = Math.floor(value / 16) * size;
    const known = this.#begun.get(key);
    this.#begun.delete(key);
    const body = offset === 0 ? begin(peer) : known;
    // RFC 7959 §2.9.2: not all blocks before this one are there.
    if (body === undefined) return refused(CODE.requestEntityIncomplete);
    const isAgain = body === known && body.lastId === request.messageId;
    body.at = this.#now();
    if (!isAgain && (body.isWhole || body.length !== offset)) {
      this.#begun.set(key, body);
      return refused(CODE.requestEntityIncomplete);
    }
    const announced = optionNumber(request, OPTION.size1) ?? 0;
    if (Math.max(announced, offset + request.payload.length) > this.#limits.bytes) {
      // RFC 7959 §2.9.3: with what would do.
      return refused(CODE.requestEntityTooLarge, [numberOption(OPTION.size1, this.#limits.bytes)]);
    }
    if (!isAgain) {
      body.blocks.push(Uint8Array.from(request.payload));
      body.length += request.payload.length;
    }
    body.lastId = request.messageId;
    body.isWhole = isLast;
    this.#begun.set(key, body);
    this.#makeRoom(peer);
    const block = numberOption(OPTION.block1, value);
    if (!isLast) return { kind: 'answer', answer: { code: CODE.continue, options: [block] } };
    const options = request.options.filter(({ number }) => !OF_BLOCKS.has(number));
    return { kind: 'whole', request: { ...request, options, payload: Buffer.concat(body.blocks) }, block };
  }

  /** Of a peer that has gone. */
  forget(peer: string | object): void {
    for (const [key, body] of this.#begun) if (body.peer === peer) this.#begun.delete(key);
  }

  #forgetLate(): void {
    const since = this.#now() - this.#limits.pauseMs;
    for (const [key, { at }] of this.#begun) {
      if (at >= since) return;
      this.#begun.delete(key);
    }
  }

  #makeRoom(peer: string | object): void {
    const own = [...this.#begun].filter(([, body]) => body.peer === peer);
    if (own.length > this.#limits.bodiesPerPeer) this.#begun.delete((own[0] as (typeof own)[0])[0]);
    const [oldest] = this.#begun.keys();
    if (this.#begun.size > this.#limits.bodies && oldest !== undefined) this.#begun.delete(oldest);
  }

  #keyOf({ code, options }: CoapMessage, peer: string | object): string {
    const same = options
      .filter(({ number }) => !OF_BLOCKS.has(number))
      .map(({ number, value }) => `${number}=${Buffer.from(value).toString('base64')}`);
    return `${typeof peer === 'string' ? peer : this.#nameOf(peer)} ${code} ${same.join(' ')}`;
  }

  #nameOf(peer: object): number {
    const name = this.#names.get(peer) ?? ++this.#named;
    this.#names.set(peer, name);
    return name;
  }
}

const OF_BLOCKS: ReadonlySet<number> = new Set([OPTION.block1, OPTION.size1]);

/** RFC 7959 §2.3: the answer to a whole body names its last block. */
export function withBlock(answer: Answer, block: CoapOption | undefined): Answer {
  if (block === undefined) return answer;
  return { ...answer, options: [...(answer.options ?? []), block].toSorted((a, b) => a.number - b.number) };
}

function begin(peer: string | object): Body {
  return { peer, blocks: [], length: 0, at: 0, lastId: -1, isWhole: false };
}

function refused(code: number, options: readonly CoapOption[] = []): Taken {
  return { kind: 'answer', answer: { code, options } };
}
