/**
 * Interleaved rounds: A B C, A B C, … Machines drift by tens of percent within seconds, above all shared ones, so only
 * what ran moments apart is compared: each round gives its own ratio, and the median of those ratios is quoted.
 */
import { loadElsewhere } from './load.mjs';
import { median } from './machine.mjs';
import { cpuMicroseconds } from './process-usage.mjs';

/**
 * One stretch of load on one contestant.
 * @param {import('./contestant.mjs').Contestant} contestant
 * @param {{connections: number, seconds: number, prefix: string[]}} options
 */
async function stretch(contestant, options) {
  const { host, port, requests } = contestant;
  const before = cpuMicroseconds(contestant.pid);
  const result = await loadElsewhere(
    { host, port, requests, connections: options.connections, seconds: options.seconds },
    { prefix: options.prefix },
  );
  const used = cpuMicroseconds(contestant.pid) - before;
  if (result.failed > 0 || result.tokens === 0) {
    throw new Error(
      `${contestant.name}: ${result.failed} requests got no token; the first: ${result.firstFailure}`,
    );
  }
  return {
    cpu: used / result.tokens,
    p50: result.p50,
    p99: result.p99,
    rate: result.tokens / result.seconds,
  };
}

/**
 * @param {import('./contestant.mjs').Contestant[]} contestants
 * @param {{connections: number, seconds: number, rounds: number, prefix: string[], say: (text: string) => void}} options
 *   seconds: of each stretch of load
 * @returns {Promise<{name: string, cpu: number, p50: number, p99: number, rate: number, rounds: number[]}[]>}
 *   medians: cpu in µs per token, latencies in ms, rate in tokens per second; `rounds` has the cpu of each round
 */
export async function interleave(contestants, options) {
  const seen = contestants.map((one) => ({ name: one.name, stretches: [] }));
  // The first stretch is for the compiler and the caches, and is not counted.
  for (const one of contestants) await stretch(one, { ...options, seconds: Math.max(options.seconds, 1.5) });
  for (let round = 1; round <= options.rounds; round++) {
    for (const [at, one] of contestants.entries()) seen[at].stretches.push(await stretch(one, options));
    options.say(
      `round ${round}: ${seen.map((one) => `${one.name} ${one.stretches.at(-1).cpu.toFixed(0)} µs`).join(' · ')}`,
    );
  }
  return seen.map(({ name, stretches }) => ({
    name,
    cpu: median(stretches.map((one) => one.cpu)),
    p50: median(stretches.map((one) => one.p50)),
    p99: median(stretches.map((one) => one.p99)),
    rate: median(stretches.map((one) => one.rate)),
    rounds: stretches.map((one) => one.cpu),
  }));
}

/**
 * How many times the tokens per CPU-second `ours` gives compared with `theirs`: the median over the rounds, and the
 * lowest and highest of them.
 * @param {{rounds: number[]}} ours
 * @param {{rounds: number[]}} theirs
 */
export function times(ours, theirs) {
  const ratios = ours.rounds.map((cpu, at) => theirs.rounds[at] / cpu);
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}
