/**
 * Where the time of a token goes: Countersign under load with V8's sampling profiler, self time per function. A help
 * for tuning, not a result: the profiler itself costs time, and waiting in the kernel shows as the function that waits.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isBuilt, startCountersign } from './countersign.mjs';
import { loadElsewhere } from './load.mjs';
import { root, table } from './machine.mjs';

/** The clock that the profiler stamps with: monotonic, µs. */
const stamp = () => Number(process.hrtime.bigint() / 1000n);

/** Self time in µs by function, of one profile, between two stamps. */
function selfTimes(profile, from, to) {
  const names = new Map();
  for (const { id, callFrame } of profile.nodes) {
    const place = callFrame.url
      .replace('file://', '')
      .replace(root, '')
      .replace(/^node:/, '');
    const line = place === '' ? '' : ` ${place}:${callFrame.lineNumber + 1}`;
    names.set(id, `${callFrame.functionName || '(anonymous)'}${line}`);
  }
  const spent = new Map();
  let now = profile.startTime;
  for (const [at, id] of profile.samples.entries()) {
    now += profile.timeDeltas[at];
    if (now < from || now > to) continue;
    const name = names.get(id);
    spent.set(name, (spent.get(name) ?? 0) + profile.timeDeltas[at]);
  }
  spent.delete('(idle)');
  return spent;
}

/**
 * @param {{apart: {server: string[], load: string[]}, seconds: number, clients: number, connections: number[], top: number,
 *   postgres: boolean, say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  if (!isBuilt()) {
    options.say('profile is NOT in this run: countersign is not built');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'countersign-profile-'));
  try {
    const postgres = options.postgres ? process.env.COUNTERSIGN_TEST_POSTGRES : undefined;
    const contestant = await startCountersign('countersign', {
      prefix: options.apart.server,
      clients: options.clients,
      nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'],
      ...(postgres === undefined ? {} : { postgres }),
    });
    const { host, port, requests } = contestant;
    const plan = {
      host,
      port,
      requests,
      connections: options.connections[0] ?? 64,
      seconds: Math.max(5, options.seconds),
    };
    const prefix = options.apart.load;
    await loadElsewhere({ ...plan, seconds: 2 }, { prefix });
    const from = stamp();
    const result = await loadElsewhere(plan, { prefix });
    const to = stamp();
    await contestant.stop();
    const parts = [];
    for (const file of readdirSync(folder)) {
      const spent = selfTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')), from, to);
      const all = [...spent.values()].reduce((sum, one) => sum + one, 0);
      const rows = [...spent]
        .sort((one, other) => other[1] - one[1])
        .slice(0, options.top)
        .map(([name, time]) => [
          `\`${name}\``,
          (time / result.tokens).toFixed(2),
          `${((100 * time) / all).toFixed(1)} %`,
        ]);
      parts.push(
        `${(all / result.tokens).toFixed(0)} µs per token in this thread\n\n${table(['function', 'self µs per token', 'share'], rows)}`,
      );
    }
    return `${result.tokens.toLocaleString('en')} tokens over ${plan.connections} connections, after two seconds of warming up.\n\n${parts.join('\n\n')}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
