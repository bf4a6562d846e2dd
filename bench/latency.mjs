/**
 * What one thing adds to the latency of another: both are done one call at a time, in interleaved rounds, and only what ran in
 * the same round is compared.
 */
import { loadavg } from 'node:os';
import { percentile } from './load.mjs';
import { median, table } from './machine.mjs';
import { cpuMicroseconds } from './process-usage.mjs';

/**
 * One call to the end of its answer.
 * @param {() => Promise<Response>} call
 * @returns {Promise<number>} milliseconds; throws when the answer is no good one
 */
export async function timed(call) {
  const began = performance.now();
  const answer = await call();
  const text = await answer.text();
  const took = performance.now() - began;
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return took;
}

/**
 * @typedef {{name: string, p50: number, p99: number, addedP50: number, addedP99: number, cpu: Record<string, number>}} Taken
 *   medians over the rounds, in ms; added: to the first kind; cpu: µs a call by process
 */

/**
 * Lets all kinds take turns, after so many calls of each that do not count: the platform compiles while they last.
 * @param {Record<string, () => Promise<number>>} kinds each gives the milliseconds of one call
 * @param {{rounds: number, each: number, warmUp: number, pids: Record<string, number>, say: (text: string) => void}} options
 * @returns {Promise<Taken[]>}
 */
export async function takeTurns(kinds, { rounds, each, warmUp, pids, say }) {
  /** @type {{name: string, p50: number[], p99: number[], cpu: Record<string, number>[]}[]} */
  const seen = Object.keys(kinds).map((name) => ({ name, p50: [], p99: [], cpu: [] }));
  for (const once of Object.values(kinds)) for (let call = 0; call < warmUp; call++) await once();
  for (let round = 1; round <= rounds; round++) {
    for (const [at, once] of Object.values(kinds).entries()) {
      const before = usage(pids);
      const times = new Float64Array(each);
      for (let call = 0; call < each; call++) times[call] = await once();
      times.sort();
      const after = usage(pids);
      seen[at].p50.push(percentile(times, 0.5));
      seen[at].p99.push(percentile(times, 0.99));
      seen[at].cpu.push(
        Object.fromEntries(Object.keys(pids).map((of) => [of, (after[of] - before[of]) / each])),
      );
    }
    say(
      `round ${round}: ${seen.map(({ name, p50, p99 }) => `${name} ${p50.at(-1).toFixed(2)} · ${p99.at(-1).toFixed(2)} ms`).join(', ')}`,
    );
  }
  const [first] = seen;
  return seen.map(({ name, p50, p99, cpu }) => ({
    name,
    p50: median(p50),
    p99: median(p99),
    addedP50: median(p50.map((one, at) => one - first.p50[at])),
    addedP99: median(p99.map((one, at) => one - first.p99[at])),
    cpu: Object.fromEntries(Object.keys(pids).map((of) => [of, median(cpu.map((each) => each[of]))])),
  }));
}

/** @param {Record<string, number>} pids */
const usage = (pids) =>
  Object.fromEntries(Object.entries(pids).map(([of, pid]) => [of, cpuMicroseconds(pid)]));

/** How busy the machine was with other things, which latencies tell more of than CPU time does. */
export const meanwhile = () => `Load average of the machine at the end: ${loadavg()[0].toFixed(1)}`;

/** @param {string} what @param {Taken[]} taken */
export function latencyTable(what, taken) {
  const processes = Object.keys(taken[0].cpu);
  const head = [
    what,
    'p50 ms',
    'p99 ms',
    'added p50',
    'added p99',
    ...processes.map((of) => `CPU µs, ${of}`),
  ];
  const rows = taken.map(({ name, p50, p99, addedP50, addedP99, cpu }, at) => [
    name,
    ...[p50, p99].map((one) => one.toFixed(2)),
    ...[addedP50, addedP99].map((one) => (at === 0 ? '–' : one.toFixed(2))),
    ...processes.map((of) => cpu[of].toFixed(0)),
  ]);
  return table(head, rows);
}
