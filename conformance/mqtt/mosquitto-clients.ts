// mosquitto_pub and mosquitto_sub, and the broker they are of, as Debian has them.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { freePort } from '../authority-process.ts';
import { type Program, startProgram } from '../gateway/front-program.ts';

/** Paths of the programs; where one is missing the test is skipped with the reason. */
export function mosquittoPrograms(context: TestContext): Readonly<Record<'broker' | 'pub' | 'sub', string>> {
  const [broker, pub, sub] = ['', '_PUB', '_SUB'].map(
    (which) => process.env[`COUNTERSIGN_TEST_MOSQUITTO${which}`],
  );
  if (broker === undefined || pub === undefined || sub === undefined) return context.skip('needs mosquitto');
  return { broker, pub, sub };
}

export interface Broker extends Program {
  /** host:port */
  readonly address: string;
}

/** A broker that lets everybody in, on loopback. */
export async function startBroker(program: string, folder: string): Promise<Broker> {
  const port = await freePort();
  const home = join(folder, 'mosquitto');
  mkdirSync(home, { recursive: true });
  const user = process.getuid?.() === 0 ? 'user root' : '';
  writeFileSync(
    join(home, 'mosquitto.conf'),
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n${user}\n`,
  );
  const address = `127.0.0.1:${port}`;
  return { address, ...(await startProgram([program, '-c', join(home, 'mosquitto.conf')], { address })) };
}

export interface Said {
  readonly code: number | null;
  readonly text: string;
}

/** What every call of either program has. */
export interface ClientOptions {
  /** `mqtt://host:port` of the gateway. */
  readonly url: string;
  readonly version: '311' | '5';
  readonly id: string;
  readonly token?: string;
  readonly more?: readonly string[];
}

function options({ url, version, id, token, more = [] }: ClientOptions): string[] {
  const { hostname, port } = new URL(url);
  const login = token === undefined ? [] : ['-u', id, '-P', token];
  return ['-h', hostname, '-p', port, '-V', version, '-i', id, ...login, ...more];
}

/** Publishes with mosquitto_pub, and waits for its end. */
export function publish(program: string, client: ClientOptions, topic: string, qos = 1): Promise<Said> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...options(client), '-t', topic, '-m', `to ${topic}`, '-q', String(qos)],
      { timeout: 20_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), text: `${stdout}${stderr}` }),
    );
  });
}

export interface Subscriber {
  readonly child: ChildProcess;
  text(): string;
  /** Resolves when it has said so. */
  says(what: RegExp, withinMs?: number): Promise<string>;
  ended(): Promise<number | null>;
  stop(): void;
}

/** Subscribes with mosquitto_sub, which says everything that it gets. */
export function subscribe(program: string, client: ClientOptions, ...topics: readonly string[]): Subscriber {
  const filters = topics.flatMap((topic) => ['-t', topic]);
  // It writes to a pipe in blocks, which would keep what it says until it ends.
  const child = spawn('stdbuf', ['-oL', program, ...options(client), '-d', '-v', '-q', '1', ...filters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += String(chunk)));
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return {
    child,
    text: () => text,
    async says(what, withinMs = 20_000) {
      const until = Date.now() + withinMs;
      while (!what.test(text)) {
        if (Date.now() > until) throw new Error(`mosquitto_sub never said ${what}: ${text}`);
        await sleep(10);
      }
      return text;
    },
    ended: () => exit,
    // At SIGTERM it wants to say goodbye first, and one that was just sent away waits for that for ever.
    stop: () => void child.kill('SIGKILL'),
  };
}
