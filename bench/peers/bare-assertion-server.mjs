/**
 * The floor of private_key_jwt: a bare server that parses the form, verifies the assertion's ES256 signature once and signs one
 * ES256 access token. Nothing else: no claim of the assertion is looked at beside whose it is, no use is remembered, no access
 * and no policy asked, nothing recorded. What it does is done as fast as Node can: keys imported once and given bare, DER by
 * hand, header and fixed claims encoded once, and all signatures of one turn of the event loop verified, then made, back to back.
 *
 * --clients N   how many clients it knows (1)
 * --sockets     no node:http either: the body is what stands behind the first empty line, and nothing of the head is read
 *
 * Prints one JSON line when it listens: {"token_endpoint", "issuer", "resource", "scope", "clients": [{"client_id", "jwk"}]}.
 */
import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: { clients: { type: 'string', default: '1' }, sockets: { type: 'boolean', default: false } },
});
const resource = 'https://api.bench.example/';
const scope = 'read list';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pairs = Array.from({ length: Number(flags.clients) }, () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }),
);
const publicKeys = new Map(pairs.map(({ publicKey }, at) => [`bench-${at}`, publicKey]));
const HEADER = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })).toString(
  'base64url',
);
const HEADERS = ['Content-Type', 'application/json', 'Cache-Control', 'no-store', 'Pragma', 'no-cache'];
let issuer = '';

/** One number of an r‖s signature as a DER INTEGER (RFC 3279 §2.2.3). */
function derInteger(bytes) {
  let from = 0;
  while (from < 31 && bytes[from] === 0) from++;
  const number = bytes.subarray(from);
  const pad = number[0] >> 7;
  return Buffer.concat([Buffer.from(pad === 1 ? [2, number.length + 1, 0] : [2, number.length]), number]);
}

function der(joined) {
  const [r, s] = [derInteger(joined.subarray(0, 32)), derInteger(joined.subarray(32))];
  return Buffer.concat([Buffer.from([0x30, r.length + s.length]), r, s]);
}

/** One INTEGER of a DER signature as 32 bytes. */
function fixedLength(bytes, at) {
  const number = bytes.subarray(at + 2, at + 2 + bytes[at + 1]);
  return number.length >= 32
    ? number.subarray(number.length - 32)
    : Buffer.concat([Buffer.alloc(32 - number.length), number]);
}

/** What has to be verified of a request. */
function read(body) {
  // Of base64url and dots: there is nothing to decode.
  const assertion =
    body
      .split('&')
      .find((pair) => pair.startsWith('client_assertion='))
      ?.slice(17) ?? '';
  const end = assertion.lastIndexOf('.');
  const input = assertion.slice(0, end);
  const { iss } = JSON.parse(Buffer.from(input.slice(input.indexOf('.') + 1), 'base64url').toString());
  const signature = der(Buffer.from(assertion.slice(end + 1), 'base64url'));
  return { clientId: iss, input: Buffer.from(input, 'latin1'), signature };
}

const isSigned = ({ clientId, input, signature }) =>
  verify('sha256', input, publicKeys.get(clientId), signature);

function accessToken(clientId) {
  const now = Math.floor(Date.now() / 1000);
  const claims = `{"iss":"${issuer}","sub":"${clientId}","client_id":"${clientId}","aud":"${resource}","scope":"${scope}","iat":${now},"exp":${now + 600},"jti":"${randomUUID()}"}`;
  const input = `${HEADER}.${Buffer.from(claims).toString('base64url')}`;
  const made = sign('sha256', Buffer.from(input, 'latin1'), privateKey);
  const joined = Buffer.concat([fixedLength(made, 2), fixedLength(made, 4 + made[3])]);
  return `${input}.${joined.toString('base64url')}`;
}

function answerAll(jobs) {
  const good = jobs.map((job) => isSigned(job));
  const tokens = jobs.map(({ clientId }, at) => (good[at] ? accessToken(clientId) : undefined));
  for (const [at, token] of tokens.entries()) {
    if (token === undefined) jobs[at].answer(401, '{"error":"invalid_client"}');
    else {
      const rest = `"token_type":"Bearer","expires_in":600,"scope":"${scope}"`;
      jobs[at].answer(200, `{"access_token":"${token}",${rest}}`);
    }
  }
}

let waiting = [];
function later(job) {
  waiting.push(job);
  if (waiting.length > 1) return;
  setImmediate(() => {
    const jobs = waiting;
    waiting = [];
    answerAll(jobs);
  });
}

function httpServer() {
  return createHttpServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      const answer = (status, text) => {
        response.writeHead(status, [...HEADERS, 'Content-Length', String(text.length)]);
        response.end(text);
      };
      later({ ...read(body.toString('latin1')), answer });
    });
  });
}

const HEAD = 'Content-Type: application/json\r\nCache-Control: no-store\r\nPragma: no-cache\r\n';

function socketServer() {
  return createSocketServer({ noDelay: true }, (socket) => {
    const answer = (status, text) =>
      socket.write(`HTTP/1.1 ${status} -\r\n${HEAD}Content-Length: ${text.length}\r\n\r\n${text}`, 'latin1');
    socket.on('error', () => socket.destroy());
    // The load sends each request in one piece; one that came in two has no assertion and ends the run.
    socket.on('data', (bytes) =>
      later({ ...read(bytes.toString('latin1', bytes.indexOf('\r\n\r\n') + 4)), answer }),
    );
  });
}

const server = flags.sockets ? socketServer() : httpServer();
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  const clients = pairs.map((pair, at) => ({
    client_id: `bench-${at}`,
    client_secret: '-',
    jwk: pair.privateKey.export({ format: 'jwk' }),
  }));
  process.stdout.write(
    `${JSON.stringify({ token_endpoint: `${issuer}/token`, issuer, resource, scope, clients })}\n`,
  );
});
