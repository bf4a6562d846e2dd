// Everybody who talks DTLS to one socket: who is shaking hands, who has a session, and how many that may be. RFC 6347 §4.2.1, §4.2.8.
import { type AlertName, writeAlert } from './alert.ts';
import type { CipherSuite } from './cipher-suite.ts';
import { type ClientHello, readClientHello } from './client-hello.ts';
import { createCookies } from './cookie.ts';
import { Handshake, type HandshakeFault, type PskLookup } from './handshake.ts';
import { type Fragment, HANDSHAKE, readFragments, writeHandshake } from './handshake-message.ts';
import { CONTENT, DTLS_1_0, DTLS_1_2, type DtlsRecord, readRecords, writeRecord } from './record.ts';
import { type DtlsSession, type Peer, Session, type SessionEvents } from './session.ts';
import { createSourceBudget } from './source-budget.ts';

export interface DtlsLimits {
  /** Handshakes under way, of all and of one address. */
  readonly handshakes: number;
  readonly handshakesPerAddress: number;
  /** Milliseconds for one. */
  readonly handshakeMs: number;
  readonly sessions: number;
  readonly sessionsPerAddress: number;
  /** Milliseconds of silence after which a session is ended. */
  readonly idleMs: number;
  /** ClientHellos of one address: so many a second, and at once. */
  readonly hellosPerSecond: number;
  readonly helloBurst: number;
}

export const DTLS_LIMITS: DtlsLimits = {
  handshakes: 512,
  handshakesPerAddress: 64,
  handshakeMs: 15_000,
  sessions: 10_000,
  sessionsPerAddress: 1_000,
  idleMs: 3_600_000,
  hellosPerSecond: 50,
  helloBurst: 200,
};

export interface AssociationsDeps<Holder> {
  readonly lookup: PskLookup<Holder, Peer>;
  /** Says who has come, and is told by whom to hear of it. */
  readonly opened: (session: DtlsSession<Holder>) => SessionEvents;
  readonly send: (datagram: Uint8Array, peer: Peer) => void;
  readonly refused?: ((fault: HandshakeFault, peer: Peer) => void) | undefined;
  readonly random: (size: number) => Uint8Array;
  /** Milliseconds that only grow. */
  readonly now: () => number;
  readonly limits: DtlsLimits;
  /** In the order of preference. */
  readonly suites: readonly CipherSuite[];
}

export interface Associations {
  receive(datagram: Uint8Array, peer: Peer): void;
  /** To be called ten times a second: repeats what was lost, ends what is over. */
  tick(): void;
  readonly handshakes: number;
  readonly sessions: number;
  /** Ends every session with a close_notify. */
  close(): void;
}

interface Pending<Holder> {
  readonly peer: Peer;
  readonly handshake: Handshake<Holder>;
  readonly cookie: Uint8Array;
  readonly startedAt: number;
  repeatAt: number;
  repeatAfter: number;
}

const FIRST_REPEAT_MS = 1000;
/** What is longer than a record may be on the way here is not read. */
const MAX_DATAGRAM_BYTES = 8192;

