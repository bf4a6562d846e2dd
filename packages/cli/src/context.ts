import type { Command, CommandContext, RouteMap } from '@stricli/core';
import type { ExitCode } from './exit-code.ts';
import type { Host } from './host.ts';

export interface Proposal {
  readonly completion: string;
  readonly brief: string;
}

/** What each command runs with: `this`. */
export interface CliContext extends CommandContext {
  readonly host: Host;
  /** Ends with this code although nothing went wrong: `plan` found a difference, `doctor` a failed check. */
  setExitCode(code: ExitCode): void;
  /** How a command line may go on; the last word is unfinished. */
  propose(words: readonly string[]): Promise<readonly Proposal[]>;
}

/** A command, or a group of them. */
export type Target = Command<CliContext> | RouteMap<CliContext>;

/** A line for people. stdout is for what was asked for. */
export function say(host: Pick<Host, 'stderr'>, line: string): void {
  host.stderr.write(`${line}\n`);
}
