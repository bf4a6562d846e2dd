import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Host, StopSignal } from '../src/host.ts';
import { runCommandLine } from '../src/main.ts';

/** 2026-11-21T12:00:00Z: the present of every test that does not say otherwise. */
export const NOW: number = Date.UTC(2026, 10, 21, 12);

export interface FakeHostOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** What a person types; makes stdin and stderr terminals. */
  readonly answers?: readonly (string | undefined)[];
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly fetch?: typeof fetch;
  readonly now?: number;
  readonly nodeVersion?: string;
}

export interface FakeHost extends Host {
  out(): string;
  err(): string;
  signal(signal: StopSignal): void;
  readonly exits: number[];
}

/** A host whose streams are strings. */
export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  let out = '';
  let err = '';
  const answers = [...(options.answers ?? [])];
  const listeners = new Set<(signal: StopSignal) => void>();
  const exits: number[] = [];
  const person = options.answers !== undefined;
  return {
    env: options.env ?? {},
    cwd: options.cwd ?? '/nowhere',
    stdin: {
      isTTY: person,
      readAll: () => Promise.resolve(options.stdin ?? ''),
      ask(question) {
        err += question;
        return Promise.resolve(answers.shift());
      },
    },
    stdout: {
      isTTY: options.terminal ?? false,
      columns: options.columns,
      write: (text) => void (out += text),
    },
    stderr: {
      isTTY: person || (options.terminal ?? false),
      columns: undefined,
      write: (text) => void (err += text),
    },
    now: () => options.now ?? NOW,
    nodeVersion: options.nodeVersion ?? '24.11.0',
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    onStopSignal(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exit: (code) => void exits.push(code),
    exits,
    out: () => out,
    err: () => err,
    signal(signal) {
      for (const listener of listeners) listener(signal);
    },
  };
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in a fake host. */
export async function runCli(args: readonly string[], options: FakeHostOptions = {}): Promise<Ran> {
  const host = fakeHost(options);
  const code = await runCommandLine(args, host);
  return { code, out: host.out(), err: host.err() };
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
