import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatBasicCredentials } from '@countersign/protocol';
import type { ReadyFile } from '../src/main.ts';

const COMMAND = fileURLToPath(new URL('../../cli/bin/countersign.js', import.meta.url));

/** What these tests need has been built. */
export const BUILT: boolean = [
  COMMAND,
  new URL('../dist/main.js', import.meta.url),
  new URL('../../cli/dist/main.js', import.meta.url),
].every((file) => existsSync(file));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CommandRun {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What is on stderr so far. */
  err(): string;
}

const children = new Set<ChildProcess>();

/** Ends what a failed test has left running. */
export function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** Runs `countersign` with these arguments in the folder, without settings of the environment's own. */
export function runCommand(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): CommandRun {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:COUNTERSIGN_|VITEST|NODE_OPTIONS$)/.test(name),
  );
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd,
    env: { ...Object.fromEntries(kept), NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      children.delete(child);
      resolve({ code, out, err });
    });
  });
  return { child, ended, err: () => err };
}

export interface RunningServer extends CommandRun {
  readonly ready: ReadyFile;
  stop(): Promise<Ended>;
}

/** Starts the authority and waits for its ready file. Rejects with what it said when it ends before. */
export async function startServer(
  cwd: string,
  readyFile: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const run = runCommand(cwd, args, env);
  let over: Ended | undefined;
  void run.ended.then((ended) => (over = ended));
  while (!existsSync(readyFile)) {
    if (over !== undefined) throw new Error(`it ended with ${over.code}: ${over.err}`);
    await sleep(20);
  }
  return {
    ...run,
    ready: JSON.parse(readFileSync(readyFile, 'utf8')) as ReadyFile,
    stop() {
      run.child.kill('SIGTERM');
      return run.ended;
    },
  };
}

export interface Fetched {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any;
  readonly text: string;
}

/** A request that trusts the authority's own CA. */
export function send(
  ready: ReadyFile,
  url: string,
  options: { method?: string; headers?: Readonly<Record<string, string>>; body?: string } = {},
): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      response.on('end', () => {
        const json: unknown = response.headers['content-type']?.includes('json')
          ? JSON.parse(text)
          : undefined;
        resolve({ status: response.statusCode ?? 0, json, text });
      });
    };
    const { body, ...rest } = options;
    const shared = { agent: false as const, ...rest };
    const sent = url.startsWith('https:')
      ? httpsRequest(url, { ...shared, ca: readFileSync(ready.ca_file as string) }, answered)
      : httpRequest(url, shared, answered);
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Asks for a token with these credentials. */
export function askToken(ready: ReadyFile, clientId: string, secret: string, more = ''): Promise<Fetched> {
  return send(ready, ready.token_endpoint, {
    method: 'POST',
    headers: {
      authorization: formatBasicCredentials(clientId, secret),
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `grant_type=client_credentials${more}`,
  });
}
