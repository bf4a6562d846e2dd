// Starting other programs so that none outlives us: each is remembered until it ends, and ended by its id when we are.
import { spawn } from 'node:child_process';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** Each with the signal by which it ends in good order. @type {Map<ChildProcess, NodeJS.Signals>} */
const running = new Map();
/** We are on our way out: nothing is begun any more, and who waits for a child waits until we are gone. */
let ending = false;

/**
 * Starts a program that is ended with us.
 * @param {string} program @param {string[]} args @param {import('node:child_process').SpawnOptions} [options]
 * @param {NodeJS.Signals} [endSignal]
 * @returns {ChildProcess}
 */
export function start(program, args, options = {}, endSignal = 'SIGTERM') {
  const child = spawn(program, args, options);
  running.set(child, endSignal);
  const forget = () => running.delete(child);
  child.once('exit', forget).once('error', forget);
  return child;
}

/**
 * Runs a program to its end and answers what it printed on both streams.
 * @param {string} program @param {string[]} args @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{code: number, text: string}>} code 127 when it cannot be started, 130 when a signal ended it
 */
export function output(program, args, options = {}) {
  return new Promise((resolve) => {
    if (ending) return;
    const child = start(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const add = (/** @type {Buffer} */ chunk) => {
      text += chunk.toString();
    };
    child.stdout?.on('data', add);
    child.stderr?.on('data', add);
    child.once('error', (error) => resolve({ code: 127, text: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 130, text }));
  });
}

/**
 * Runs a program to its end on our own streams.
 * @param {string} program @param {string[]} args @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<number>} its exit code; 127 when it cannot be started, 130 when a signal ended it
 */
export function run(program, args, options = {}) {
  return new Promise((resolve) => {
    if (ending) return;
    const child = start(program, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 130));
  });
}

/** Asks every program we started to end, then makes it. @param {number} patienceMs */
async function endAll(patienceMs = 5000) {
  const children = [...running.keys()];
  for (const [child, signal] of running) child.kill(signal);
  const ended = Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  const tooLong = setTimeout(() => {
    for (const child of running.keys()) child.kill('SIGKILL');
  }, patienceMs);
  await ended;
  clearTimeout(tooLong);
}

/** On Ctrl-C, a terminal that closes or a request to stop: end the children, run `last`, exit 130. @param {() => unknown} [last] */
export function endWithUs(last = () => undefined) {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      void endAll()
        .then(last)
        .finally(() => process.exit(130));
    });
  }
}
