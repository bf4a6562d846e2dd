import { resolve } from 'node:path';
import type { FlagParametersForType } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { reserveSecretFile, type SecretFile } from './secret-file.ts';

/** Where a new secret goes. Taken before the secret is made, so that none is made that nobody gets. */
export interface SecretPlace {
  /** undefined where it is shown. */
  readonly path: string | undefined;
  put(secret: string): void;
  abandon(): void;
}

/** A file (0600), or the terminal where a person asked to see it; never a pipe or a log. */
export function openSecretPlace(
  host: Pick<Host, 'stdout' | 'stderr'>,
  flags: { readonly showSecret: boolean; readonly secretFile?: string | undefined },
  path: string,
  take: (path: string) => SecretFile = reserveSecretFile,
): SecretPlace {
  if (!flags.showSecret) {
    const file = take(path);
    return { path, put: (secret) => file.write(secret), abandon: () => file.abandon() };
  }
  if (flags.secretFile !== undefined) throw usageError('Give either --secret-file or --show-secret.');
  if (!host.stderr.isTTY) {
    throw usageError('--show-secret is for terminals.', 'Let it be written to a file: --secret-file FILE');
  }
  return {
    path: undefined,
    put: (secret) => host.stderr.write(`secret, shown only now: ${secret}\n`),
    abandon: () => undefined,
  };
}

export interface SecretFlags {
  readonly secretFile?: string | undefined;
  readonly showSecret: boolean;
}

export const secretFlags: FlagParametersForType<SecretFlags, CliContext> = {
  secretFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'file',
    brief: 'Where the secret goes (mode 0600)',
  },
  showSecret: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Show the secret once on the terminal',
  },
};

/** A file or the terminal; scripts that ask for the object as data get the secret in it, and no place. */
export function secretPlaceOf(
  host: Pick<Host, 'cwd' | 'stdout' | 'stderr'>,
  flags: SecretFlags & { readonly output: string },
): SecretPlace | undefined {
  if (flags.secretFile !== undefined || flags.showSecret) {
    return openSecretPlace(host, flags, resolve(host.cwd, flags.secretFile ?? ''));
  }
  if (flags.output === 'json' || flags.output === 'yaml' || flags.output === 'ndjson') return undefined;
  throw usageError(
    'Where should the secret go? It is told only once.',
    'Add --secret-file FILE, --show-secret on a terminal, or -o json.',
  );
}
