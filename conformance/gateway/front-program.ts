import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Program {
  stop(): Promise<void>;
}

/** Starts a front proxy and waits until it takes connections. */
export async function startProgram(
  command: readonly string[],
  { address, env = {} }: { readonly address: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Program> {
  const child = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += String(chunk)));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
  };
  for (let tries = 0; !(await takesConnections(address)); tries++) {
    if (tries > 1200 || child.exitCode !== null) {
      await stop();
      throw new Error(`${command[0]} did not start: ${said.slice(-2000)}`);
    }
    await sleep(50);
  }
  return { stop };
}

function takesConnections(address: string): Promise<boolean> {
  const [host, port] = address.split(':') as [string, string];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) }, () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
