/**
 * MQTT clients in a process of their own, packet by packet, so that they cost little beside what is measured. Told what to do by
 * lines of JSON on stdin, answers by lines of JSON on stdout:
 *   {port, connections, token, clientId, prefix, deliver}  connects → {connected}
 *   {publish: {seconds, window}}                           QoS 1, so many unacknowledged on each → {messages}
 *   {untilEnded: true}                                     waits until the gateway ends the first one → {ended: code}
 *   {close: true}
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const PAYLOAD = Buffer.alloc(64, 'x');
/** Connections that are opened at the same time. */
const AT_ONCE = 100;

const text = (value) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

function packet(header, ...content) {
  const body = Buffer.concat(content);
  const length = [];
  for (let rest = body.length; ; rest >>= 7) {
    length.push(rest < 128 ? rest : (rest & 127) | 128);
    if (rest < 128) break;
  }
  return Buffer.concat([Buffer.from([header, ...length]), body]);
}

/** MQTT 5, and no properties. */
const connectPacket = (clientId, token) =>
  packet(
    0x10,
    text('MQTT'),
    Buffer.from([5, token === undefined ? 0x02 : 0xc2, 0, 0, 0]),
    text(clientId),
    ...(token === undefined ? [] : [text('bench'), text(token)]),
  );

class Client {
  acknowledged = 0;
  delivered = 0;
  #rest = Buffer.alloc(0);
  #nextId = 1;
  #running = false;

  constructor({ port, clientId, token, topic, deliver }) {
    this.topic = topic;
    this.message = packet(0x32, text(topic), Buffer.from([0, 0, 0]), PAYLOAD);
    this.idAt = this.message.length - PAYLOAD.length - 3;
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.ready = new Promise((resolve, reject) => {
      this.socket.on('error', reject);
      this.socket.on('close', () => reject(new Error('closed')));
      this.onReady = resolve;
    });
    this.ready.catch(() => undefined);
    this.deliver = deliver;
    this.socket.write(connectPacket(clientId, token));
    this.socket.on('data', (chunk) => this.#read(chunk));
  }

  #read(chunk) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const answers = [];
    let at = 0;
    while (at + 2 <= bytes.length) {
      // Nothing here is longer than a length of two bytes can say.
      const two = bytes[at + 1] >= 128;
      if (two && at + 3 > bytes.length) break;
      const length = two ? (bytes[at + 1] & 127) + bytes[at + 2] * 128 : bytes[at + 1];
      const body = at + (two ? 3 : 2);
      if (body + length > bytes.length) break;
      this.#packet(bytes[at] >> 4, bytes, body, answers);
      at = body + length;
    }
    this.#rest = bytes.subarray(at);
    if (answers.length > 0) this.socket.write(answers.length === 1 ? answers[0] : Buffer.concat(answers));
  }

  #packet(type, bytes, body, answers) {
    if (type === 4) {
      this.acknowledged++;
      if (this.#running) answers.push(this.#message());
    } else if (type === 3) {
      this.delivered++;
      const id = body + 2 + bytes.readUInt16BE(body);
      answers.push(Buffer.from([0x40, 2, bytes[id], bytes[id + 1]]));
    } else if (type === 2) {
      if (bytes[body + 1] !== 0) throw new Error(`refused: ${bytes[body + 1]}`);
      if (this.deliver)
        answers.push(packet(0x82, Buffer.from([0, 1, 0]), text(this.topic), Buffer.from([1])));
      else this.onReady();
    } else if (type === 9) {
      if (bytes[body + 3] !== 1) throw new Error(`not subscribed: ${bytes[body + 3]}`);
      this.onReady();
    } else if (type === 14 && this.onEnded !== undefined) this.onEnded(bytes[body]);
    else throw new Error(`a packet of type ${type}: ${bytes[body]}`);
  }

  #message() {
    const message = Buffer.from(this.message);
    message.writeUInt16BE(this.#nextId, this.idAt);
    this.#nextId = (this.#nextId % 65_535) + 1;
    return message;
  }

  begin(window) {
    this.#running = true;
    this.socket.write(Buffer.concat(Array.from({ length: window }, () => this.#message())));
  }

  end() {
    this.#running = false;
  }
}

let clients = [];
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const total = () => clients.reduce((sum, each) => sum + each.acknowledged, 0);

async function open({ port, connections, token, clientId, prefix, deliver }) {
  for (let at = 0; at < connections; at += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, connections - at) }, (_, i) => {
      const name = `${clientId}:${at + i}`;
      return new Client({ port, clientId: name, token, topic: `${prefix}/${at + i}`, deliver });
    });
    await Promise.all(some.map((each) => each.ready));
    clients.push(...some);
  }
  say({ connected: clients.length });
}

async function publish({ seconds, window }) {
  const before = total();
  for (const each of clients) each.begin(window);
  await sleep(seconds * 1000);
  for (const each of clients) each.end();
  const messages = total() - before;
  // What is still under way must not be counted in the next stretch.
  await sleep(50);
  say({ messages });
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.publish !== undefined) await publish(order.publish);
  else if (order.untilEnded === true) {
    say({ ended: await new Promise((resolve) => (clients[0].onEnded = resolve)) });
  } else if (order.close === true) {
    for (const { socket } of clients) {
      socket.removeAllListeners('close');
      socket.destroy();
    }
    clients = [];
    say({ closed: true });
  } else await open(order);
}
