// The server's side of a handshake with a pre-shared key, from the ClientHello whose cookie was right: RFC 6347 §4.2.4, RFC 4279 §2.
import { timingSafeEqual } from 'node:crypto';
import type { AlertName } from './alert.ts';
import { type CipherSuite, openFragment, sealFragment } from './cipher-suite.ts';
import { answeredExtensions, type ClientHello } from './client-hello.ts';
import { HANDSHAKE, readFragments, writeHandshake } from './handshake-message.ts';
import { masterSecret, type SessionKeys, sessionKeys, verifyData } from './key-schedule.ts';
import { createReassembly, type HandshakeMessage, type Reassembly } from './reassembly.ts';
import { CONTENT, DTLS_1_2, type DtlsRecord, writeRecord } from './record.ts';

/** What an identity stands for: its key, and whoever holds it. */
export interface Psk<Holder> {
  readonly key: Uint8Array;
  readonly holder: Holder;
}

/** Undefined: nobody goes by that identity. */
export type PskLookup<Holder, From = void> = (
  identity: Uint8Array,
  from: From,
) => Psk<Holder> | undefined | Promise<Psk<Holder> | undefined>;

export type HandshakeFault =
  | 'malformed_message'
  | 'unexpected_message'
  | 'unknown_identity'
  | 'wrong_key'
  | 'lookup_failed'
  | 'timed_out';

export interface Established<Holder> {
  readonly holder: Holder;
  readonly keys: SessionKeys;
  readonly suite: CipherSuite;
  /** For who has not got it: changes the cipher and finishes, the second part sealed under this number. */
  readonly lastFlight: (sealedAs: number) => readonly Uint8Array[];
  /** Numbers of records that were taken in the new epoch. */
  readonly taken: readonly number[];
}

export interface HandshakeDeps<Holder> {
  readonly hello: ClientHello;
  /** Of the message, which is 1 after a HelloVerifyRequest, and of its record: ours go on from there. */
  readonly helloSequence: number;
  readonly helloBody: Uint8Array;
  readonly recordSequence: number;
  readonly suite: CipherSuite;
  readonly random: (size: number) => Uint8Array;
  readonly lookup: PskLookup<Holder>;
  readonly send: (datagram: Uint8Array) => void;
  readonly done: (established: Established<Holder>) => void;
  readonly failed: (fault: HandshakeFault, alert: AlertName) => void;
}

const EARLY_RECORDS = 4;
/** Flights said again because a client seems to ask for it: of what comes in the clear anybody may be the author, who would drown it. */
const MOST_REPEATS = 4;
const RANDOM_BYTES = 32;

export class Handshake<Holder> {
  readonly #deps: HandshakeDeps<Holder>;
  readonly #random: Uint8Array;
  readonly #messages: Reassembly;
  readonly #transcript: Buffer[] = [];
  #recordSequence: number;
  #serverSequence: number;
  #flight: readonly { readonly type: number; readonly fragment: Uint8Array }[];
  /** Records of the new epoch that came before its keys were there. */
  #early: DtlsRecord[] = [];
  #repeats = 0;
  #isLookingUp = false;
  #over = false;
  #secured:
    | { readonly keys: SessionKeys; readonly master: Uint8Array; readonly psk: Psk<Holder> }
    | undefined;
  readonly #finished: Reassembly;
  readonly #taken: number[] = [];

