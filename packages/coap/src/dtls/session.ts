// A DTLS association after its handshake: RFC 6347 §4.1, its end RFC 5246 §7.2.1.
import { endsSession, writeAlert } from './alert.ts';
import { openFragment, sealFragment } from './cipher-suite.ts';
import type { Established } from './handshake.ts';
import { HANDSHAKE, readFragments } from './handshake-message.ts';
import { CONTENT, type DtlsRecord, writeRecord } from './record.ts';
import { createReplayWindow } from './replay-window.ts';

export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** Why a session is over. */
export type SessionEnd = 'closed_by_peer' | 'closed_here' | 'idle' | 'replaced' | 'numbers_used_up';

export interface DtlsSession<Holder> {
  readonly peer: Peer;
  /** Whoever has the key, as the lookup of its identity said. */
  readonly holder: Holder;
  readonly cipherSuite: string;
  /** Sends one datagram; nothing once the session is over. */
  send(message: Uint8Array): void;
  /** Says so to the peer (close_notify), and ends it. */
  close(): void;
}

/** What a session tells whoever uses it. */
export interface SessionEvents {
  /** One datagram that the peer sealed, once. */
  message(message: Uint8Array): void;
  ended(why: SessionEnd): void;
}

/** RFC 6347 §4.1: a number is never used twice, and sessions do not come near that. */
const LAST_NUMBER = 2 ** 48 - 1;
/** Answers to a repeated Finished, which a lost flight explains; more would be somebody who plays it back. */
const MOST_REPEATS = 8;

export class Session<Holder> implements DtlsSession<Holder> {
  readonly peer: Peer;
  readonly holder: Holder;
  readonly cipherSuite: string;
  /** Milliseconds. */
  heardAt: number;
  events: SessionEvents | undefined;
  readonly #established: Established<Holder>;
  readonly #transmit: (datagram: Uint8Array) => void;
  readonly #window = createReplayWindow();
  #sequence = 0;
  #repeats = 0;
  #over = false;

  constructor(
    peer: Peer,
    established: Established<Holder>,
    transmit: (datagram: Uint8Array) => void,
    now: number,
  ) {
    this.peer = peer;
    this.holder = established.holder;
    this.cipherSuite = established.suite.name;
    this.heardAt = now;
    this.#established = established;
    this.#transmit = transmit;
    for (const sequence of established.taken) this.#window.took(sequence);
    this.#sendLastFlight();
  }

  get isOver(): boolean {
    return this.#over;
  }

  send(message: Uint8Array): void {
    if (!this.#over) this.#seal(CONTENT.applicationData, message);
  }

  close(): void {
    this.end('closed_here');
  }

  end(why: SessionEnd): void {
    if (this.#over) return;
    if (why !== 'replaced' && why !== 'closed_by_peer') this.#seal(CONTENT.alert, writeAlert('close_notify'));
    this.#over = true;
    this.events?.ended(why);
  }

  /** What is not sealed by the peer, or was here before, changes nothing. */
  receive(record: DtlsRecord, now: number): void {
    if (this.#over || record.epoch !== 1 || !this.#window.mayTake(record.sequence)) return;
    const text = openFragment(this.#established.keys.client, record);
    if (text === undefined) return;
    this.#window.took(record.sequence);
    this.heardAt = now;
    if (record.type === CONTENT.applicationData) this.events?.message(text);
    else if (record.type === CONTENT.alert) {
      if (!endsSession(text)) return;
      // RFC 5246 §7.2.1: answered in kind.
      this.#seal(CONTENT.alert, writeAlert('close_notify'));
      this.end('closed_by_peer');
    } else if (record.type === CONTENT.handshake) this.#handshakeAgain(text);
  }

  #handshakeAgain(text: Uint8Array): void {
    const type = readFragments(text)?.[0]?.type;
    // RFC 6347 §4.2.4: it has not got our last flight.
    if (type === HANDSHAKE.finished && this.#repeats++ < MOST_REPEATS) this.#sendLastFlight();
    // RFC 9325 §3.5: keys are not changed within a session; a client begins a new one.
    else if (type === HANDSHAKE.clientHello) this.#seal(CONTENT.alert, writeAlert('no_renegotiation'));
  }

  #sendLastFlight(): void {
    this.#transmit(Buffer.concat(this.#established.lastFlight(this.#sequence++)));
  }

  #seal(type: number, text: Uint8Array): void {
    if (this.#sequence >= LAST_NUMBER) {
      this.#over = true;
      this.events?.ended('numbers_used_up');
      return;
    }
    const meta = { type, epoch: 1, sequence: this.#sequence++ };
    this.#transmit(
      writeRecord({ ...meta, fragment: sealFragment(this.#established.keys.server, meta, text) }),
    );
  }
}