export function createAssociations<Holder>(deps: AssociationsDeps<Holder>): Associations {
  const { limits, now, send } = deps;
  const cookies = createCookies(deps.random, now);
  const budget = createSourceBudget(limits.hellosPerSecond, limits.helloBurst, now);
  const pending = new Map<string, Pending<Holder>>();
  const sessions = new Map<string, Session<Holder>>();
  const counts = { handshakes: new Map<string, number>(), sessions: new Map<string, number>() };

  function receive(datagram: Uint8Array, peer: Peer): void {
    if (datagram.length > MAX_DATAGRAM_BYTES) return;
    const key = keyOf(peer);
    for (const record of readRecords(datagram)) {
      const hello = helloIn(record);
      if (hello !== undefined) greet(key, peer, record, hello);
      else if (record.epoch === 0) pending.get(key)?.handshake.receive(record);
      else route(key, record);
    }
  }

  /** Of two with the same address, the new one is known by its handshake: until it is done the old one goes on. */
  function route(key: string, record: DtlsRecord): void {
    const handshake = pending.get(key)?.handshake;
    const session = sessions.get(key);
    if (handshake !== undefined && (session === undefined || record.type === CONTENT.handshake))
      handshake.receive(record);
    else if (session !== undefined) {
      session.receive(record, now());
      forgetIfOver(key, session);
    }
  }

  /** RFC 6347 §4.2.1: nothing is remembered of who has not shown that it hears us. */
  function greet(key: string, peer: Peer, record: DtlsRecord, fragment: Fragment): void {
    const hello = readClientHello(fragment.bytes);
    if (hello === undefined || !budget.take(peer.address)) return;
    if (!cookies.isGood(peerText(peer), hello)) return verify(peer, record, hello);
    const current = pending.get(key);
    if (current !== undefined && Buffer.compare(current.cookie, hello.cookie) === 0)
      return current.handshake.repeatFlight();
    const suite = deps.suites.find(({ id }) => hello.cipherSuites.includes(id));
    const fault: AlertName | undefined =
      hello.version > DTLS_1_2 ? 'protocol_version' : suite === undefined ? 'handshake_failure' : undefined;
    if (suite === undefined || fault !== undefined) return say(peer, record, fault ?? 'handshake_failure');
    if (current !== undefined) drop(key, current);
    if (pending.size >= limits.handshakes) return;
    if ((counts.handshakes.get(peer.address) ?? 0) >= limits.handshakesPerAddress) return;
    begin(key, peer, record, { hello, fragment, suite });
  }

  function verify(peer: Peer, { sequence }: DtlsRecord, hello: ClientHello): void {
    const cookie = cookies.make(peerText(peer), hello);
    // RFC 6347 §4.2.1: DTLS 1.0, whatever version will be agreed on.
    const body = Buffer.concat([Uint8Array.of(DTLS_1_0 >> 8, DTLS_1_0 & 0xff, cookie.length), cookie]);
    const fragment = writeHandshake(HANDSHAKE.helloVerifyRequest, 0, body);
    send(writeRecord({ type: CONTENT.handshake, epoch: 0, sequence, fragment }, DTLS_1_0), peer);
  }

  function say(peer: Peer, { sequence }: DtlsRecord, alert: AlertName): void {
    send(writeRecord({ type: CONTENT.alert, epoch: 0, sequence, fragment: writeAlert(alert) }), peer);
  }

  function begin(
    key: string,
    peer: Peer,
    record: DtlsRecord,
    {
      hello,
      fragment,
      suite,
    }: { readonly hello: ClientHello; readonly fragment: Fragment; readonly suite: CipherSuite },
  ): void {
    const handshake: Handshake<Holder> = new Handshake({
      hello: kept(hello),
      helloSequence: fragment.sequence,
      helloBody: Uint8Array.from(fragment.bytes),
      recordSequence: record.sequence,
      suite,
      random: deps.random,
      lookup: (identity) => deps.lookup(identity, peer),
      send: (datagram) => send(datagram, peer),
      done(established) {
        remove(key);
        const old = sessions.get(key);
        old?.end('replaced');
        if (old !== undefined) forgetIfOver(key, old);
        if (
          sessions.size >= limits.sessions ||
          (counts.sessions.get(peer.address) ?? 0) >= limits.sessionsPerAddress
        )
          return;
        const session = new Session(peer, established, (datagram) => send(datagram, peer), now());
        sessions.set(key, session);
        count(counts.sessions, peer.address, 1);
        session.events = deps.opened(session);
        forgetIfOver(key, session);
      },
      failed(fault, alert) {
        remove(key);
        send(handshake.alertRecord(writeAlert(alert)), peer);
        deps.refused?.(fault, peer);
      },
    });
    const at = now();
    const cookie = Uint8Array.from(hello.cookie);
    pending.set(key, {
      peer,
      handshake,
      cookie,
      startedAt: at,
      repeatAt: at + FIRST_REPEAT_MS,
      repeatAfter: FIRST_REPEAT_MS,
    });
    count(counts.handshakes, peer.address, 1);
  }

  function remove(key: string): void {
    const entry = pending.get(key);
    if (entry === undefined) return;
    pending.delete(key);
    count(counts.handshakes, entry.peer.address, -1);
  }

  function drop(key: string, { handshake }: Pending<Holder>): void {
    handshake.end();
    remove(key);
  }

  function forgetIfOver(key: string, session: Session<Holder>): void {
    if (!session.isOver || sessions.get(key) !== session) return;
    sessions.delete(key);
    count(counts.sessions, session.peer.address, -1);
  }

  return {
    receive,
    tick() {
      const at = now();
      for (const [key, entry] of pending) {
        if (at - entry.startedAt >= limits.handshakeMs) {
          drop(key, entry);
          deps.refused?.('timed_out', entry.peer);
        } else if (at >= entry.repeatAt) {
          entry.repeatAfter *= 2;
          entry.repeatAt = at + entry.repeatAfter;
          entry.handshake.sendFlight();
        }
      }
      for (const [key, session] of sessions) {
        if (at - session.heardAt >= limits.idleMs) session.end('idle');
        forgetIfOver(key, session);
      }
    },
    get handshakes() {
      return pending.size;
    },
    get sessions() {
      return sessions.size;
    },
    close() {
      for (const [key, entry] of pending) drop(key, entry);
      for (const [key, session] of sessions) {
        session.end('closed_here');
        forgetIfOver(key, session);
      }
    },
  };
}

/** A ClientHello in the clear and in one piece: that of a pre-shared key is short (RFC 6347 §4.2.3 lets a server ask for it). */
function helloIn(record: DtlsRecord): Fragment | undefined {
  if (record.epoch !== 0 || record.type !== CONTENT.handshake) return undefined;
  const fragment = readFragments(record.fragment)?.[0];
  if (fragment?.type !== HANDSHAKE.clientHello || fragment.bytes.length !== fragment.length) return undefined;
  return fragment;
}

/** Apart from the datagram that it came in. */
function kept(hello: ClientHello): ClientHello {
  return {
    ...hello,
    random: Uint8Array.from(hello.random),
    sessionId: new Uint8Array(0),
    cookie: new Uint8Array(0),
  };
}

function keyOf({ address, port }: Peer): string {
  return `${address}|${port}`;
}

const peerText = keyOf;

function count(counts: Map<string, number>, address: string, by: number): void {
  const next = (counts.get(address) ?? 0) + by;
  if (next <= 0) counts.delete(address);
  else counts.set(address, next);
}
