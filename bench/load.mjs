/**
 * Load generator for a token endpoint. Runs as a process of its own, so that its CPU time is not the server's.
 *
 * Raw sockets and prebuilt request bytes: the cheaper the generator, the sooner the server is the bottleneck.
 * Each connection has one request in flight; answers are checked (status 200, an access token of three parts) and
 * anything else is counted, never skipped.
 *
 * As a program: `node load.mjs` reads one JSON plan (see `load`) from stdin and prints one JSON result.
 */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { assertionRequests } from './assertion-requests.mjs';

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Bytes of one client_credentials request with client_secret_basic (RFC 6749 §2.3.1, §4.4.2; RFC 8707 §2).
 * @param {{host: string, port: number, path: string, clientId: string, clientSecret: string, resource: string, scope: string}} request
 * @returns {Buffer}
 */
export function tokenRequest(request) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: request.resource,
    scope: request.scope,
  }).toString();
  const basic = Buffer.from(
    `${encodeURIComponent(request.clientId)}:${encodeURIComponent(request.clientSecret)}`,
  ).toString('base64');
  return Buffer.from(
    `POST ${request.path} HTTP/1.1\r\nHost: ${request.host}:${request.port}\r\nAuthorization: Basic ${basic}\r\n` +
      `Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    'latin1',
  );
}

/**
 * Length of the first whole answer in `bytes`, or 0 while it is incomplete.
 * @param {Buffer} bytes
 * @returns {{total: number, bodyAt: number}}
 */
function wholeAnswer(bytes) {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return { total: 0, bodyAt: 0 };
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.latin1Slice(0, headEnd));
  if (length === null)
    throw new Error('the answer has no Content-Length: this generator reads no other framing');
  const total = headEnd + HEAD_END.length + Number(length[1]);
  return { total: bytes.length >= total ? total : 0, bodyAt: headEnd + HEAD_END.length };
}

/**
 * True for `HTTP/1.1 200` with a compact JWS as access_token.
 * @param {Buffer} bytes
 * @param {number} bodyAt
 * @param {number} total
 */
function carriesToken(bytes, bodyAt, total) {
  if (bytes[9] !== 0x32 || bytes[10] !== 0x30 || bytes[11] !== 0x30) return false;
  const body = bytes.latin1Slice(bodyAt, total);
  const name = body.indexOf('"access_token":"');
  if (name < 0) return false;
  const from = name + 16;
  const firstDot = body.indexOf('.', from);
  return firstDot > from && body.indexOf('.', firstDot + 1) > firstDot + 1;
}

/**
 * Bytes of one introspection request (RFC 7662 §2.1) of a client about a token.
 * @param {{host: string, port: number, path: string, clientId: string, clientSecret: string, token: string}} request
 * @returns {Buffer}
 */
export function introspectionRequest(request) {
  const body = new URLSearchParams({ token: request.token }).toString();
  const basic = Buffer.from(
    `${encodeURIComponent(request.clientId)}:${encodeURIComponent(request.clientSecret)}`,
  ).toString('base64');
  return Buffer.from(
    `POST ${request.path} HTTP/1.1\r\nHost: ${request.host}:${request.port}\r\nAuthorization: Basic ${basic}\r\n` +
      `Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    'latin1',
  );
}

/** True for `HTTP/1.1 200` that says a token is good (RFC 7662 §2.2). */
function saysActive(bytes, bodyAt, total) {
  if (bytes[9] !== 0x32 || bytes[10] !== 0x30 || bytes[11] !== 0x30) return false;
  return bytes.latin1Slice(bodyAt, total).startsWith('{"active":true');
}

/**
 * Sends `count` requests (or as many as fit in `seconds`) over `connections` keep-alive connections.
 * @param {{host: string, port: number, requests: string[], assertions?: Parameters<typeof assertionRequests>[0],
 *   connections: number, count?: number, seconds?: number, skip?: number, expects?: 'token' | 'active'}} plan
 *   `requests`: base64 of whole requests; each connection goes through all of them in turn, and they start far apart,
 *   `skip` further on. With `assertions` each request is made when its turn comes. `expects`: what an answer must bring,
 *   a token unless told.
 * @returns {Promise<{tokens: number, failed: number, firstFailure: string | undefined, seconds: number, latencies: Float64Array}>}
 *   latencies in milliseconds, one per token, unsorted.
 */
