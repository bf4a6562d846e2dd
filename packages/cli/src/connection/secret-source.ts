import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';

/**
 * Reads a secret or a token from a file, or from stdin for `-`. Never from the command line: every user of the machine
 * can read that. White space around it is dropped.
 */
export async function readSecret(
  host: Pick<Host, 'cwd' | 'stdin'>,
  file: string,
  what: string,
): Promise<string> {
  const text = file === '-' ? await host.stdin.readAll() : readSecretFile(resolve(host.cwd, file), what);
  const secret = text.trim();
  if (secret === '') throw usageError(`There is no ${what} in ${file === '-' ? 'the input' : file}.`);
  if (/\s/.test(secret)) {
    throw usageError(`The ${what} in ${file === '-' ? 'the input' : file} is more than one word.`);
  }
  return secret;
}

function readSecretFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw usageError(
      missing
        ? `There is no file ${path} to read the ${what} from.`
        : `${path} cannot be read: ${(error as Error).message}`,
    );
  }
}
