// libcoap's clients and its server, as Debian packages them (libcoap3-bin).
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type CoapClient = 'coap-client-openssl' | 'coap-client-gnutls' | 'coap-client-notls';

/** Where a program is; undefined where it is not. */
export function programOf(name: string): string | undefined {
  const given = process.env['COUNTERSIGN_TEST_LIBCOAP'];
  const folders =
    given === undefined || given === '' ? (process.env['PATH'] ?? '').split(delimiter) : [given];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export const LIBCOAP: boolean = (
  ['coap-client-openssl', 'coap-client-gnutls', 'coap-client-notls', 'coap-server-notls'] as const
).every((name) => programOf(name) !== undefined);

export interface CoapRun {
  readonly child: ChildProcess;
  out(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string }>;
}

/** An argument may hold any byte but zero: Node hands texts over as UTF-8, so a shell makes the bytes. */
export type Argument = string | Uint8Array;

const running = new Set<ChildProcess>();

/** Ends what a failed test has left running. */
export function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export function runCoap(program: string, args: readonly Argument[], input?: Uint8Array): CoapRun {
  const path = programOf(program);
  if (path === undefined) throw new Error(`${program} is not here`);
  const words = args.map((arg) => (typeof arg === 'string' ? quoted(arg) : bytesOf(arg)));
  const child = spawn('bash', ['-c', `exec ${path} ${words.join(' ')}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  running.add(child);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString('latin1')));
  const ended = new Promise<{ code: number | null; out: string }>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code, out });
    });
  });
  return { child, out: () => out, ended };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function bytesOf(bytes: Uint8Array): string {
  return `$'${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`;
}

/** `coap-server-notls` on a free port of loopback. */
export async function startCoapServer(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const port = await freePort();
  const server = runCoap('coap-server-notls', ['-A', '127.0.0.1', '-p', String(port)]);
  // It says nothing when it is there: who gets an answer from it knows.
  for (let tries = 0; tries < 50; tries++) {
    const ping = runCoap('coap-client-notls', ['-B', '1', `coap://127.0.0.1:${port}/time`]);
    if ((await ping.ended).out.trim() !== '') break;
  }
  return {
    port,
    async stop() {
      server.child.kill('SIGTERM');
      await server.ended;
    },
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Systems give ports from 32768 on (Linux) or 49152 on to who names none. */
const NEVER_GIVEN = { first: 12_000, last: 32_000 };

/**
 * Ports of loopback that nobody has and the system gives to nobody. Clients that choose for themselves may choose one twice (libcoap lets others have
 * it, SO_REUSEADDR), and of two at one address the second takes the place of the first (RFC 6347 §4.2.8).
 */
export async function clientPorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let port = NEVER_GIVEN.first + randomInt(10_000); ports.length < count; port++) {
    if (port > NEVER_GIVEN.last) throw new Error('no port is free');
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const bound = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => resolve(true));
  });
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return bound;
}

/** On OpenSSL and on GnuTLS. */
export const CLIENTS = ['coap-client-openssl', 'coap-client-gnutls'] as const;
/** What each prints when it is told. */
export const ALERTS: {
  readonly [client in (typeof CLIENTS)[number]]: { readonly wrongKey: string; readonly nobody: string };
} = {
  'coap-client-openssl': {
    wrongKey: 'alert read:fatal:decrypt error',
    nobody: 'alert read:fatal:illegal parameter',
  },
  'coap-client-gnutls': { wrongKey: "Alert '51'", nobody: "Alert '47'" },
};

/** Rejects when it has waited in vain. */
export async function until(holds: () => boolean, withinMs = 10_000, says = (): string => ''): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > withinMs) throw new Error(`waited in vain ${says()}`);
    await sleep(5);
  }
}

/** The codes of the answers that a client printed, in order. */
export function codesIn(out: string): readonly string[] {
  return [...out.matchAll(/ c:(\d\.\d\d) /g)]
    .map((match) => match[1] as string)
    .filter((code) => code !== '0.00');
}
