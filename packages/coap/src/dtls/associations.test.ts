// What a DTLS server does with good clients, bad ones and strangers: RFC 6347 §4, RFC 4279 §2, RFC 7627, RFC 5746.
import { describe, expect, it } from 'vitest';
import { IDENTITY, KEY, openDtlsScene } from '../../test/dtls-scene.ts';
import { TestClient } from '../../test/test-client.ts';
import { ALERT } from './alert.ts';
import { CIPHER_SUITES } from './cipher-suite.ts';
import { HANDSHAKE, writeHandshake } from './handshake-message.ts';
import { CONTENT, writeRecord } from './record.ts';

const PEER = { address: '192.0.2.1', port: 4000 };

describe('a handshake', () => {
  it.each(CIPHER_SUITES.flatMap(({ id, name }) => [true, false].map((extended) => ({ id, name, extended }))))(
    'is done with $name, extended master secret: $extended',
    async ({ id, extended, name }) => {
      const scene = openDtlsScene();
      const client = await scene.shake({ suites: [id], extendedMasterSecret: extended });
      expect(client.isDone).toBe(true);
      expect(scene.sessions.map(({ holder, cipherSuite }) => [holder, cipherSuite])).toEqual([
        ['lamp', name],
      ]);
      scene.associations.receive(client.seal(Buffer.from('hello')), PEER);
      expect(scene.messages).toEqual(['hello']);
      scene.sessions[0]?.send(Buffer.from('good day'));
      await scene.settle(client, PEER);
      expect(client.received.map(String)).toEqual(['good day']);
      expect(scene.associations.handshakes).toBe(0);
    },
  );

  it('is done whatever a message is cut into', async () => {
    for (const fragmentBytes of [1, 2, 3, 5]) {
      const client = await openDtlsScene().shake({ fragmentBytes });
      expect(client.isDone).toBe(true);
    }
  });

  it('is done with a key that takes a while to find, and what came meanwhile counts', async () => {
    const scene = openDtlsScene({}, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return { key: KEY, holder: 'slow' };
    });
    expect((await scene.shake()).isDone).toBe(true);
  });

  it('remembers nothing of who has not shown that it hears us', () => {
    const scene = openDtlsScene();
    for (let port = 1; port <= 150; port++) {
      const client = new TestClient({ identity: IDENTITY, key: KEY });
      scene.associations.receive(client.start(), { address: '192.0.2.9', port });
    }
    expect(scene.associations.handshakes).toBe(0);
    expect(scene.sent.length).toBe(150);
    // Less goes out than came in: nobody is drowned by it.
    const hello = new TestClient({ identity: IDENTITY, key: KEY }).start();
    expect(scene.sent[0]?.datagram.length).toBeLessThan(hello.length);
  });

  it('is not begun with the cookie of another address, nor with an old one', async () => {
    const scene = openDtlsScene();
    const client = new TestClient({ identity: IDENTITY, key: KEY });
    scene.associations.receive(client.start(), PEER);
    const [again] = client.receive(scene.sent[0]?.datagram as Uint8Array);
    scene.associations.receive(again as Buffer, { ...PEER, port: 4001 });
    expect(scene.associations.handshakes).toBe(0);
    scene.pass(130_000);
    scene.associations.receive(again as Buffer, PEER);
    expect(scene.associations.handshakes).toBe(0);
  });

  it('ends with an alert for an identity that nobody goes by, and for a wrong key', async () => {
    const scene = openDtlsScene();
    const nobody = await scene.shake({ identity: Buffer.from('nobody') });
    expect(nobody.alerts).toEqual([ALERT.illegal_parameter]);
    const wrong = await scene.shake({ key: Buffer.alloc(32) });
    expect(wrong.alerts).toEqual([ALERT.decrypt_error]);
    expect(scene.faults).toEqual(['unknown_identity', 'wrong_key']);
    expect([scene.associations.handshakes, scene.associations.sessions]).toEqual([0, 0]);
  });

  it('ends with an alert where no cipher suite is common', async () => {
    const client = await openDtlsScene().shake({ suites: [0xc02b] });
    expect(client.alerts).toEqual([ALERT.handshake_failure]);
  });

  it('says again what was lost, more and more seldom, and is given up after a while', async () => {
    const scene = openDtlsScene();
    const client = new TestClient({ identity: IDENTITY, key: KEY });
    scene.associations.receive(client.start(), PEER);
    const [again] = client.receive(scene.sent.shift()?.datagram as Uint8Array);
    scene.associations.receive(again as Buffer, PEER);
    const times: number[] = [];
    for (let ms = 0; ms < 20_000; ms += 100) {
      const before = scene.sent.length;
      scene.pass(100);
      if (scene.sent.length > before) times.push(ms + 100);
    }
    expect(times).toEqual([1000, 3000, 7000]);
    expect(scene.faults).toEqual(['timed_out']);
    expect(scene.associations.handshakes).toBe(0);
  });

  it('asks for the cookie as DTLS 1.0, which every client reads (RFC 6347 §4.2.1)', () => {
    const scene = openDtlsScene();
    scene.associations.receive(new TestClient({ identity: IDENTITY, key: KEY }).start(), PEER);
    const datagram = scene.sent[0]?.datagram as Uint8Array;
    expect([...datagram.subarray(1, 3)]).toEqual([0xfe, 0xff]);
    expect([...datagram.subarray(25, 27)]).toEqual([0xfe, 0xff]);
  });

  it('says a flight again but so often, whatever comes in the name of a client', () => {
    const scene = openDtlsScene();
    const client = new TestClient({ identity: IDENTITY, key: KEY });
    scene.associations.receive(client.start(), PEER);
    const [again] = client.receive(scene.sent.shift()?.datagram as Uint8Array);
    scene.associations.receive(again as Buffer, PEER);
    scene.sent.length = 0;
    // Old handshake messages of no bytes, as many as a datagram holds: each seems to say that our flight was lost.
    const old = writeHandshake(HANDSHAKE.clientKeyExchange, 0, new Uint8Array(0));
    const fragment = Buffer.concat(Array.from({ length: 100 }, () => old));
    const spoofed = writeRecord({ type: CONTENT.handshake, epoch: 0, sequence: 9, fragment });
    for (let i = 0; i < 50; i++) scene.associations.receive(spoofed, PEER);
    for (let i = 0; i < 50; i++) scene.associations.receive(again as Buffer, PEER);
    expect(scene.sent.length).toBeLessThanOrEqual(8);
    expect(scene.sent.length).toBeGreaterThan(0);
  });

  it('is limited in number, by address and in all', async () => {
    const scene = openDtlsScene({ handshakes: 5, handshakesPerAddress: 2 });
    const begin = (address: string, port: number): void => {
      const client = new TestClient({ identity: IDENTITY, key: KEY });
      scene.associations.receive(client.start(), { address, port });
      for (const answer of client.receive(scene.sent.splice(0).at(-1)?.datagram as Uint8Array)) {
        scene.associations.receive(answer, { address, port });
      }
      scene.sent.length = 0;
    };
    for (let port = 1; port <= 4; port++) begin('192.0.2.1', port);
    expect(scene.associations.handshakes).toBe(2);
    for (let host = 2; host <= 9; host++) begin(`192.0.2.${host}`, 1);
    expect(scene.associations.handshakes).toBe(5);
    scene.pass(15_000);
    expect(scene.associations.handshakes).toBe(0);
  });

  it('is not answered to an address that begins too many', () => {
    const scene = openDtlsScene({ hellosPerSecond: 10, helloBurst: 20 });
    const begin = (times: number): number => {
      scene.sent.length = 0;
      for (let i = 0; i < times; i++) {
        scene.associations.receive(new TestClient({ identity: IDENTITY, key: KEY }).start(), PEER);
      }
      return scene.sent.length;
    };
    expect(begin(50)).toBe(20);
    scene.pass(500);
    expect(begin(50)).toBe(5);
  });
});

