import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from '../authority-process.ts';

export const COMMAND = fileURLToPath(
  new URL('../../packages/gateway/bin/countersign-gateway.js', import.meta.url),
);

/** The command that stands before an MQTT broker. */
export const MQTT_COMMAND: string = fileURLToPath(
  new URL('../../packages/mqtt/bin/countersign-mqtt.js', import.meta.url),
);

/** The ready file of `countersign-gateway`, and of `countersign-mqtt`. */
export interface GatewayReady {
  readonly auth?: string;
  readonly grpc?: string;
  readonly proxy?: string;
  readonly operation?: string;
  readonly mqtt?: string;
}

export interface RunningGateway {
  readonly ready: GatewayReady;
  readonly child: ChildProcess;
  readonly readyFile: string;
  log(): string;
  /** Sends the signal and waits for the end; resolves with the exit code or the signal. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

let count = 0;

/** Starts the command on a file of this text, and waits until it is ready. */
export function startGateway(
  folder: string,
  config: string,
  command: string = COMMAND,
): Promise<RunningGateway> {
  return spawnGateway(folder, config, command).ready();
}

/** Starts the command; `ready` waits until it is. */
export function spawnGateway(
  folder: string,
  config: string,
  command: string = COMMAND,
): { ready(): Promise<RunningGateway> } {
  const stem = join(folder, `gateway-${count++}`);
  const readyFile = `${stem}.json`;
  writeFileSync(`${stem}.yaml`, config);
  rmSync(readyFile, { force: true });
  const child = spawn(process.execPath, [command, '--config', `${stem}.yaml`, '--ready-file', readyFile], {
    cwd: folder,
    env: cleanEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop: RunningGateway['stop'] = async (signal = 'SIGTERM') => {
    if (isAlive()) child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const how = await ended;
    clearTimeout(late);
    return how;
  };
  return {
    async ready() {
      for (let tries = 0; !existsSync(readyFile); tries++) {
        if (tries > 3600 || !isAlive()) {
          await stop();
          throw new Error(`the gateway did not start: ${log.slice(-2000)}`);
        }
        await sleep(25);
      }
      const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as GatewayReady;
      return { ready, child, readyFile, log: () => log, stop };
    },
  };
}
