import { resolve } from 'node:path';
import type { PrivateKey } from '@countersign/client';
import { parseIssuer } from '@countersign/protocol';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { readPrivateKey } from './private-key-source.ts';
import { DEFAULT_READY_FILE, readReadyFile, type ReadyFile } from './ready-file.ts';
import { type NamedFile, readSecret } from './secret-source.ts';

/** The flags that say which authority to talk to, and as whom. */
export interface ConnectionFlags {
  readonly issuer?: string | undefined;
  readonly caFile?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecretFile?: string | undefined;
  readonly privateKeyFile?: string | undefined;
  readonly readyFile?: string | undefined;
}

/** Where the authority is. */
export interface AuthorityAddress {
  readonly issuer: string;
  readonly caFile: string | undefined;
  /** Which setting named that. */
  readonly caFrom: string;
  readonly readyFile: ReadyFile | undefined;
  /** Which setting named it, for people. */
  readonly from: string;
}

/** What proves who this program is. */
type Proof = { readonly clientSecret: string } | { readonly privateKey: PrivateKey };

export type CallerCredential = { readonly clientId: string } & Proof;

/** Flag, then environment, then ready file. */
export function resolveAuthority(host: Pick<Host, 'env' | 'cwd'>, flags: ConnectionFlags): AuthorityAddress {
  const readyFile = findReadyFile(host, flags);
  const named = setting(flags.issuer, '--issuer', host, 'COUNTERSIGN_ISSUER');
  const issuer = named?.value ?? readyFile?.issuer;
  if (issuer === undefined) {
    throw usageError(
      'Which authority? There is no --issuer, no COUNTERSIGN_ISSUER and no ready file.',
      `Start one with \`countersign dev\`, or name one: --issuer https://authority.example`,
    );
  }
  assertIssuer(issuer, named?.from ?? 'The ready file');
  const same = sameIssuer(readyFile, issuer);
  const caFile = setting(flags.caFile, '--ca-file', host, 'COUNTERSIGN_CA_FILE');
  return {
    issuer,
    caFile: caFile === undefined ? same?.caFile : resolve(host.cwd, caFile.value),
    caFrom: caFile?.from ?? same?.path ?? '--ca-file',
    readyFile: same,
    from: named?.from ?? (readyFile?.path as string),
  };
}

/** Whether flags or environment say as whom: then nobody's sign-in counts. */
export function namesCaller({ env }: Pick<Host, 'env'>, flags: ConnectionFlags): boolean {
  const given = [flags.clientId, flags.clientSecretFile, flags.privateKeyFile].some(
    (flag) => flag !== undefined,
  );
  return given || CALLER_VARIABLES.some((name) => (env[name] ?? '') !== '');
}

const CALLER_VARIABLES = [
  'COUNTERSIGN_CLIENT_ID',
  'COUNTERSIGN_CLIENT_SECRET',
  'COUNTERSIGN_CLIENT_SECRET_FILE',
  'COUNTERSIGN_PRIVATE_KEY_FILE',
];

/** Who this program is to the authority. A secret from a ready file goes only to the issuer of that file. */
export async function resolveCaller(
  host: Pick<Host, 'env' | 'cwd' | 'stdin'>,
  flags: ConnectionFlags,
  authority: AuthorityAddress,
): Promise<CallerCredential> {
  const clientId = setting(flags.clientId, '--client-id', host, 'COUNTERSIGN_CLIENT_ID')?.value;
  const given = await givenProof(host, flags);
  const ready = authority.readyFile;
  if (clientId !== undefined && given !== undefined) return { clientId, ...given };
  if (clientId !== undefined && clientId !== ready?.adminClientId) {
    throw usageError(
      `There is no secret and no key for ${clientId}.`,
      'Name a file with --private-key-file or --client-secret-file (- for stdin), or set COUNTERSIGN_PRIVATE_KEY_FILE, COUNTERSIGN_CLIENT_SECRET_FILE or COUNTERSIGN_CLIENT_SECRET.',
    );
  }
  const id = clientId ?? ready?.adminClientId;
  if (id === undefined) {
    throw usageError(
      'As whom? There is no --client-id, no COUNTERSIGN_CLIENT_ID and no ready file of this authority.',
      'Name an identity with --client-id, and its key with --private-key-file or its secret with --client-secret-file.',
    );
  }
  if (given !== undefined) return { clientId: id, ...given };
  const clientSecret = ready?.adminSecret;
  if (clientSecret === undefined) {
    throw usageError(
      `There is no secret for ${id}: the ready file no longer tells it.`,
      'Name a file with --private-key-file or --client-secret-file, or make a new secret on the host: countersign admin reset',
    );
  }
  return { clientId: id, clientSecret };
}