describe('a session', () => {
  it('takes a record once, and an old or forged one never', async () => {
    const scene = openDtlsScene();
    const client = await scene.shake();
    const records = Array.from({ length: 80 }, (_, i) => client.seal(Buffer.from(`m${i}`)));
    scene.associations.receive(records[79] as Buffer, PEER);
    for (const record of records) scene.associations.receive(record, PEER);
    for (const record of records) scene.associations.receive(record, PEER);
    // Those more than 64 before the newest are beyond what is remembered.
    expect(scene.messages.length).toBe(64);
    expect(new Set(scene.messages).size).toBe(64);
    const other = client.seal(Buffer.from('in the name of another version'));
    other.writeUInt16BE(0xfeff, 1);
    scene.associations.receive(other, PEER);
    expect(scene.messages.length).toBe(64);
    const forged = client.seal(Buffer.from('forged'));
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
    scene.associations.receive(forged, PEER);
    expect(scene.messages.length).toBe(64);
  });

  it('goes on while somebody else begins from its address, and gives way to who has the key', async () => {
    const scene = openDtlsScene();
    const client = await scene.shake();
    await scene.shake({ key: Buffer.alloc(32) });
    scene.associations.receive(client.seal(Buffer.from('still here')), PEER);
    expect(scene.messages).toEqual(['still here']);
    const next = await scene.shake();
    expect(next.isDone).toBe(true);
    expect(scene.ends).toEqual(['replaced']);
    expect(scene.associations.sessions).toBe(1);
    scene.associations.receive(client.seal(Buffer.from('too late')), PEER);
    scene.associations.receive(next.seal(Buffer.from('new')), PEER);
    expect(scene.messages).toEqual(['still here', 'new']);
  });

  it('ends when its peer says so, with an answer in kind', async () => {
    const scene = openDtlsScene();
    const client = await scene.shake();
    scene.associations.receive(client.seal(Uint8Array.of(1, ALERT.close_notify), CONTENT.alert), PEER);
    await scene.settle(client, PEER);
    expect(client.alerts).toEqual([ALERT.close_notify]);
    expect([scene.ends, scene.associations.sessions]).toEqual([['closed_by_peer'], 0]);
    scene.associations.receive(client.seal(Buffer.from('after the end')), PEER);
    expect(scene.messages).toEqual([]);
  });

  it('ends when nothing was heard for long, and tells its peer', async () => {
    const scene = openDtlsScene({ idleMs: 60_000 });
    const client = await scene.shake();
    scene.pass(59_900);
    scene.associations.receive(client.seal(Buffer.from('here')), PEER);
    scene.pass(59_900);
    expect(scene.associations.sessions).toBe(1);
    scene.pass(200);
    await scene.settle(client, PEER);
    expect([scene.ends, client.alerts, scene.associations.sessions]).toEqual([
      ['idle'],
      [ALERT.close_notify],
      0,
    ]);
  });

  it('changes no keys in its midst', async () => {
    const scene = openDtlsScene();
    const client = await scene.shake();
    const hello = Uint8Array.of(1, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0);
    scene.associations.receive(client.seal(hello, CONTENT.handshake), PEER);
    await scene.settle(client, PEER);
    expect(client.alerts).toEqual([ALERT.no_renegotiation]);
    expect(scene.associations.sessions).toBe(1);
  });

  it('is one of so many, by address and in all', async () => {
    const scene = openDtlsScene({ sessions: 3, sessionsPerAddress: 2 });
    for (let port = 1; port <= 4; port++) await scene.shake({}, { address: '192.0.2.1', port });
    expect(scene.associations.sessions).toBe(2);
    for (let host = 2; host <= 5; host++) await scene.shake({}, { address: `192.0.2.${host}`, port: 1 });
    expect(scene.associations.sessions).toBe(3);
    scene.associations.close();
    expect(scene.associations.sessions).toBe(0);
  });
});
