import {
  type Application,
  type ApplicationText,
  buildApplication,
  buildCommand,
  buildRouteMap,
  ArgumentScannerError,
  text_en,
} from '@stricli/core';
import { argumentFault, didYouMean } from './argument-fault.ts';
import type { CliContext, Target } from './context.ts';
import { exitCodeOf, failureOf } from './exit-code.ts';
import { withExamples } from './help.ts';
import { COMMANDS } from './program.ts';
import { ownVersion } from './version.ts';

/**
 * The program as Stricli sees it. Only the command named by the first word is there in full; the others stand in with
 * their names, which is all that help, completion and typing errors need.
 */
export async function buildProgram(firstWord: string | undefined): Promise<Application<CliContext>> {
  const named =
    firstWord !== undefined && Object.hasOwn(COMMANDS, firstWord) ? COMMANDS[firstWord] : undefined;
  const loaded = await named?.load();
  const routes = Object.fromEntries(
    Object.entries(COMMANDS).map(([name, entry]): [string, Target] => [
      name,
      entry === named && loaded !== undefined ? loaded : standIn(entry.brief),
    ]),
  );
  const root = buildRouteMap<string, CliContext>({
    routes,
    docs: {
      brief: 'Countersign: the authority for machines',
      fullDescription: OVERVIEW,
      hideRoute: Object.fromEntries(
        Object.entries(COMMANDS).map(([name, entry]) => [name, entry.hidden ?? false]),
      ),
    },
  });
  return buildApplication<CliContext>(withExamples(root, EXAMPLES), {
    name: 'countersign',
    versionInfo: { getCurrentVersion: async () => ownVersion() },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: {
      caseStyle: 'convert-camel-to-kebab',
      onlyRequiredInUsageLine: true,
      disableAnsiColor: true,
    },
    localization: { text: TEXT },
    determineExitCode: exitCodeOf,
  });
}

function standIn(brief: string): Target {
  return buildCommand<Record<never, never>, [], CliContext>({
    func: () => undefined,
    parameters: {},
    docs: { brief },
  });
}

const EXAMPLES = [
  'dev                        start an authority on this machine',
  'connect payments --to fraud --scopes fraud:read --owner you@example.com --for 90d',
  'token get --resource https://fraud.example | countersign token inspect',
  'explain req_0123456789abcdefghij     why was that refused?',
];

const OVERVIEW = `Countersign: the authority for machines

Answers go to stdout (-o table|json|yaml|ndjson|name), messages to stderr. Secrets come by stdin, file or environment.
Exit codes: 0 ok · 1 failure · 2 usage · 3 not found · 4 denied · 5 conflict · 6 difference found · 7 unreachable`;

const TEXT: ApplicationText = {
  ...text_en,
  headers: { ...text_en.headers, usage: 'EXAMPLES' },
  noCommandRegisteredForInput: ({ input, corrections }) =>
    lines(
      `error: there is no command ${JSON.stringify(input)}`,
      `fix: ${didYouMean(corrections) ?? 'see `countersign --help`'}`,
    ),
  exceptionWhileParsingArguments(error) {
    if (!(error instanceof ArgumentScannerError)) return `error: ${(error as Error).message}`;
    const { message, fix } = argumentFault(error);
    return lines(`error: ${message}`, fix === undefined ? undefined : `fix: ${fix}`);
  },
  exceptionWhileRunningCommand: (error) => failureText(error),
  exceptionWhileLoadingCommandFunction: (error) => failureText(error),
  commandErrorResult: (error) => failureText(error),
};

/** `error:`, then what to do, then where to ask further. */
export function failureText(error: unknown): string {
  const failure = failureOf(error);
  return lines(
    `error: ${failure.message}`,
    failure.fix === undefined ? undefined : `fix: ${failure.fix}`,
    failure.requestId === undefined ? undefined : `more: countersign explain ${failure.requestId}`,
  );
}

function lines(...texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined).join('\n');
}
