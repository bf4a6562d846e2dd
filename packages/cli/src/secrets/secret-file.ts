import { closeSync, existsSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandFailure } from '../failure.ts';

/** A file for a secret that does not exist yet: taken before the secret is made, so that none is made in vain. */
export interface SecretFile {
  readonly path: string;
  write(secret: string): void;
  /** Gives the place up again; for when no secret came. */
  abandon(): void;
}

/**
 * Creates the file, readable by its owner only (0600).
 * @throws CommandFailure `conflict` where a file is there already: it may hold the only copy of another secret
 */
export function reserveSecretFile(path: string): SecretFile {
  let descriptor: number;
  try {
    mkdirSync(dirname(path), { recursive: true });
    descriptor = openSync(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken(path);
    throw new CommandFailure('failure', `${path} cannot be written: ${(error as Error).message}`);
  }
  return {
    path,
    write(secret) {
      writeSync(descriptor, `${secret}\n`);
      closeSync(descriptor);
    },
    abandon() {
      closeSync(descriptor);
      unlinkSync(path);
    },
  };
}

/** For a dry run: what `reserveSecretFile` would refuse. */
export function requireFree(path: string): void {
  if (existsSync(path)) throw taken(path);
}

function taken(path: string): CommandFailure {
  return new CommandFailure(
    'conflict',
    `${path} is there already, and may hold the only copy of a secret. Nothing was made.`,
    { fix: 'Name another file with --secret-file, or move that one away.' },
  );
}

/** Puts a new secret where one that is worth nothing any more may lie: whole or not at all. */
export function replaceSecretFile(path: string): SecretFile {
  const draft = reserveSecretFile(`${path}.new`);
  return {
    path,
    write(secret) {
      draft.write(secret);
      renameSync(draft.path, path);
    },
    abandon: () => draft.abandon(),
  };
}
