/**
 * CPU time per token and latency at the token endpoint: Countersign, a bare signing server and oidc-provider, side by
 * side in one run. All over plain http on loopback with keep-alive, all with client_secret_basic, one resource, two
 * scopes, an ES256 JWT; Countersign with policy, access and its durable audit record before each answer.
 */
import { startPeer } from './contestant.mjs';
import { isBuilt, startCountersign } from './countersign.mjs';
import { table } from './machine.mjs';
import { residentMegabytes } from './process-usage.mjs';
import { interleave, times } from './rounds.mjs';

/**
 * Everyone who can take part on this machine, in order, each with the function that starts it.
 * @param {{apart: {server: string[]}, clients: number, say: (text: string) => void}} options
 */
function entrants(options) {
  const common = { prefix: options.apart.server, clients: options.clients };
  const postgres = process.env.COUNTERSIGN_TEST_POSTGRES;
  const all = [
    ['bare', () => startPeer('bare', 'bare-signing-server.mjs', common)],
    [
      'bare-key-object',
      () => startPeer('bare-key-object', 'bare-signing-server.mjs', { ...common, flags: ['--key-object'] }),
    ],
    ['oidc-provider', () => startPeer('oidc-provider', 'oidc-provider.mjs', common)],
  ];
  if (!isBuilt()) {
    options.say('countersign is NOT in this run: it is not built');
    return all;
  }
  if (postgres === undefined)
    options.say('countersign on PostgreSQL is NOT in this run: COUNTERSIGN_TEST_POSTGRES is not set');
  else
    all.unshift([
      'countersign-postgres',
      () => startCountersign('countersign-postgres', { ...common, postgres }),
    ]);
  all.unshift(['countersign', () => startCountersign('countersign', common)]);
  return all;
}

function ratios(results) {
  const [bare, oidc] = ['bare', 'oidc-provider'].map((name) => results.find((one) => one.name === name));
  const said = ({ median: middle, low, high }) =>
    `**${middle.toFixed(2)}×** (rounds: ${low.toFixed(2)}–${high.toFixed(2)})`;
  const lines = [];
  for (const ours of results.filter((one) => one.name.startsWith('countersign'))) {
    if (oidc !== undefined)
      lines.push(
        `- ${ours.name} gives ${said(times(ours, oidc))} the tokens per CPU-second of oidc-provider; wanted: at least 4`,
      );
    if (bare !== undefined)
      lines.push(
        `- ${ours.name} gives ${said(times(ours, bare))} the tokens per CPU-second of the bare signing server; wanted: at least 1.0`,
      );
  }
  if (lines.length === 0 && bare !== undefined && oidc !== undefined) {
    lines.push(`- bare gives ${said(times(bare, oidc))} the tokens per CPU-second of oidc-provider`);
  }
  return lines.join('\n');
}

/**
 * @param {{apart: {server: string[], load: string[], note: string}, rounds: number, seconds: number, clients: number,
 *   connections: number[], only: string[] | undefined, say: (text: string) => void}} options
 * @returns {Promise<string>} Markdown
 */
export async function run(options) {
  const chosen = entrants(options).filter(
    ([name]) => options.only === undefined || options.only.includes(name),
  );
  const contestants = [];
  const parts = [];
  try {
    for (const [, start] of chosen) contestants.push(await start());
    for (const connections of options.connections) {
      options.say(`${connections} connections`);
      const results = await interleave(contestants, { ...options, connections, prefix: options.apart.load });
      const rows = results.map((one) => [
        one.name,
        one.cpu.toFixed(0),
        Math.round(1e6 / one.cpu).toLocaleString('en'),
        Math.round(one.rate).toLocaleString('en'),
        one.p50.toFixed(2),
        one.p99.toFixed(2),
      ]);
      const head = [
        'server',
        'CPU µs per token',
        'tokens per CPU-second',
        'tokens per second',
        'p50 ms',
        'p99 ms',
      ];
      parts.push(`**${connections} connections**\n\n${table(head, rows)}\n\n${ratios(results)}`);
    }
    const memory = contestants.map((one) => {
      const { now, peak } = residentMegabytes(one.pid);
      return [one.name, one.idle.toFixed(0), now.toFixed(0), peak.toFixed(0)];
    });
    const head = ['server', 'RSS idle MB', 'after the load MB', 'highest MB'];
    parts.push(`**Memory** (wanted: countersign under 150 MB idle)\n\n${table(head, memory)}`);
  } finally {
    for (const one of contestants) await one.stop();
  }
  const method = `${options.rounds} interleaved rounds of ${options.seconds} s each, ${options.clients} clients in turn; medians; ${options.apart.note}`;
  return [`${method}.`, ...parts].join('\n\n');
}
