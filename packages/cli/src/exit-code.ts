import { CommandFailure, type FailureKind } from './failure.ts';
import { nearNames } from './near-name.ts';
import { networkFailure } from './network-failure.ts';

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130;

/** The exit codes that scripts rely on. */
export const EXIT_CODES: Readonly<Record<FailureKind | 'ok', ExitCode>> = {
  ok: 0,
  failure: 1,
  usage: 2,
  not_found: 3,
  denied: 4,
  conflict: 5,
  difference: 6,
  unreachable: 7,
  interrupted: 130,
};

export function exitCodeOf(error: unknown): ExitCode {
  return EXIT_CODES[failureOf(error).kind];
}

/** Status of an answer that refuses → why. What is not listed is a plain failure. */
const KIND_OF_STATUS: Readonly<Record<number, FailureKind>> = {
  0: 'unreachable',
  400: 'usage',
  401: 'denied',
  403: 'denied',
  404: 'not_found',
  409: 'conflict',
  412: 'conflict',
  413: 'usage',
  422: 'usage',
  428: 'conflict',
  502: 'unreachable',
  503: 'unreachable',
  504: 'unreachable',
};

/** Codes whose status says less than they do. */
const KIND_OF_CODE: Readonly<Record<string, FailureKind>> = { policy_test_failed: 'failure' };

/** The token endpoint's answers (RFC 6749 §5.2, RFC 8707 §2) → why. */
const KIND_OF_TOKEN_ERROR: Readonly<Record<string, FailureKind>> = {
  invalid_request: 'usage',
  invalid_client: 'denied',
  invalid_grant: 'denied',
  unauthorized_client: 'denied',
  access_denied: 'denied',
  invalid_scope: 'denied',
  invalid_target: 'denied',
  temporarily_unavailable: 'unreachable',
};

/** The flag that filled what a problem points at, for a command whose flags are members of the API. */
export type FlagOf = (pointer: string) => string | undefined;
const NO_FLAG: FlagOf = () => undefined;

/**
 * Any error as a failure with its words: ours as they are, then what the admin API, the token endpoint, the settings
 * and the network say. Errors of those libraries are known by name, so that reading one loads no library.
 */
export function failureOf(error: unknown, flagOf: FlagOf = NO_FLAG): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (!(error instanceof Error)) return new CommandFailure('failure', String(error));
  const read = Object.hasOwn(READERS, error.name) ? READERS[error.name] : undefined;
  return (
    read?.(error, flagOf) ??
    networkFailure(error) ??
    new CommandFailure('failure', error.message, { cause: error })
  );
}

const usage = (error: Error): CommandFailure => new CommandFailure('usage', error.message, { cause: error });

const READERS: Readonly<Record<string, (error: Error, flagOf: FlagOf) => CommandFailure>> = {
  AdminApiError: (error, flagOf) => adminFailure(error as AdminErrorShape, flagOf),
  TokenError: (error) => tokenFailure(error as TokenErrorShape),
  ClientOptionError: usage,
  VerifierOptionError: usage,
  SettingError: (error) => settingFailure(error as SettingErrorShape),
  DeclaredRefused: (error) => settingFailure(error as SettingErrorShape),
  DataLocked: (error) =>
    new CommandFailure('failure', `${sentence(error.message)}.`, {
      fix: 'Stop that one first, or use another folder with --data-dir.',
      cause: error,
    }),
};

interface SettingErrorShape extends Error {
  readonly setting: string;
  readonly problem: string;
  readonly fix: string | undefined;
  readonly known: readonly string[];
}

function settingFailure(error: SettingErrorShape): CommandFailure {
  const near = nearNames(error.setting, error.known);
  return new CommandFailure('usage', `${error.setting} ${error.problem}.`, {
    fix: near.length === 0 ? error.fix : `Did you mean ${near.join(' or ')}?`,
    cause: error,
  });
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface AdminErrorShape extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId?: string | undefined;
  readonly problem?:
    | {
        readonly title: string;
        readonly detail?: string | undefined;
        readonly existing?: string | undefined;
        readonly errors?: readonly { readonly pointer: string; readonly detail: string }[] | undefined;
      }
    | undefined;
}

