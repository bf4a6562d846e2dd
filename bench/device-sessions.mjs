/**
 * What one device has open at the same time in `device-cutoff.mjs`: requests and a stream over HTTP, a subscription over MQTT, an observation
 * over CoAP, a session over OPC UA. Each is told its guard and a token, and says when it was refused or closed.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACE, CONTENT_FORMAT, decodeStrict, encodeCbor, pskIdentity } from '@countersign/cose';

const HOST = '127.0.0.1';
const ASKS_EVERY_MS = 10;

/** One use of a token. `begun` resolves once it works, `ended` when it does not any more, to the time of that (performance.now). */
class Use {
  isOpen = true;
  #tellEnd;
  begun = new Promise((resolve) => (this.works = resolve));
  ended = new Promise((resolve) => (this.#tellEnd = resolve));

  end() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#tellEnd(performance.now());
  }
}

/** Asks again and again, on one connection. */
export function httpRequests({ port }, token) {
  const use = new Use();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const options = {
    host: HOST,
    port,
    path: '/reading',
    agent,
    headers: { authorization: `Bearer ${token}` },
  };
  const ask = () =>
    new Promise((resolve, reject) =>
      get(options, (response) => resolve(response.resume().statusCode)).once('error', reject),
    );
  const asking = (async () => {
    for (let status = await ask(); status === 200; status = await ask()) {
      use.works();
      await sleep(ASKS_EVERY_MS);
    }
  })();
  void asking.catch(() => undefined).then(() => use.end());
  return { use, close: () => agent.destroy() };
}

/** Server-sent events. */
export function httpStream({ port }, token) {
  const use = new Use();
  const options = { host: HOST, port, path: '/readings', headers: { authorization: `Bearer ${token}` } };
  const request = get(options, (response) =>
    response.on('data', () => use.works()).once('close', () => use.end()),
  );
  request.once('error', () => use.end());
  return { use, close: () => request.destroy() };
}

/** mosquitto_sub, MQTT 5. */
export function mqtt({ program, port }, token, clientId) {
  const place = ['-h', HOST, '-p', String(port), '-V', '5', '-i', clientId, '-u', clientId, '-P', token];
  // It writes to a pipe in blocks, which would keep what it says until it ends.
  return client('stdbuf', ['-oL', program, ...place, '-d', '-q', '1', '-t', `plant/${clientId}/#`], {
    works: /Subscribed \(mid: 1\): [012]\b/,
    // 0x98, administrative action.
    over: /received DISCONNECT \(152\)/,
  });
}

/** libcoap's client on OpenSSL: it observes what nobody changes, so that it has nothing to say but that it is over. */
export async function coap({ folder, dtls, plain }, { token, kid, key }) {
  await bringToken(plain, token);
  const program = join(folder, 'coap-client-openssl');
  const words = ['-s', '600', '-B', '600', '-v', '6', '-u', pskIdentity(kid), '-k', key];
  const line = [program, ...words, `coaps://${HOST}:${dtls}/example_data`].map(quoted).join(' ');
  return client('bash', ['-c', `exec ${line}`], { works: / c:2\.05 /, over: / c:4\.01 / });
}

/** A program that says on one of its streams when it works, and when it is over. */
function client(program, args, { works, over }) {
  const use = new Use();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('latin1').on('data', (text) => {
      said = (said + text).slice(-4000);
      if (works.test(said)) use.works();
      if (over.test(said)) use.end();
    });
  }
  const gone = new Promise((resolve) => child.once('close', resolve)).then(() => {
    use.end();
    use.works();
  });
  return {
    use,
    close: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Arguments may hold any byte but zero: Node hands texts over as UTF-8, so a shell makes the bytes. */
function quoted(word) {
  const bytes = [...Buffer.from(word)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `$'${bytes.join('')}'`;
}

/** RFC 9200 §5.10.1: POST /authz-info, without waiting for more than its answer. */
async function bringToken(port, token) {
  const option = (delta, value) => Buffer.concat([Buffer.from([(delta << 4) | value.length]), value]);
  const message = Buffer.concat([
    Buffer.from([0x40, 0x02, 0, 1]),
    option(11, Buffer.from('authz-info')),
    option(1, Buffer.from([CONTENT_FORMAT.cwt])),
    Buffer.from([0xff]),
    token,
  ]);
  const socket = createSocket('udp4');
  const answered = new Promise((resolve) => socket.once('message', resolve));
  socket.send(message, port, HOST);
  const answer = await answered;
  socket.close();
  // 2.01 Created.
  if (answer[1] !== 0x41) throw new Error(`the token was not taken: ${answer[1]}`);
}

/** What a device asks in CBOR (RFC 9200 §5.8.1), until it has a key that a command line can carry: without a zero byte. */
export async function coapToken(endpoint, { client_id, client_secret }, audience) {
  for (;;) {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/ace+cbor' },
      body: encodeCbor(
        new Map([
          [ACE.clientId, client_id],
          [ACE.clientSecret, Buffer.from(client_secret)],
          [ACE.audience, audience],
        ]),
      ),
    });
    const read = decodeStrict(new Uint8Array(await response.arrayBuffer()), { maxBytes: 4096, maxDepth: 6 });
    if (!response.ok || !read.ok) throw new Error(`no token for CoAP: ${response.status}`);
    // COSE_Key in cnf: RFC 8747 §3.1; kid is 2, k of a symmetric key -1.
    const key = read.value.get(ACE.cnf).get(1);
    if (!key.get(-1).includes(0)) {
      return { token: read.value.get(ACE.accessToken), kid: key.get(2), key: key.get(-1) };
    }
  }
}

/** node-opcua's client: it reads again and again. `connect` is `connectOpcUa`. */
export async function opcua({ opcua: module, connect, application, url, node }, options) {
  const use = new Use();
  const opcUaClient = module.OPCUAClient.create({
    applicationUri: application.uri,
    clientCertificateManager: application.manager,
    certificateFile: application.certificateFile,
    privateKeyFile: application.manager.privateKey,
    securityMode: module.MessageSecurityMode.SignAndEncrypt,
    securityPolicy: module.SecurityPolicy.Basic256Sha256,
    endpointMustExist: false,
    connectionStrategy: { maxRetry: 1 },
  });
  const connection = await connect(module, { opcUaClient, endpointUrl: url, ...options });
  // By what comes over the wire: a read that is refused waits in the client until it has tried to open another session.
  opcUaClient.on('receive_response', ({ responseHeader }) => {
    if (!responseHeader.serviceResult.isGood()) use.end();
  });
  const what = { nodeId: node, attributeId: module.AttributeIds.Value };
  const reading = (async () => {
    while (use.isOpen && (await connection.session.read(what)).statusCode.isGood()) {
      use.works();
      await sleep(ASKS_EVERY_MS);
    }
  })();
  void reading.catch(() => undefined).then(() => use.end());
  return { use, close: () => connection.close() };
}
