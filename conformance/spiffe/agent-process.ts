import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from '../authority-process.ts';
import type { ClientCredentials, Target } from '../wire/target.ts';

const COMMAND = fileURLToPath(new URL('../../packages/agent/bin/countersign-agent.js', import.meta.url));

export interface RunningAgent {
  /** For SPIFFE_ENDPOINT_SOCKET. */
  readonly endpoint: string;
  readonly socket: string;
  readonly child: ChildProcess;
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

let count = 0;

/** Starts `countersign-agent` as this identity, and waits until its socket takes calls. */
export async function startAgent(
  folder: string,
  target: Target,
  identity: ClientCredentials,
  args: readonly string[] = [],
): Promise<RunningAgent> {
  const stem = join(folder, `agent-${count++}`);
  const readyFile = `${stem}.json`;
  const socket = `${stem}.sock`;
  writeFileSync(`${stem}.secret`, identity.secret, { mode: 0o600 });
  const given = ['--issuer', target.issuer, '--client-id', identity.id, '--socket', socket];
  const files = ['--client-secret-file', `${stem}.secret`, '--ready-file', readyFile];
  const trust = target.caFile === undefined ? [] : ['--ca-file', target.caFile];
  const child = spawn(process.execPath, [COMMAND, ...given, ...files, ...trust, '--every', '1', ...args], {
    cwd: folder,
    env: cleanEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop: RunningAgent['stop'] = async (signal = 'SIGTERM') => {
    if (isAlive()) child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  };
  for (let tries = 0; !existsSync(readyFile); tries++) {
    if (tries > 2000 || !isAlive()) {
      await stop();
      throw new Error(`the agent did not start: ${log.slice(-2000)}`);
    }
    await sleep(25);
  }
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as { endpoint_socket: string };
  return { endpoint: ready.endpoint_socket, socket, child, log: () => log, stop };
}
