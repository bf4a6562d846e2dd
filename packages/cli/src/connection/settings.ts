import { resolve } from 'node:path';
import { parseIssuer } from '@countersign/protocol';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { DEFAULT_READY_FILE, readReadyFile, type ReadyFile } from './ready-file.ts';
import { readSecret } from './secret-source.ts';

/** The flags that say which authority to talk to, and as whom. */
export interface ConnectionFlags {
  readonly issuer?: string | undefined;
  readonly caFile?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecretFile?: string | undefined;
  readonly readyFile?: string | undefined;
}

/** Where the authority is. */
export interface AuthorityAddress {
  readonly issuer: string;
  readonly caFile: string | undefined;
  readonly readyFile: ReadyFile | undefined;
  /** Which setting named it, for people. */
  readonly from: string;
}

export interface CallerCredential {
  readonly clientId: string;
  readonly clientSecret: string;
}

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
  const caFile = setting(flags.caFile, '--ca-file', host, 'COUNTERSIGN_CA_FILE')?.value;
  return {
    issuer,
    caFile: caFile === undefined ? same?.caFile : resolve(host.cwd, caFile),
    readyFile: same,
    from: named?.from ?? (readyFile?.path as string),
  };
}

/** Who this program is to the authority. A secret from a ready file goes only to the issuer of that file. */
export async function resolveCaller(
  host: Pick<Host, 'env' | 'cwd' | 'stdin'>,
  flags: ConnectionFlags,
  authority: AuthorityAddress,
): Promise<CallerCredential> {
  const clientId = setting(flags.clientId, '--client-id', host, 'COUNTERSIGN_CLIENT_ID')?.value;
  const given = await givenSecret(host, flags);
  const ready = authority.readyFile;
  if (clientId !== undefined && given !== undefined) return { clientId, clientSecret: given };
  if (clientId !== undefined && clientId !== ready?.adminClientId) {
    throw usageError(
      `There is no secret for ${clientId}.`,
      'Name a file with --client-secret-file (- for stdin), or set COUNTERSIGN_CLIENT_SECRET_FILE or COUNTERSIGN_CLIENT_SECRET.',
    );
  }
  const id = clientId ?? ready?.adminClientId;
  const secret = given ?? ready?.adminSecret;
  if (id === undefined) {
    throw usageError(
      'As whom? There is no --client-id, no COUNTERSIGN_CLIENT_ID and no ready file of this authority.',
      'Name an identity with --client-id and its secret with --client-secret-file.',
    );
  }
  if (secret === undefined) {
    throw usageError(
      `There is no secret for ${id}: the ready file no longer tells it.`,
      'Name a file with --client-secret-file, or make a new one on the host: countersign admin reset',
    );
  }
  return { clientId: id, clientSecret: secret };
}

async function givenSecret(
  host: Pick<Host, 'env' | 'cwd' | 'stdin'>,
  flags: ConnectionFlags,
): Promise<string | undefined> {
  const file = flags.clientSecretFile ?? host.env['COUNTERSIGN_CLIENT_SECRET_FILE'];
  if (file !== undefined && file !== '') return readSecret(host, file, 'client secret');
  return host.env['COUNTERSIGN_CLIENT_SECRET'] || undefined;
}

function findReadyFile(host: Pick<Host, 'env' | 'cwd'>, flags: ConnectionFlags): ReadyFile | undefined {
  const named = setting(flags.readyFile, '--ready-file', host, 'COUNTERSIGN_READY_FILE');
  const path = resolve(host.cwd, named?.value ?? DEFAULT_READY_FILE);
  const found = readReadyFile(path);
  if (found === undefined && named !== undefined) {
    throw usageError(`${named.from} names ${path}, which is not there.`, 'Is the authority running?');
  }
  return found;
}

function sameIssuer(readyFile: ReadyFile | undefined, issuer: string): ReadyFile | undefined {
  return readyFile?.issuer === issuer ? readyFile : undefined;
}

function setting(
  flag: string | undefined,
  flagName: string,
  host: Pick<Host, 'env'>,
  envName: string,
): { readonly value: string; readonly from: string } | undefined {
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
