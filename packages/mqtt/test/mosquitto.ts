// Debian's Mosquitto, as it is, for tests: a broker of their own on a port of their own.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The program, given or where Debian puts it. */
export const MOSQUITTO: string | undefined = [
  process.env['COUNTERSIGN_TEST_MOSQUITTO'],
  '/usr/sbin/mosquitto',
].find((path) => path !== undefined && existsSync(path));

export interface RunningBroker {
  readonly port: number;
  readonly child: ChildProcess;
  log(): string;
  stop(): Promise<void>;
}

/** Starts one that lets everybody in, and waits until it takes connections. @param settings lines of its file */
export async function startMosquitto(settings = 'allow_anonymous true', at?: number): Promise<RunningBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-mosquitto-'));
  const port = at ?? (await freePort());
  const file = join(folder, 'mosquitto.conf');
  const user = process.getuid?.() === 0 ? 'user root' : '';
  writeFileSync(
    file,
    `listener ${port} 127.0.0.1\npersistence false\nlog_dest stderr\n${user}\n${settings}\n`,
  );
  const child = spawn(MOSQUITTO as string, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; !(await takesConnections(port)); tries++) {
    if (tries > 400 || child.exitCode !== null) {
      await stop();
      throw new Error(`mosquitto did not start: ${log}`);
    }
    await sleep(25);
  }
  return { port, child, log: () => log, stop };
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A port that nobody has right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
