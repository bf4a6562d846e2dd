// Associations without a socket and with time in hand, and who talks to them.
import {
  type Associations,
  createAssociations,
  DTLS_LIMITS,
  type DtlsLimits,
} from '../src/dtls/associations.ts';
import { CIPHER_SUITES } from '../src/dtls/cipher-suite.ts';
import type { HandshakeFault, PskLookup } from '../src/dtls/handshake.ts';
import type { DtlsSession, Peer, SessionEnd } from '../src/dtls/session.ts';
import { TestClient, type TestClientOptions } from './test-client.ts';

export const KEY: Uint8Array = Buffer.from('0123456789abcdef0123456789abcdef');
export const IDENTITY: Uint8Array = Buffer.from('lamp');

export interface DtlsScene {
  readonly associations: Associations;
  readonly sessions: DtlsSession<string>[];
  readonly messages: string[];
  readonly ends: SessionEnd[];
  readonly faults: HandshakeFault[];
  /** What was sent and not taken yet. */
  readonly sent: { readonly datagram: Uint8Array; readonly peer: Peer }[];
  /** Milliseconds go by. */
  pass(ms: number): void;
  /** A client that shakes hands until nothing more is said. */
  shake(change?: Partial<TestClientOptions>, peer?: Peer): Promise<TestClient>;
  /** Hands the client what was sent to it, and back what it answers, until nothing more is said. */
  settle(client: TestClient, peer: Peer): Promise<void>;
}

export function openDtlsScene(limits: Partial<DtlsLimits> = {}, lookup?: PskLookup<string, Peer>): DtlsScene {
  let now = 0;
  let seed = 1;
  const sessions: DtlsSession<string>[] = [];
  const messages: string[] = [];
  const ends: SessionEnd[] = [];
  const faults: HandshakeFault[] = [];
  const sent: DtlsScene['sent'] = [];
  const associations = createAssociations<string>({
    lookup:
      lookup ??
      ((identity) => (Buffer.compare(identity, IDENTITY) === 0 ? { key: KEY, holder: 'lamp' } : undefined)),
    opened(session) {
      sessions.push(session);
      return {
        message: (bytes) => void messages.push(Buffer.from(bytes).toString('latin1')),
        ended: (why) => void ends.push(why),
      };
    },
    send: (datagram, peer) => void sent.push({ datagram, peer }),
    refused: (fault) => void faults.push(fault),
    random: (size) =>
      Uint8Array.from({ length: size }, () => (seed = (seed * 48_271) % 2_147_483_647) & 0xff),
    now: () => now,
    limits: { ...DTLS_LIMITS, ...limits },
    suites: CIPHER_SUITES,
  });
  const scene: DtlsScene = {
    associations,
    sessions,
    messages,
    ends,
    faults,
    sent,
    pass(ms) {
      now += ms;
      associations.tick();
    },
    async shake(change = {}, peer = { address: '192.0.2.1', port: 4000 }) {
      const client = new TestClient({ identity: IDENTITY, key: KEY, ...change });
      associations.receive(client.start(), peer);
      await scene.settle(client, peer);
      return client;
    },
    async settle(client, peer) {
      for (let rounds = 0; rounds < 10; rounds++) {
        // A lookup may take a turn.
        await new Promise((resolve) => setImmediate(resolve));
        const own = sent.filter((each) => each.peer.address === peer.address && each.peer.port === peer.port);
        if (own.length === 0) return;
        for (const each of own) sent.splice(sent.indexOf(each), 1);
        for (const { datagram } of own)
          for (const answer of client.receive(datagram)) associations.receive(answer, peer);
      }
    },
  };
  return scene;
}
