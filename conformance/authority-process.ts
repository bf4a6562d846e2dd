import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Target } from './wire/target.ts';

const COMMAND = fileURLToPath(new URL('../packages/cli/bin/countersign.js', import.meta.url));

/** The ready file of `countersign dev` and `serve`. */
export interface ReadyFile {
  readonly pid: number;
  readonly version: string;
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly mtls_base?: string;
  readonly ca_file?: string;
  readonly admin?: {
    readonly client_id: string;
    readonly client_secret?: string;
    readonly resource: string;
    readonly api: string;
  };
}

export interface AuthorityOptions {
  /** Holds the data directory, the ready file and the log; made by the caller and removed by the caller. */
  readonly folder: string;
  readonly dataDir?: string;
  /** 0 lets the server choose; give a number where the issuer must survive a restart. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The admin's secret, from the first start: a later start does not tell it again. */
  readonly adminSecret?: string | undefined;
  readonly startWithinMs?: number;
  /** A command and its arguments that run the authority, such as a limiter in front of node. */
  readonly wrapper?: readonly string[];
}

export interface RunningAuthority {
  readonly ready: ReadyFile;
  readonly target: Target;
  readonly child: ChildProcess;
  readonly dataDir: string;
  readonly logFile: string;
  readonly readyFile: string;
  log(): string;
  /** Sends the signal and waits for the end. Resolves with the exit code, or the signal that ended it. */
  stop(signal?: NodeJS.Signals, withinMs?: number): Promise<number | NodeJS.Signals | null>;
}

/** The environment without settings of ours: the suite's own variables would be read as the server's. */
export function cleanEnvironment(
  more: Readonly<Record<string, string>> = {},
): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('COUNTERSIGN_') && !name.startsWith('VITEST') && name !== 'NODE_OPTIONS',
  );
  return { ...Object.fromEntries(kept), NODE_ENV: 'production', ...more };
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Starts `countersign dev` and waits for its ready file. Throws with the log's end where it does not come. */
export async function startAuthority(options: AuthorityOptions): Promise<RunningAuthority> {
  const dataDir = options.dataDir ?? join(options.folder, 'data');
  const readyFile = join(options.folder, 'ready.json');
  const logFile = join(options.folder, 'authority.log');
  rmSync(readyFile, { force: true });
  const command = [
    ...(options.wrapper ?? []),
    process.execPath,
    COMMAND,
    'dev',
    '--port',
    String(options.port ?? 0),
    '--data-dir',
    dataDir,
    '--ready-file',
    readyFile,
    ...(options.args ?? []),
  ];
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: options.folder,
    env: cleanEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(logFile, { flags: 'a' });
  let tail = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      log.write(chunk);
      tail = (tail + chunk.toString('utf8')).slice(-200_000);
    });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.on('exit', (code, signal) => resolve(code ?? signal));
    child.on('error', reject);
  });
  ended.catch(() => undefined);

  async function stop(
    signal: NodeJS.Signals = 'SIGTERM',
    withinMs = 20_000,
  ): Promise<number | NodeJS.Signals | null> {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const late = sleep(withinMs, 'late' as const, { ref: false });
    const how = await Promise.race([ended, late]);
    if (how === 'late') {
      child.kill('SIGKILL');
      await ended;
      throw new Error(`still running ${withinMs} ms after ${signal}; log ends:\n${tail.slice(-2000)}`);
    }
    return how;
  }

  const until = Date.now() + (options.startWithinMs ?? 30_000);
  let ready: ReadyFile | undefined;
  while (ready === undefined) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > until) {
      if (child.exitCode === null) child.kill('SIGKILL');
      throw new Error(
        `the authority did not get ready (exit ${child.exitCode}); log ends:\n${tail.slice(-4000)}`,
      );
    }
    await sleep(25);
    ready = readReadyFile(readyFile);
  }
  return {
    ready,
    target: targetOf(ready, options.adminSecret),
    child,
    dataDir,
    logFile,
    readyFile,
    log: () => tail,
    stop,
  };
}

/** Reads a ready file; undefined while it is not there or not whole. */
export function readReadyFile(file: string): ReadyFile | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ReadyFile;
  } catch {
    return undefined;
  }
}

/** What the tests need to know, from a ready file. */
export function targetOf(ready: ReadyFile, adminSecret?: string): Target {
  const secret = ready.admin?.client_secret ?? adminSecret;
  return {
    issuer: ready.issuer,
    tokenEndpoint: ready.token_endpoint,
    jwksUri: ready.jwks_uri,
    ...(ready.ca_file === undefined || ready.ca_file === null
      ? {}
      : { ca: readFileSync(ready.ca_file, 'utf8'), caFile: ready.ca_file }),
    ...(ready.admin === undefined || secret === undefined
      ? {}
      : {
          admin: {
            client: { id: ready.admin.client_id, secret },
            resource: ready.admin.resource,
            api: ready.admin.api,
          },
        }),
  };
}
