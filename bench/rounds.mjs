/**
 * Interleaved rounds: A B C, A B C, … Machines drift by tens of percent within seconds, above all shared ones, so only
 * what ran moments apart is compared: each round gives its own ratio, and the median of those ratios is quoted.
 */
import { loadElsewhere } from './load.mjs';
import { median } from './machine.mjs';
import { cpuMicroseconds } from './process-usage.mjs';

const WARM_UP_TOKENS = 15_000;
const WARM_UP_SECONDS = 8;
/** @type {WeakSet<import('./contestant.mjs').Contestant>} */
const warm = new WeakSet();
/** How many requests each connection has sent, so that the next stretch goes on where the last one ended. @type {WeakMap<object, number>} */
const sent = new WeakMap();

/**
 * One stretch of load on one contestant.
 * @param {import('./contestant.mjs').Contestant} contestant
 * @param {{connections: number, seconds: number, count?: number, prefix: string[]}} options ends with what comes first
 */
async function stretch(contestant, options) {
  const { host, port, requests, assertions, expects, count } = contestant;
  const before = cpuMicroseconds(contestant.pid);
  const result = await loadElsewhere(
    {
      host,
      port,
      requests,
      expects,
      skip: sent.get(contestant) ?? 0,
      assertions,
      connections: options.connections,
      seconds: options.seconds,
      count: count ?? options.count,
    },
    { prefix: options.prefix },
  );
  sent.set(contestant, (sent.get(contestant) ?? 0) + Math.ceil(result.tokens / options.connections));
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
  // What the compiler and the caches need first is not counted: about as many tokens as it takes them to settle.
  for (const one of contestants) {
    // Whose requests are for once has none to spare; its process is warm by those of others.
    if (warm.has(one) || one.count !== undefined) continue;
    await stretch(one, { ...options, connections: 64, seconds: WARM_UP_SECONDS, count: WARM_UP_TOKENS });
    warm.add(one);
  }
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
