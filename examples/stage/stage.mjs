// What the story needs of the machine: children that end with it, and steps that are told as they are done.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {{ code: number, out: string, err: string }} Ended */

/** A step did not end as it should. */
export class StepFailed extends Error {
  /** @param {string} expected @param {string} got */
  constructor(expected, got) {
    super(`expected ${expected}, got ${got.trim() || 'nothing'}`);
  }
}

/** @param {string} expected @param {boolean} held @param {string} got */
export function expect(expected, held, got) {
  if (!held) throw new StepFailed(expected, got);
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();

// However this process ends, short of being killed, its children do not outlive it.
process.once('exit', () => {
  for (const child of children) child.kill('SIGTERM');
});
// A reader that left (`| head`) ends the story.
process.stdout.once('error', () => process.exit(1));

/**
 * Starts a program of this project that stays up; it ends with us.
 * @param {string[]} args of node
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 */
export function start(args, options) {
  return startProgram(process.execPath, args, options);
}

/**
 * The same of any program.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 */
export function startProgram(program, args, options) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/**
 * Runs a program of this project to its end.
 * @param {string[]} args of node
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<Ended>}
 */
export async function run(args, options) {
  const child = start(args, options);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (err += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code: code ?? 1, out: out.trim(), err: err.trim() };
}

/**
 * The first line that a child prints.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string>}
 */
export function firstLine(child) {
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk) => {
      out += chunk;
      if (out.includes('\n')) resolve(out.slice(0, out.indexOf('\n')));
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk) => (err += chunk));
    child.once('exit', (code) =>
      reject(new StepFailed('a program that stays up', `exit code ${code}: ${err}`)),
    );
  });
}

/** Ends what was started here, and nothing else; resolves when all of it has ended. */
export async function endAll() {
  const ending = [...children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of children) child.kill('SIGTERM');
  const late = setTimeout(() => {
    for (const child of children) child.kill('SIGKILL');
  }, 8000);
  await Promise.all(ending);
  clearTimeout(late);
}

/**
 * Does one step and tells it: a tick, what happened, how long it took, and the command that does it.
 * @template T
 * @param {string} title @param {string} command @param {() => Promise<T>} work @returns {Promise<T>}
 */
export async function step(title, command, work) {
  const started = performance.now();
  try {
    const result = await work();
    const took = `${Math.round(performance.now() - started)} ms`;
    console.log(`✓ ${title.padEnd(66)} ${took.padStart(8)}\n    ${command}`);
    return result;
  } catch (error) {
    console.log(`✗ ${title}\n    ${command}`);
    throw error;
  }
}

/**
 * What an authority or a gateway wrote when it was ready, of the child that was told to write `file`.
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} file
 */
export async function awaitFile(child, file) {
  let told = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk) => (told = (told + chunk).slice(-4000)));
  child.stdout?.resume();
  for (const started = performance.now(); performance.now() - started < 30_000; await sleep(5)) {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
    expect('a program that is ready', child.exitCode === null, `exit code ${child.exitCode}: ${told}`);
  }
  throw new StepFailed('a program that is ready within 30 s', told);
}
