import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { textFile } from '../named-file.ts';

/** A file, and the setting that names it: `--token-file`. */
export interface NamedFile {
  readonly value: string;
  readonly from: string;
}

/**
 * Reads a secret or a token from a file, or from stdin for `-`. Never from the command line: every user of the machine
 * can read that. White space around it is dropped.
 */
export async function readSecret(
  host: Pick<Host, 'cwd' | 'stdin'>,
  { value: file, from }: NamedFile,
  what: string,
): Promise<string> {
  const text = file === '-' ? await host.stdin.readAll() : textFile(host, file, from);
  const secret = text.trim();
  if (secret === '') throw usageError(`There is no ${what} in ${file === '-' ? 'the input' : file}.`);
  if (/\s/.test(secret)) {
    throw usageError(`The ${what} in ${file === '-' ? 'the input' : file} is more than one word.`);
  }
  return secret;
}
