/**
 * Does a large estate make tokens dearer? The same load on an authority with a few identities and on one with very many,
 * interleaved: a few clients in turn (everything cached), and thousands of clients in turn (the caches do not hold them).
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressed, idleMegabytes } from './contestant.mjs';
import { freshFolder, isBuilt, startAuthority } from './countersign.mjs';
import { table } from './machine.mjs';
import { cpuMicroseconds } from './process-usage.mjs';
import { interleave, times } from './rounds.mjs';

/** The server's own way to write an estate through its storage port; undefined while it has none. */
async function estateSeeder() {
  try {
    const { seedEstate } = await import('@countersign/server/bench-estate');
    return seedEstate;
  } catch {
    return undefined;
  }
}

/**
 * @param {{dataDir: string, identities: number, clients: number, prefix: string[], seedEstate: Function}} options
 * @returns the running authority, its start and memory, and one contestant for few and one for many clients
 */
async function startEstate(options) {
  const { dataDir, identities } = options;
  const database = `sqlite:${dataDir}/estate.db`;
  // Contract: makes the data folder and database ready, writes one resource server with the scopes read and list and
  // `identities` identities, each with a client secret and access to both; gives back the secrets of `clients` of them.
  const filled = await options.seedEstate({
    database,
    dataDir,
    identities,
    clients: Math.min(options.clients, identities),
  });
  const authority = await startAuthority({ dataDir, database, prefix: options.prefix });
  const { pid, token_endpoint } = authority.ready;
  const address = addressed({ token_endpoint, ...filled });
  const contestant = (name, requests) => ({ ...address, name, pid, requests, idle: 0, stop: authority.stop });
  return {
    identities,
    seconds: authority.seconds,
    idle: await idleMegabytes(pid),
    quiet: await untilQuiet(pid),
    stop: authority.stop,
    few: contestant(`${identities.toLocaleString('en')} identities`, address.requests.slice(0, 10)),
    many: contestant(
      `${identities.toLocaleString('en')} identities, ${address.requests.length.toLocaleString('en')} clients in turn`,
      address.requests,
    ),
  };
}

/** Seconds that an authority has for the work of its first minutes on its own account, as looking over an estate that it has never seen. */
const QUIET_WITHIN = 150;

/** False when it was not within that many seconds: less than a tenth of a processor for eight of them. */
async function untilQuiet(pid) {
  let quiet = 0;
  for (let second = 0; quiet < 8; second++) {
    if (second === QUIET_WITHIN) return false;
    const before = cpuMicroseconds(pid);
    await sleep(1000);
    quiet = cpuMicroseconds(pid) - before < 100_000 ? quiet + 1 : 0;
  }
  return true;
}

/**
 * @param {{apart: {server: string[], load: string[], note: string}, rounds: number, seconds: number,
 *   estates: number[], estateClients: number, say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  const seedEstate = isBuilt() ? await estateSeeder() : undefined;
  if (seedEstate === undefined) {
    options.say('estate-size is NOT in this run: the built server has no bench-estate');
    return undefined;
  }
  const folders = [];
  const estates = [];
  try {
    for (const identities of options.estates) {
      const dataDir = freshFolder();
      folders.push(dataDir);
      options.say(`writing ${identities.toLocaleString('en')} identities`);
      estates.push(
        await startEstate({
          dataDir,
          identities,
          clients: options.estateClients,
          prefix: options.apart.server,
          seedEstate,
        }),
      );
    }
    const contestants = [...estates.map((one) => one.few), estates.at(-1).many];
    const results = await interleave(contestants, {
      ...options,
      connections: 64,
      prefix: options.apart.load,
    });
    const rows = results.map((one) => [
      one.name,
      one.cpu.toFixed(0),
      times(one, results[0]).median.toFixed(2),
      one.p50.toFixed(2),
      one.p99.toFixed(2),
    ]);
    const started = estates.map((one) => [
      one.few.name,
      one.seconds.toFixed(2),
      one.idle.toFixed(0),
      one.quiet ? 'yes' : 'no: its own work is counted in',
    ]);
    return [
      `64 connections, ${options.rounds} interleaved rounds of ${options.seconds} s; the embedded database; ${options.apart.note}.`,
      table(
        ['estate', 'CPU µs per token', 'tokens per CPU-second against the first', 'p50 ms', 'p99 ms'],
        rows,
      ),
      table(['estate', 'start s', 'RSS idle MB', 'quiet before the load'], started),
    ].join('\n\n');
  } finally {
    for (const one of estates) await one.stop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}
