/**
 * A contestant: a server process of its own that hands out tokens, and the requests to send it.
 *
 * @typedef {{name: string, pid: number, host: string, port: number, requests: string[],
 *   assertions?: Parameters<typeof import('./assertion-requests.mjs').assertionRequests>[0], idle: number,
 *   expects?: 'token' | 'active', count?: number, stop: () => Promise<void>}} Contestant
 *   `requests`: base64 of whole HTTP requests, one per client. `expects`: what the answers must bring. `count`: of a stretch, instead of a time. `idle`: resident MB a second after start, before any load.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tokenRequest } from './load.mjs';
import { residentMegabytes } from './process-usage.mjs';

/**
 * Starts a program and keeps the end of what it says on stderr, for the message when it fails.
 * @param {string[]} command
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv}} [options]
 */
export function launch(command, options = {}) {
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let complaint = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output = (output + text).slice(-65_536);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint = (complaint + text).slice(-4000);
  });
  const ended = new Promise((resolve) => {
    child.on('close', resolve);
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  };
  return { child, stop, said: () => output, complaint: () => complaint };
}

/**
 * Waits until `look` gives something, or the program ended, or the time is up.
 * @template T
 * @param {ReturnType<typeof launch>} program
 * @param {() => T | undefined} look
 * @param {number} [everyMs]
 * @param {number} [withinMs]
 * @returns {Promise<T>}
 */
export async function awaitFrom(program, look, everyMs = 5, withinMs = 30_000) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (program.child.exitCode !== null || program.child.signalCode !== null || Date.now() > deadline) {
      await program.stop();
      throw new Error(
        `the server did not become ready: ${program.complaint() || program.said() || 'it said nothing'}`,
      );
    }
    await sleep(everyMs);
  }
}

/**
 * Where and what to send: the address and one request per client.
 * @param {{token_endpoint: string, issuer?: string, resource: string, scope: string,
 *   clients: {client_id: string, client_secret: string, jwk?: object}[]}} ready  issuer: where the clients have keys too
 */
export function addressed(ready) {
  const url = new URL(ready.token_endpoint);
  const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname;
  const requests = ready.clients.map((client) =>
    tokenRequest({
      host: url.hostname,
      port: Number(url.port),
      path: url.pathname,
      clientId: client.client_id,
      clientSecret: client.client_secret,
      resource: ready.resource,
      scope: ready.scope,
    }).toString('base64'),
  );
  const assertions = {
    address: url.host,
    path: url.pathname,
    audience: ready.issuer,
    resource: ready.resource,
    scope: ready.scope,
    clients: ready.clients,
  };
  return { host, port: Number(url.port), requests, keyed: ready.issuer && assertions };
}

/** The same contestant, asked by clients with keys. @param {Contestant & {keyed?: any}} contestant @returns {Contestant} */
export function signing(contestant) {
  if (contestant.keyed === undefined) throw new Error(`${contestant.name} knows no keys`);
  return { ...contestant, assertions: contestant.keyed };
}

/** Resident memory once a started server has come to rest. @param {number} pid */
export async function idleMegabytes(pid) {
  await sleep(1000);
  return residentMegabytes(pid).now;
}

/**
 * Starts one of the peers in `peers/`; it prints one line of JSON when it listens.
 * @param {string} name
 * @param {string} file
 * @param {{prefix: string[], clients: number, flags?: string[]}} options
 * @returns {Promise<Contestant>}
 */
export async function startPeer(name, file, options) {
  const path = fileURLToPath(new URL(`./peers/${file}`, import.meta.url));
  const flags = ['--clients', String(options.clients), ...(options.flags ?? [])];
  const program = launch([...options.prefix, process.execPath, path, ...flags]);
  const line = await awaitFrom(program, () => {
    const end = program.said().indexOf('\n');
    return end < 0 ? undefined : program.said().slice(0, end);
  });
  const pid = program.child.pid;
  return { name, pid, ...addressed(JSON.parse(line)), idle: await idleMegabytes(pid), stop: program.stop };
}
