// Flags and environment of the command. A flag comes before the environment; secrets come by file or environment only.
import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Client,
  ClientOptionError,
  type ClientOptions,
  createClient,
  fetchTrusting,
} from '@countersign/client';
import { parseIssuer } from '@countersign/protocol';
import { readConfiguredFile, UnreadableFile } from '@countersign/protocol/configured-file';

export const USAGE = `usage: countersign-agent --issuer URL --client-id ID --client-secret-file FILE --socket PATH
       countersign-agent --version

  --issuer URL               the authority (COUNTERSIGN_ISSUER)
  --client-id ID             the identity of this agent (COUNTERSIGN_CLIENT_ID)
  --client-secret-file FILE  its secret (COUNTERSIGN_CLIENT_SECRET, COUNTERSIGN_CLIENT_SECRET_FILE)
  --private-key-file FILE    its private key, in the place of a secret (private_key_jwt)
  --ca-file FILE             certificates to trust beside the authority's (COUNTERSIGN_CA_FILE)
  --socket PATH              where workloads connect; they get unix://PATH as SPIFFE_ENDPOINT_SOCKET
  --every SECONDS            how often to ask what is registered: 1 to 300, default 2
  --ready-file FILE          written once the authority has answered and calls are answered
`;

const OPTIONS = {
  issuer: { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret-file': { type: 'string' },
  'private-key-file': { type: 'string' },
  'ca-file': { type: 'string' },
  socket: { type: 'string' },
  every: { type: 'string' },
  'ready-file': { type: 'string' },
  version: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

export type Asked =
  | { readonly kind: 'version' | 'help' }
  | {
      readonly kind: 'run';
      readonly client: ClientOptions;
      readonly socket: string;
      readonly everyMs: number;
      readonly readyFile: string | undefined;
    };

/** What was asked is not clear, or not possible: exit code 2. */
export class UsageError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError */
export function readSettings(args: readonly string[], env: Environment): Asked {
  const values = flagsOf(args);
  if (values.version === true) return { kind: 'version' };
  if (values.help === true) return { kind: 'help' };
  const issuer = parseIssuer(required(values.issuer ?? env['COUNTERSIGN_ISSUER'], '--issuer'));
  if (issuer === undefined) throw new UsageError('--issuer is not the URL of an authority');
  const ca = textNamedBy('--ca-file', values['ca-file'], 'COUNTERSIGN_CA_FILE', env);
  return {
    kind: 'run',
    client: {
      issuer,
      clientId: required(values['client-id'] ?? env['COUNTERSIGN_CLIENT_ID'], '--client-id'),
      ...proofOf(values, env),
      ...(ca === undefined ? {} : { fetch: fetchOf(ca) }),
    },
    socket: resolve(required(values.socket, '--socket')),
    everyMs: secondsOf(values.every ?? '2') * 1000,
    readyFile: values['ready-file'] === undefined ? undefined : resolve(values['ready-file']),
  };
}

function flagsOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function proofOf(
  values: { readonly 'client-secret-file'?: string; readonly 'private-key-file'?: string },
  env: Environment,
): Pick<ClientOptions, 'clientSecret' | 'privateKey'> {
  const keyFile = values['private-key-file'];
  if (keyFile !== undefined) return { privateKey: textOf(keyFile, '--private-key-file') };
  const held = textNamedBy(
    '--client-secret-file',
    values['client-secret-file'],
    'COUNTERSIGN_CLIENT_SECRET_FILE',
    env,
  );
  const secret = held?.trim() ?? env['COUNTERSIGN_CLIENT_SECRET'];
  return { clientSecret: required(secret, '--client-secret-file or --private-key-file') };
}

function fetchOf(ca: string): typeof globalThis.fetch {
  try {
    new X509Certificate(ca);
    return fetchTrusting(ca);
  } catch {
    throw new UsageError('--ca-file names a file that holds no certificate in PEM');
  }
}

const FLAGS: Readonly<Record<string, string>> = {
  clientId: '--client-id',
  clientSecret: '--client-secret-file',
  privateKey: '--private-key-file',
};

/** The agent's own client of the authority. @throws UsageError naming the flag that its part of the settings came by */
export function clientOf(options: ClientOptions): Client {
  try {
    return createClient(options);
  } catch (error) {
    if (!(error instanceof ClientOptionError)) throw error;
    const { option, message } = error;
    throw new UsageError(`${FLAGS[option] ?? option}${message.slice(option.length)}`);
  }
}

function secondsOf(text: string): number {
  const seconds = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > 300) throw new UsageError('--every takes 1 to 300 seconds');
  return seconds;
}

/** What the file holds that the flag names, or the variable where there is no flag. */
function textNamedBy(
  flag: string,
  given: string | undefined,
  variable: string,
  env: Environment,
): string | undefined {
  if (given !== undefined) return textOf(given, flag);
  const file = env[variable];
  return file === undefined ? undefined : textOf(file, variable);
}

function textOf(file: string, setting: string): string {
  try {
    return readConfiguredFile(file);
  } catch (error) {
    throw error instanceof UnreadableFile
      ? new UsageError(`${setting} names ${file}, which ${error.problem}`)
      : error;
  }
}

function required(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw new UsageError(`${what} is missing\n\n${USAGE}`);
  return value;
}
