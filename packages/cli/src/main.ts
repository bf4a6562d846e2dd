import { ExitCode as StricliExitCode, proposeCompletions, run } from '@stricli/core';
import { buildProgram, failureText } from './application.ts';
import { type CliContext, say } from './context.ts';
import { EXIT_CODES, exitCodeOf } from './exit-code.ts';
import { type Host, processHost } from './host.ts';
import { respell } from './spelling.ts';

/** Runs one command line in the given host; resolves to its exit code and never rejects. */
export async function runCommandLine(given: readonly string[], host: Host): Promise<number> {
  const args = respell(given);
  const io = {
    // Help and version come this way, answers do not: an example without arguments would end in a space.
    stdout: { write: (text: string) => host.stdout.write(text.replace(/ +$/gm, '')) },
    stderr: host.stderr,
    env: {},
    exitCode: undefined as number | undefined,
  };
  const context: CliContext = {
    process: io,
    host,
    setExitCode(code) {
      io.exitCode = code;
    },
    propose: async (words) => proposeCompletions(await buildProgram(words[0]), words, context),
  };
  try {
    await run(await buildProgram(args[0]), args, context);
    return exitCodeOfRun(io.exitCode ?? EXIT_CODES.ok);
  } catch (error) {
    // Commands fail inside of `run`; this is one that could not even be loaded.
    say(host, failureText(error));
    return exitCodeOf(error);
  }
}

/** Stricli has negative codes for what went wrong before a command ran. */
function exitCodeOfRun(code: number): number {
  if (code === StricliExitCode.UnknownCommand || code === StricliExitCode.InvalidArgument) {
    return EXIT_CODES.usage;
  }
  return code < 0 ? EXIT_CODES.failure : code;
}

/** The `countersign` command. Sets the exit code instead of exiting, so that what was printed gets out. */
export async function main(): Promise<void> {
  process.exitCode = await runCommandLine(process.argv.slice(2), processHost());
}