export function load(plan) {
  const requests = plan.requests.map((text) => Buffer.from(text, 'base64'));
  const isGood = plan.expects === 'active' ? saysActive : carriesToken;
  const requestOf =
    plan.assertions === undefined ? (turn) => requests[turn] : assertionRequests(plan.assertions);
  const limit = plan.count ?? Number.POSITIVE_INFINITY;
  const latencies = new Float64Array(Number.isFinite(limit) ? limit : 2_000_000);
  let sent = 0;
  let tokens = 0;
  let failed = 0;
  let firstFailure;
  let open = 0;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const deadline = plan.seconds === undefined ? Number.POSITIVE_INFINITY : started + plan.seconds * 1000;
    const finish = () => {
      const seconds = (performance.now() - started) / 1000;
      resolve({ tokens, failed, firstFailure, seconds, latencies: latencies.subarray(0, tokens) });
    };
    for (let k = 0; k < plan.connections; k++) {
      const socket = connect({ host: plan.host, port: plan.port, noDelay: true });
      let turn = (Math.floor((k * requests.length) / plan.connections) + (plan.skip ?? 0)) % requests.length;
      let sentAt = 0;
      let waiting = false;
      let kept;
      open++;
      const next = () => {
        const now = performance.now();
        if (sent >= limit || sent >= latencies.length || now >= deadline) {
          waiting = false;
          socket.end();
          return;
        }
        sent++;
        sentAt = now;
        waiting = true;
        socket.write(requestOf(turn));
        turn = turn + 1 === requests.length ? 0 : turn + 1;
      };
      socket.on('connect', next);
      socket.on('data', (chunk) => {
        const bytes = kept === undefined ? chunk : Buffer.concat([kept, chunk]);
        const { total, bodyAt } = wholeAnswer(bytes);
        if (total === 0) {
          kept = bytes;
          return;
        }
        if (bytes.length > total) throw new Error('more bytes than one answer to one request');
        kept = undefined;
        if (isGood(bytes, bodyAt, total)) {
          latencies[tokens++] = performance.now() - sentAt;
        } else {
          failed++;
          firstFailure ??= bytes.latin1Slice(0, 600);
        }
        next();
      });
      socket.on('error', (error) => {
        firstFailure ??= `connection: ${error.message}`;
      });
      socket.on('close', () => {
        if (waiting) {
          failed++;
          firstFailure ??= 'the server closed the connection before it answered';
        }
        if (--open === 0) finish();
      });
    }
    if (plan.connections < 1) reject(new Error('connections must be at least 1'));
  });
}

/**
 * @param {Float64Array} sorted ascending
 * @param {number} share 0…1
 */
export function percentile(sorted, share) {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

/**
 * Runs `load` in a process of its own.
 * @param {Parameters<typeof load>[0]} plan
 * @param {{prefix?: string[]}} [options] prefix: a command to put in front, such as `taskset -c 1`
 * @returns {Promise<{tokens: number, failed: number, firstFailure?: string, seconds: number, p50: number, p99: number, max: number}>}
 */
export function loadElsewhere(plan, options = {}) {
  const [command, ...args] = [...(options.prefix ?? []), process.execPath, fileURLToPath(import.meta.url)];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text));
      else reject(new Error(`the load generator ended with ${code}`));
    });
    child.stdin.end(JSON.stringify(plan));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let text = '';
  for await (const part of process.stdin) text += part;
  const { latencies, ...result } = await load(JSON.parse(text));
  const sorted = latencies.slice().sort();
  process.stdout.write(
    `${JSON.stringify({ ...result, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), max: percentile(sorted, 1) })}\n`,
  );
}
