// Datagrams that nobody should send, into everything that reads one: made by fast-check, each cut from good ones or made up.
import {
  decodeStrict,
  encodeCbor,
  kidOfPskIdentity,
  pskIdentity,
  readCose,
  readCwtClaims,
} from '@countersign/cose';
import fc from 'fast-check';
import { DTLS_LIMITS } from '../src/dtls/associations.ts';
import { readClientHello } from '../src/dtls/client-hello.ts';
import { HANDSHAKE, readFragments, writeHandshake } from '../src/dtls/handshake-message.ts';
import { CONTENT, readRecords, writeRecord } from '../src/dtls/record.ts';
import { numberOption, readCoap, TYPE, writeCoap } from '../src/message/coap-message.ts';
import { readTarget } from '../src/message/request-target.ts';
import { IDENTITY, KEY, openDtlsScene } from './dtls-scene.ts';
import { TestClient } from './test-client.ts';

const PEER = { address: '192.0.2.1', port: 4000 };

/** A good datagram of each kind, to be spoiled. */
async function goodOnes(): Promise<readonly Uint8Array[]> {
  const scene = openDtlsScene();
  const heard: Uint8Array[] = [];
  const client = new TestClient({ identity: IDENTITY, key: KEY });
  const say = (datagram: Uint8Array): void => {
    heard.push(Uint8Array.from(datagram));
    scene.associations.receive(datagram, PEER);
  };
  say(client.start());
  for (let rounds = 0; rounds < 4; rounds++) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const { datagram } of scene.sent.splice(0))
      for (const answer of client.receive(datagram)) say(answer);
  }
  say(client.seal(Buffer.from('hello')));
  const coap = writeCoap({
    type: TYPE.confirmable,
    code: 1,
    messageId: 7,
    token: Uint8Array.of(1, 2),
    options: [
      { number: 11, value: Buffer.from('time') },
      numberOption(12, 61),
      { number: 300, value: new Uint8Array(300) },
    ],
    payload: Buffer.from('x'),
  });
  const exchange = writeHandshake(
    HANDSHAKE.clientKeyExchange,
    2,
    Buffer.concat([Uint8Array.of(0, 4), IDENTITY]),
  );
  const clear = writeRecord({ type: CONTENT.handshake, epoch: 0, sequence: 3, fragment: exchange });
  return [
    ...heard,
    coap,
    clear,
    pskIdentity(IDENTITY),
    encodeCbor(new Map([[1, [1, 'a', new Uint8Array(3)]]])),
  ];
}

/** Bytes changed, left out, put in, cut off; two datagrams in one; or anything. */
function spoiled(good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const one = fc.constantFrom(...good);
  const changes = fc.array(
    fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 3 })),
    { maxLength: 4 },
  );
  const changed = fc.tuple(one, changes).map(([bytes, list]) => {
    let out = Buffer.from(bytes);
    for (const [where, byte, how] of list) {
      const at = out.length === 0 ? 0 : where % out.length;
      if (how === 0 && out.length > 0) out[at] = byte;
      else if (how === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1)]);
      else if (how === 2) out = Buffer.concat([out.subarray(0, at), Buffer.of(byte), out.subarray(at)]);
      else out = out.subarray(0, at);
    }
    return new Uint8Array(out);
  });
  const two = fc.tuple(changed, changed).map((pair) => new Uint8Array(Buffer.concat(pair)));
  return fc.oneof(
    { weight: 6, arbitrary: changed },
    { weight: 2, arbitrary: two },
    fc.uint8Array({ maxLength: 400 }),
  );
}

/** Everything that reads what a stranger sends; none may throw. */
function readAll(bytes: Uint8Array): void {
  for (const { fragment } of readRecords(bytes)) readFragments(fragment);
  readFragments(bytes);
  readClientHello(bytes);
  const message = readCoap(bytes);
  if (message !== undefined) readTarget(message);
  decodeStrict(bytes);
  readCose(bytes);
  readCwtClaims(bytes);
  kidOfPskIdentity(bytes);
}

/**
 * `inputs` of them, from a thousand addresses, some of which have a handshake or a session. Between a good client gets through
 * each time, so nothing has hung and nobody was crowded out.
 */
export async function fuzzAll(
  inputs: number,
): Promise<{ thrown: number; handshakes: number; sessions: number }> {
  const good = await goodOnes();
  // Addresses of strangers are many; how many hellos of each are answered is another test's.
  const scene = openDtlsScene({ hellosPerSecond: 1e9, helloBurst: 1e9 });
  const { associations } = scene;
  let thrown = 0;
  let most = { handshakes: 0, sessions: 0 };
  const round = 1000;
  for (let done = 0; done < inputs; done += round) {
    fc.assert(
      fc.property(spoiled(good), fc.nat({ max: 999 }), (bytes, from) => {
        try {
          readAll(bytes);
          associations.receive(bytes, { address: `198.51.100.${from % 256}`, port: 1 + from });
          associations.receive(bytes, PEER);
        } catch {
          thrown++;
        }
      }),
      { numRuns: round },
    );
    scene.sent.length = 0;
    scene.pass(500);
    const client = await scene.shake({}, { address: '203.0.113.1', port: 5000 + (done % 997) });
    if (!client.isDone) throw new Error(`after ${done} inputs a good client does not get through`);
    scene.sessions.splice(0);
    most = {
      handshakes: Math.max(most.handshakes, associations.handshakes),
      sessions: Math.max(most.sessions, associations.sessions),
    };
    if (most.handshakes > DTLS_LIMITS.handshakes || most.sessions > DTLS_LIMITS.sessions)
      throw new Error('it grows');
    scene.messages.length = 0;
    scene.faults.length = 0;
    scene.ends.length = 0;
  }
  associations.close();
  return { thrown, ...most };
}
