/**
 * What a token costs when the client proves itself by a signed assertion: Countersign beside oidc-provider, and beside
 * itself with a client secret. Countersign writes down each assertion as used, and the audit record, before the answer. Beside
 * them two servers that only parse the form, verify one signature and make one, and the two signatures alone, one after the other
 * in a loop: what no server on this platform gets below.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { signing, startPeer } from './contestant.mjs';
import { isBuilt, startCountersign } from './countersign.mjs';
import { median, table } from './machine.mjs';
import { interleave, times } from './rounds.mjs';

const SECRET = 'countersign, client_secret_basic';
const OURS = 'countersign, private_key_jwt';
const THEIRS = 'oidc-provider, private_key_jwt';
const FLOOR = 'bare node:http, verify and sign';
const SOCKETS = 'bare sockets, verify and sign';
const WANTED = process.versions.node.startsWith('20.') ? 4 : 3.5;

/**
 * @param {{apart: {server: string[], load: string[], note: string}, rounds: number, seconds: number, clients: number,
 *   connections: number[], say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  if (!isBuilt()) {
    options.say('countersign is not built');
    return undefined;
  }
  const common = { prefix: options.apart.server, clients: options.clients };
  const started = [];
  const parts = [];
  try {
    started.push(await startCountersign(SECRET, { ...common, keys: true }));
    started.push(await startPeer(THEIRS, 'oidc-provider.mjs', { ...common, flags: ['--keys'] }));
    started.push(await startPeer(FLOOR, 'bare-assertion-server.mjs', common));
    started.push(await startPeer(SOCKETS, 'bare-assertion-server.mjs', { ...common, flags: ['--sockets'] }));
    const [secret, ...peers] = started;
    const contestants = [secret, { ...signing(secret), name: OURS }, ...peers.map(signing)];
    for (const connections of options.connections) {
      options.say(`${connections} connections`);
      const results = await interleave(contestants, { ...options, connections, prefix: options.apart.load });
      const rows = results.map((one) => [
        one.name,
        one.cpu.toFixed(0),
        Math.round(1e6 / one.cpu).toLocaleString('en'),
        one.p50.toFixed(2),
        one.p99.toFixed(2),
      ]);
      const head = ['server', 'CPU µs per token', 'tokens per CPU-second', 'p50 ms', 'p99 ms'];
      parts.push(`**${connections} connections**\n\n${table(head, rows)}\n\n${ratios(results)}`);
    }
  } finally {
    for (const one of started) await one.stop();
  }
  const method = `${options.rounds} interleaved rounds of ${options.seconds} s each, ${options.clients} clients in turn, ES256 assertions, each of its own; medians; ${options.apart.note}`;
  return [`${method}.`, ...parts].join('\n\n');
}

const PAIRS = 4000;

/** CPU µs of one ES256 verification and one signature, on bare keys as `oauth/` uses them, with nothing in between. */
function signaturesAlone() {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = createHash('sha512').update(randomBytes(32)).digest();
  const signature = sign('sha256', text, pair.privateKey);
  const measure = (count) => {
    const before = process.cpuUsage();
    for (let at = 0; at < count; at++) {
      if (!verify('sha256', text, pair.publicKey, signature)) throw new Error('a good signature was refused');
      sign('sha256', text, pair.privateKey);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  };
  measure(PAIRS / 4);
  return median([1, 2, 3, 4, 5].map(() => measure(PAIRS / 4)));
}

function ratios([secret, ours, peer, ...floors]) {
  const said = ({ median: middle, low, high }) =>
    `**${middle.toFixed(2)}×** (rounds: ${low.toFixed(2)}–${high.toFixed(2)})`;
  const quarter = (median(peer.rounds) / WANTED).toFixed(0);
  const alone = signaturesAlone();
  return [
    `- with assertions countersign gives ${said(times(ours, peer))} the tokens per CPU-second of oidc-provider; wanted: at least ${WANTED}`,
    ...floors.map(
      (floor) =>
        `- ${floor.name}: ${said(times(floor, peer))}, ${median(floor.rounds).toFixed(0)} µs where ${quarter} µs would be ${WANTED}×`,
    ),
    `- one verification and one signature alone, in a loop of nothing else: ${alone.toFixed(0)} µs of those ${quarter}`,
    `- with assertions countersign gives ${said(times(ours, secret))} the tokens per CPU-second that it gives with secrets; wanted: at least 0.35`,
  ].join('\n');
}
