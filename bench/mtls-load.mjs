/**
 * New mTLS connections, one request each, no session taken up again. A process of its own, so that its half of the
 * handshake is not the server's. Reads one JSON plan from stdin and prints one JSON result.
 *
 * plan: {port, shown: {cert, key}[], requests: string[], connections, seconds}
 * result: {answers, failed, firstFailure, seconds, p50}   p50: ms from connect to the whole answer
 */
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { connect, createSecureContext } from 'node:tls';

const plan = JSON.parse(await text(process.stdin));
const contexts = plan.shown.map((one) => createSecureContext(one));
const until = performance.now() + plan.seconds * 1000;
const latencies = [];
let failed = 0;
let firstFailure;
let next = 0;

/** @param {number} at which client @returns {Promise<void>} */
function ask(at) {
  return new Promise((resolve) => {
    const began = performance.now();
    let answer = '';
    const socket = connect({
      host: '127.0.0.1',
      port: plan.port,
      servername: 'localhost',
      secureContext: contexts[at],
      rejectUnauthorized: false,
    });
    const over = (fault) => {
      if (fault === undefined) latencies.push(performance.now() - began);
      else {
        failed++;
        firstFailure ??= fault;
      }
      socket.destroy();
      resolve();
    };
    socket.on('secureConnect', () => socket.write(plan.requests[at]));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (!answer.endsWith('}')) return;
      const good = answer.startsWith('HTTP/1.1 200 ') && answer.includes('"access_token":"');
      over(good ? undefined : answer.slice(0, 400));
    });
    socket.on('error', (error) => over(String(error)));
  });
}

const started = performance.now();
await Promise.all(
  Array.from({ length: plan.connections }, async () => {
    while (performance.now() < until) await ask(next++ % contexts.length);
  }),
);
latencies.sort((one, other) => one - other);
const result = {
  answers: latencies.length,
  failed,
  firstFailure,
  seconds: (performance.now() - started) / 1000,
  p50: latencies[latencies.length >> 1],
};
process.stdout.write(`${JSON.stringify(result)}\n`);
