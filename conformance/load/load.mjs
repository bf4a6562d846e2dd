// One process of load: keep-alive connections that each send a request, read the whole answer and send the next. Written on
// raw sockets, because the caller of a test must not be what the test measures.
// Started with one argument, JSON: {host, port, ca, connections: [{from, requests: [text]}], total, seconds, collect}; `total` or
// `seconds` ends it, or SIGTERM. Its first line of output is `started`, its last one JSON: {answers: {status: count}, broken, seconds, jtis}; `jtis`
// names every token that arrived, where the plan says `collect`.
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

const plan = JSON.parse(process.argv[2]);
const ca = plan.ca === undefined ? undefined : readFileSync(plan.ca);
const started = performance.now();
const endsAt = plan.seconds === undefined ? Infinity : started + plan.seconds * 1000;
const answers = {};
const jtis = [];
let left = plan.total ?? Infinity;
let broken = 0;
let open = 0;
let stopped = false;

process.on('SIGTERM', () => (stopped = true));
console.log('started');

function more() {
  return !stopped && left > 0 && performance.now() < endsAt;
}

/** @param {string} body a token response */
function jtiOf(body) {
  const payload = JSON.parse(body).access_token.split('.')[1];
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).jti;
}

/** @param {{from?: string, requests: string[]}} connection @param {number} [first] which of its requests comes first */
function drive(connection, first = 0) {
  let turn = first;
  const where = {
    host: plan.host,
    port: plan.port,
    ...(connection.from ? { localAddress: connection.from } : {}),
  };
  const socket =
    ca === undefined
      ? connectTcp(where)
      : connectTls({ ...where, ca, servername: 'localhost', rejectUnauthorized: true });
  let unread = '';
  let waiting = false;
  open++;
  const next = () => {
    if (!more()) return socket.end();
    left--;
    waiting = true;
    socket.write(connection.requests[turn++ % connection.requests.length]);
  };
  socket.once(ca === undefined ? 'connect' : 'secureConnect', next);
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    unread += chunk;
    const head = unread.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(unread.slice(0, head));
    const whole = head + 4 + Number(length?.[1] ?? 0);
    if (unread.length < whole) return;
    const status = unread.slice(9, 12);
    answers[status] = (answers[status] ?? 0) + 1;
    waiting = false;
    if (plan.collect && status === '200') jtis.push(jtiOf(unread.slice(head + 4, whole)));
    unread = unread.slice(whole);
    next();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    open--;
    // a request without its answer may have been counted by the server or not: it is told, never guessed
    if (waiting) broken++;
    if (more()) setTimeout(() => drive(connection, turn), 50);
    else if (open === 0) report();
  });
}

let reported = false;
function report() {
  if (reported) return;
  reported = true;
  console.log(JSON.stringify({ answers, broken, seconds: (performance.now() - started) / 1000, jtis }));
}

for (const connection of plan.connections) drive(connection);
