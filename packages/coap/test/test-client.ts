// The client's side of DTLS 1.2 with a pre-shared key (RFC 6347, RFC 4279), as far as tests need one that does what no good client does.
import { randomBytes } from 'node:crypto';
import { CIPHER_SUITES, type CipherSuite, openFragment, sealFragment } from '../src/dtls/cipher-suite.ts';
import { HANDSHAKE, readFragments, writeHandshake } from '../src/dtls/handshake-message.ts';
import { masterSecret, type SessionKeys, sessionKeys, verifyData } from '../src/dtls/key-schedule.ts';
import { CONTENT, readRecords, writeRecord } from '../src/dtls/record.ts';

export interface TestClientOptions {
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
  readonly suites?: readonly number[];
  readonly extendedMasterSecret?: boolean;
  /** Bytes of a fragment of a handshake message; default: in one piece. */
  readonly fragmentBytes?: number;
}

/** Pure: `start` gives the first datagram, `receive` takes one and gives those that answer it. */
export class TestClient {
  readonly #options: TestClientOptions;
  readonly #random = randomBytes(32);
  #serverRandom: Uint8Array = new Uint8Array(32);
  #suite: CipherSuite | undefined;
  #transcript: Buffer[] = [];
  #messageSequence = 0;
  #sequence = 0;
  #sealedSequence = 0;
  #keys: SessionKeys | undefined;
  #master: Uint8Array | undefined;
  isDone = false;
  readonly alerts: number[] = [];
  readonly received: Buffer[] = [];

  constructor(options: TestClientOptions) {
    this.#options = options;
  }

  start(): Buffer {
    return this.#hello(new Uint8Array(0));
  }

  receive(datagram: Uint8Array): Buffer[] {
    const out: Buffer[] = [];
    for (const record of readRecords(datagram)) {
      if (record.epoch === 1) {
        const text = this.#keys === undefined ? undefined : openFragment(this.#keys.server, record);
        if (text === undefined) continue;
        if (record.type === CONTENT.handshake) this.#finish(text);
        else if (record.type === CONTENT.applicationData) this.received.push(text);
        else if (record.type === CONTENT.alert) this.alerts.push(text[1] as number);
      } else if (record.type === CONTENT.alert) this.alerts.push(record.fragment[1] as number);
      else if (record.type === CONTENT.handshake) {
        for (const { type, sequence, bytes } of readFragments(record.fragment) ?? []) {
          if (type === HANDSHAKE.helloVerifyRequest) out.push(this.#hello(bytes.subarray(3)));
          else if (type === HANDSHAKE.serverHello) {
            this.#serverRandom = Uint8Array.from(bytes.subarray(2, 34));
            const id = ((bytes[35] as number) << 8) | (bytes[36] as number);
            this.#suite = CIPHER_SUITES.find((suite) => suite.id === id);
            this.#transcript.push(writeHandshake(type, sequence, bytes));
          } else if (type === HANDSHAKE.serverHelloDone) {
            this.#transcript.push(writeHandshake(type, sequence, bytes));
            if (this.#keys === undefined) out.push(...this.#flight());
          }
        }
      }
    }
    return out;
  }

  seal(text: Uint8Array, type: number = CONTENT.applicationData): Buffer {
    if (this.#keys === undefined) throw new Error('no keys yet');
    const meta = { type, epoch: 1, sequence: this.#sealedSequence++ };
    return writeRecord({ ...meta, fragment: sealFragment(this.#keys.client, meta, text) });
  }

  #hello(cookie: Uint8Array): Buffer {
    const { suites = CIPHER_SUITES.map(({ id }) => id), extendedMasterSecret = true } = this.#options;
    const extensions = extendedMasterSecret ? [0, 4, 0, 23, 0, 0] : [];
    const body = Buffer.concat([
      Uint8Array.of(0xfe, 0xfd),
      this.#random,
      Uint8Array.of(0, cookie.length),
      cookie,
      Uint8Array.of(
        0,
        suites.length * 2,
        ...suites.flatMap((id) => [id >> 8, id & 0xff]),
        1,
        0,
        ...extensions,
      ),
    ]);
    this.#transcript = [writeHandshake(HANDSHAKE.clientHello, this.#messageSequence, body)];
    this.#messageSequence++;
    const fragment = this.#transcript[0] as Buffer;
    return writeRecord({ type: CONTENT.handshake, epoch: 0, sequence: this.#sequence++, fragment });
  }

  #flight(): Buffer[] {
    const { identity, key, extendedMasterSecret = true, fragmentBytes } = this.#options;
    const suite = this.#suite;
    if (suite === undefined) throw new Error('no suite');
    const exchange = Buffer.concat([Uint8Array.of(identity.length >> 8, identity.length & 0xff), identity]);
    const message = writeHandshake(HANDSHAKE.clientKeyExchange, this.#messageSequence++, exchange);
    this.#transcript.push(message);
    const randoms = { client: this.#random, server: this.#serverRandom };
    const transcript = extendedMasterSecret ? Buffer.concat(this.#transcript) : undefined;
    this.#master = masterSecret(key, randoms, transcript);
    this.#keys = sessionKeys(this.#master, randoms, suite);
    const verify = verifyData(this.#master, 'client', Buffer.concat(this.#transcript));
    const finished = writeHandshake(HANDSHAKE.finished, this.#messageSequence++, verify);
    this.#transcript.push(finished);
    return [
      ...fragmented(message, fragmentBytes).map((fragment) =>
        writeRecord({ type: CONTENT.handshake, epoch: 0, sequence: this.#sequence++, fragment }),
      ),
      writeRecord({
        type: CONTENT.changeCipherSpec,
        epoch: 0,
        sequence: this.#sequence++,
        fragment: Uint8Array.of(1),
      }),
      this.seal(finished, CONTENT.handshake),
    ];
  }

  #finish(text: Uint8Array): void {
    const message = readFragments(text)?.[0];
    if (message?.type !== HANDSHAKE.finished || this.#master === undefined) return;
    const expected = verifyData(this.#master, 'server', Buffer.concat(this.#transcript));
    this.isDone = Buffer.compare(Buffer.from(message.bytes), expected) === 0;
  }
}

function fragmented(message: Buffer, size: number | undefined): Buffer[] {
  if (size === undefined) return [message];
  const body = message.subarray(12);
  const parts: Buffer[] = [];
  for (let offset = 0; offset < body.length; offset += size) {
    const part = body.subarray(offset, offset + size);
    const head = Buffer.from(message.subarray(0, 12));
    head.writeUIntBE(offset, 6, 3);
    head.writeUIntBE(part.length, 9, 3);
    parts.push(Buffer.concat([head, part]));
  }
  return parts;
}