/** By flag, else by environment; a key and a secret in the same place leave open which is meant. */
async function givenProof(
  host: Pick<Host, 'env' | 'cwd' | 'stdin'>,
  { privateKeyFile, clientSecretFile }: ConnectionFlags,
): Promise<Proof | undefined> {
  const keyFile = setting(privateKeyFile, '--private-key-file', host, 'COUNTERSIGN_PRIVATE_KEY_FILE');
  const secretFile = setting(
    clientSecretFile,
    '--client-secret-file',
    host,
    'COUNTERSIGN_CLIENT_SECRET_FILE',
  );
  const secret = host.env['COUNTERSIGN_CLIENT_SECRET'] || undefined;
  if (privateKeyFile !== undefined || clientSecretFile !== undefined) {
    requireOne('--private-key-file', privateKeyFile, '--client-secret-file', clientSecretFile);
    return privateKeyFile === undefined
      ? { clientSecret: await readSecret(host, secretFile as NamedFile, 'client secret') }
      : { privateKey: readPrivateKey(host, keyFile as NamedFile) };
  }
  requireOne(
    'COUNTERSIGN_PRIVATE_KEY_FILE',
    keyFile?.value,
    'a COUNTERSIGN_CLIENT_SECRET',
    secretFile?.value ?? secret,
  );
  if (keyFile !== undefined) return { privateKey: readPrivateKey(host, keyFile) };
  if (secretFile !== undefined) return { clientSecret: await readSecret(host, secretFile, 'client secret') };
  return secret === undefined ? undefined : { clientSecret: secret };
}

function requireOne(one: string, key: string | undefined, other: string, secret: string | undefined): void {
  if (key === undefined || secret === undefined) return;
  throw usageError(`There are both ${one} and ${other}.`, 'Give the one that is meant.');
}

function findReadyFile(host: Pick<Host, 'env' | 'cwd'>, flags: ConnectionFlags): ReadyFile | undefined {
  const named = setting(flags.readyFile, '--ready-file', host, 'COUNTERSIGN_READY_FILE');
  const path = resolve(host.cwd, named?.value ?? DEFAULT_READY_FILE);
  const found = readReadyFile(path, named?.from);
  if (found === undefined && named !== undefined) {
    throw usageError(`${named.from} names ${path}, which is not there.`, 'Is the authority running?');
  }
  return found;
}

function sameIssuer(readyFile: ReadyFile | undefined, issuer: string): ReadyFile | undefined {
  return readyFile?.issuer === issuer ? readyFile : undefined;
}

/** What a flag says, or the variable where there is no flag; and which of the two it was. */
export function setting(
  flag: string | undefined,
  flagName: string,
  host: Pick<Host, 'env'>,
  envName: string,
): NamedFile | undefined {
  if (flag !== undefined) return { value: flag, from: flagName };
  const value = host.env[envName];
  return value === undefined || value === '' ? undefined : { value, from: envName };
}

function assertIssuer(issuer: string, from: string): void {
  if (parseIssuer(issuer) !== undefined) return;
  throw usageError(
    `${from} is not an issuer: ${issuer}`,
    'An issuer is an https URL without query or fragment; http only on loopback (countersign dev --http).',
  );
}