function adminFailure(error: AdminErrorShape, flagOf: FlagOf): CommandFailure {
  if (error.code === 'unreachable') {
    return networkFailure(error.cause) ?? new CommandFailure('unreachable', error.message, { cause: error });
  }
  const { problem, status } = error;
  // A title is about the members of a request; who gave flags made none.
  const flags = problem?.errors?.every(({ pointer }) => flagOf(pointer) !== undefined) === true;
  const said = problem?.detail ?? (flags ? 'This is not acceptable:' : (problem?.title ?? error.message));
  const own = problem?.errors?.find(({ detail }) => detail === said);
  const flag = own === undefined ? undefined : flagOf(own.pointer);
  const lines = [
    flag === undefined ? said : `${flag}: ${said}`,
    // A rule that is about one member says it once.
    ...(problem?.errors ?? [])
      .filter(({ detail }) => !said.endsWith(detail))
      .map(({ pointer, detail }) => `  ${flagOf(pointer) ?? memberName(pointer)} ${detail}`),
    ...(problem?.existing === undefined ? [] : [`  what is there: ${problem.existing}`]),
  ];
  // What the command line names is not there, whether it stands in the path or in the body.
  const named = problem?.errors?.[0]?.pointer;
  const addressed =
    error.code === 'unknown_reference' &&
    named !== undefined &&
    (named === '/id' || flagOf(named) !== undefined);
  return new CommandFailure(
    addressed ? 'not_found' : (KIND_OF_CODE[error.code] ?? KIND_OF_STATUS[status] ?? 'failure'),
    lines.join('\n'),
    {
      fix: PROBLEM_FIX[error.code] ?? FIXES.find(([words]) => words.test(lines.join('\n')))?.[1],
      requestId: status === 401 || status >= 500 ? error.requestId : undefined,
      cause: error,
    },
  );
}

const PROBLEM_FIX: Readonly<Record<string, string>> = {
  needs_people: 'Sign in as somebody who may decide it: countersign login',
};

/** The name that people call it by is often not what it goes by. */
const FIXES: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:--[a-z-]+: )?there is no (?:such )?identity\b/,
    'Name it by its client_id or id: countersign identities list',
  ],
  [
    /\bresource_server\b.* not a name$|--resource-server .* not a name$/m,
    'Its identifier is in: countersign resource-servers list',
  ],
];

/** `/owner/person` → `owner.person`; `?limit` stays. */
function memberName(pointer: string): string {
  return pointer === '' ? 'the body' : pointer.replace(/^\//, '').replaceAll('/', '.');
}

interface TokenErrorShape extends Error {
  readonly code: string;
  /** Of the token endpoint, where it refused. */
  readonly error?: string | undefined;
  readonly requestId?: string | undefined;
}

const TOKEN_FIX: Readonly<Record<string, string>> = {
  invalid_client:
    'Check client id and its secret or key; an expired, revoked or suspended one answers the same.',
  invalid_target: 'Does this identity have access to that API? countersign access list --identity CLIENT_ID',
  invalid_scope: 'Does this identity hold such a scope? countersign access list --identity CLIENT_ID',
};

function tokenFailure(error: TokenErrorShape): CommandFailure {
  const { requestId } = error;
  if (error.code === 'refused') {
    const refusal = error.error ?? 'refused';
    return new CommandFailure(
      KIND_OF_TOKEN_ERROR[refusal] ?? 'failure',
      `The authority gives no token: ${refusal}`,
      {
        fix: TOKEN_FIX[refusal],
        requestId,
        cause: error,
      },
    );
  }
  const kind = error.code === 'unreachable' || error.code === 'unavailable' ? 'unreachable' : 'failure';
  return networkFailure(error) ?? new CommandFailure(kind, error.message, { requestId, cause: error });
}
