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