  constructor(deps: HandshakeDeps<Holder>) {
    this.#deps = deps;
    this.#random = deps.random(RANDOM_BYTES);
    this.#messages = createReassembly(deps.helloSequence + 1);
    // The client's second message is its Finished, which comes in the new epoch.
    this.#finished = createReassembly(deps.helloSequence + 2);
    this.#recordSequence = deps.recordSequence;
    this.#serverSequence = deps.helloSequence;
    this.#transcript.push(writeHandshake(HANDSHAKE.clientHello, deps.helloSequence, deps.helloBody));
    this.#flight = [
      this.#say(HANDSHAKE.serverHello, this.#serverHello()),
      this.#say(HANDSHAKE.serverHelloDone, new Uint8Array(0)),
    ].map((fragment) => ({ type: CONTENT.handshake, fragment }));
    this.sendFlight();
  }

  /** Sends what the client should have got by now. */
  sendFlight(): void {
    if (this.#over) return;
    const records = this.#flight.map(({ type, fragment }) =>
      writeRecord({ type, epoch: 0, sequence: this.#recordSequence++, fragment }),
    );
    this.#deps.send(Buffer.concat(records));
  }

  /** RFC 6347 §4.2.4: the client says again what it said, so ours was lost. */
  repeatFlight(): void {
    if (this.#repeats++ < MOST_REPEATS) this.sendFlight();
  }

  receive(record: DtlsRecord): void {
    if (this.#over) return;
    if (record.epoch === 1) this.#receiveSealed(record);
    else if (record.epoch === 0 && record.type === CONTENT.handshake) this.#receivePlain(record);
    // Of other records in the clear anybody may be the author: an alert among them ends nothing, time does.
  }

  /** A plain alert, in the numbers that are ours to use. */
  alertRecord(fragment: Uint8Array): Uint8Array {
    return writeRecord({ type: CONTENT.alert, epoch: 0, sequence: this.#recordSequence++, fragment });
  }

  /** Nothing is sent or told from here on. */
  end(): void {
    this.#over = true;
    this.#early = [];
  }

  #fail(fault: HandshakeFault, alert: AlertName): void {
    if (this.#over) return;
    this.#over = true;
    this.#deps.failed(fault, alert);
  }

  #serverHello(): Uint8Array {
    const { hello, suite } = this.#deps;
    const head = Buffer.alloc(2 + RANDOM_BYTES + 1 + 2 + 1);
    head.writeUInt16BE(DTLS_1_2, 0);
    head.set(this.#random, 2);
    // No session id: nothing is resumed.
    head.writeUInt8(0, 2 + RANDOM_BYTES);
    head.writeUInt16BE(suite.id, 3 + RANDOM_BYTES);
    return Buffer.concat([head, answeredExtensions(hello)]);
  }

  #say(type: number, body: Uint8Array): Buffer {
    const message = writeHandshake(type, this.#serverSequence++, body);
    this.#transcript.push(message);
    return message;
  }

  #receivePlain(record: DtlsRecord): void {
    const fragments = readFragments(record.fragment);
    // RFC 6347 §4.1.2.7: in the clear anybody may have sent it.
    if (fragments === undefined) return;
    if (fragments.some(({ sequence, offset }) => sequence < this.#messages.next && offset === 0))
      this.repeatFlight();
    for (const fragment of fragments) {
      for (const message of this.#messages.add(fragment)) this.#take(message);
    }
  }

  #take(message: HandshakeMessage): void {
    if (this.#over || this.#isLookingUp || this.#secured !== undefined) return;
    const identity = message.type === HANDSHAKE.clientKeyExchange ? identityOf(message.body) : undefined;
    if (identity === undefined) {
      const isOther = message.type !== HANDSHAKE.clientKeyExchange;
      return this.#fail(
        isOther ? 'unexpected_message' : 'malformed_message',
        isOther ? 'handshake_failure' : 'decode_error',
      );
    }
    this.#transcript.push(writeHandshake(message.type, message.sequence, message.body));
    this.#isLookingUp = true;
    const found = this.#deps.lookup(identity);
    if (!(found instanceof Promise)) return this.#secure(found);
    found.then(
      (psk) => this.#secure(psk),
      () => this.#fail('lookup_failed', 'internal_error'),
    );
  }

  #secure(psk: Psk<Holder> | undefined): void {
    if (this.#over) return;
    // RFC 9202 §3.3.2.
    if (psk === undefined) return this.#fail('unknown_identity', 'illegal_parameter');
    const { hello, suite } = this.#deps;
    const randoms = { client: hello.random, server: this.#random };
    const transcript = hello.extendedMasterSecret ? Buffer.concat(this.#transcript) : undefined;
    const master = masterSecret(psk.key, randoms, transcript);
    this.#secured = { keys: sessionKeys(master, randoms, suite), master, psk };
    for (const record of this.#early.splice(0)) this.#receiveSealed(record);
  }

  #receiveSealed(record: DtlsRecord): void {
    if (this.#over) return;
    if (this.#secured === undefined) {
      if (this.#early.length < EARLY_RECORDS)
        this.#early.push({ ...record, fragment: Uint8Array.from(record.fragment) });
      return;
    }
    if (record.type !== CONTENT.handshake) return;
    const text = openFragment(this.#secured.keys.client, record);
    // The first thing that a client seals is its Finished: who has another key is told (RFC 4279 §2), and need not wait.
    if (text === undefined) return this.#fail('wrong_key', 'decrypt_error');
    this.#taken.push(record.sequence);
    for (const fragment of readFragments(text) ?? []) {
      for (const message of this.#finished.add(fragment)) this.#finish(message);
    }
  }

  #finish({ type, sequence, body }: HandshakeMessage): void {
    const secured = this.#secured;
    if (this.#over || secured === undefined) return;
    if (type !== HANDSHAKE.finished) return this.#fail('unexpected_message', 'handshake_failure');
    const expected = verifyData(secured.master, 'client', Buffer.concat(this.#transcript));
    if (body.length !== expected.length || !timingSafeEqual(body, expected))
      return this.#fail('wrong_key', 'decrypt_error');
    this.#transcript.push(writeHandshake(type, sequence, body));
    const finished = verifyData(secured.master, 'server', Buffer.concat(this.#transcript));
    const message = writeHandshake(HANDSHAKE.finished, this.#serverSequence, finished);
    const { keys, psk } = secured;
    const { suite } = this.#deps;
    this.#over = true;
    const lastFlight = (sealedAs: number): readonly Uint8Array[] => {
      const sealed = { type: CONTENT.handshake, epoch: 1, sequence: sealedAs };
      return [
        writeRecord({
          type: CONTENT.changeCipherSpec,
          epoch: 0,
          sequence: this.#recordSequence++,
          fragment: Uint8Array.of(1),
        }),
        writeRecord({ ...sealed, fragment: sealFragment(keys.server, sealed, message) }),
      ];
    };
    this.#deps.done({ holder: psk.holder, keys, suite, lastFlight, taken: this.#taken });
  }
}

/** RFC 4279 §2: the identity with its length. */
function identityOf(body: Uint8Array): Uint8Array | undefined {
  const length = body.length < 2 ? -1 : ((body[0] as number) << 8) | (body[1] as number);
  return length === body.length - 2 && length > 0 ? body.subarray(2) : undefined;
}
