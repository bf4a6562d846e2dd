import { existsSync } from 'node:fs';
import { type CliContext, say } from '../context.ts';
import { locateRefused } from '../declared/declared-request.ts';
import { EXIT_CODES } from '../exit-code.ts';
import type { StopSignal } from '../host.ts';
import { alreadyRunning } from './already-running.ts';
import { startFailure } from './start-failure.ts';
import { type RunningFacts, runningLines } from './running-lines.ts';
import type { ServingFlags } from './flags.ts';

/** What `@countersign/server/main` offers, as far as it is used here. */
export interface AuthorityMain {
  startAuthority(options: {
    readonly mode: 'dev' | 'serve';
    readonly flags: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly consoleFolder: URL | undefined;
  }): Promise<{
    readonly ready: RunningFacts;
    readonly console?: string | undefined;
    readonly readyFile: string | undefined;
    stop(): Promise<void>;
  }>;
}

/**
 * Runs the authority until a signal ends it: the first drains (exit code 0), a second one ends the process at once.
 * Resolves when it has stopped.
 */
export async function runAuthority(
  context: CliContext,
  mode: 'dev' | 'serve',
  flags: ServingFlags,
  loadMain: () => Promise<AuthorityMain>,
): Promise<void> {
  const { host } = context;
  const stop = stopRequest(context);
  try {
    const [{ startAuthority }, consoleFolder] = await Promise.all([loadMain(), findConsole()]);
    const settings = settingFlags(flags);
    const authority = await startAuthority({
      mode,
      flags: settings,
      env: host.env,
      consoleFolder,
    }).catch(async (error: unknown) => {
      throw startFailure(await locateRefused(host, error), (port) => alreadyRunning(host, flags, port));
    });
    const facts = { ...authority.ready, console: authority.console };
    for (const line of runningLines(mode, facts, authority.readyFile, host.cwd)) say(host, line);
    const signal = await stop.requested;
    say(host, `${signal}: finishing what is in flight; once more to stop at once.`);
    await authority.stop();
  } finally {
    stop.release();
  }
}

/** Where the console's files are; undefined where its package is not installed, or not built. */
async function findConsole(): Promise<URL | undefined> {
  try {
    const { SITE } = await import('@countersign/console');
    return existsSync(new URL('site.json', SITE)) ? SITE : undefined;
  } catch {
    return undefined;
  }
}

/** Ctrl-C under npx arrives twice, from the terminal and from npm: what comes so soon after is the same wish. */
const SAME_WISH_MS = 500;

function stopRequest({ host }: CliContext): { readonly requested: Promise<StopSignal>; release(): void } {
  let first: number | undefined;
  let request: (signal: StopSignal) => void;
  const requested = new Promise<StopSignal>((resolve) => {
    request = resolve;
  });
  const release = host.onStopSignal((signal) => {
    if (first === undefined) {
      first = host.now();
      request(signal);
    } else if (host.now() - first >= SAME_WISH_MS) host.exit(EXIT_CODES.interrupted);
  });
  return { requested, release };
}

/** Flags under the names of the settings; what was not given is left to environment, file and default. */
function settingFlags({
  set,
  ...flags
}: ServingFlags): Readonly<Record<string, string | readonly string[] | boolean | undefined>> {
  const named = Object.entries(flags).map(([key, value]) => [kebabCase(key), value] as const);
  return Object.fromEntries(
    [...named, ...(set ?? [])].filter(([, value]) => value !== undefined && value !== false),
  );
}

function kebabCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
