import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { textFile } from '../named-file.ts';

/** Below it a file that was copied is guessed open. */
const LEAST_CHARACTERS = 12;

/**
 * The first line of a file, or of stdin for `-`, as `openssl -passin file:` has it. Never from the command line: every user of the machine
 * can read that. `ofNew`: it is to protect something from now on.
 */
export async function readPassphrase(
  host: Pick<Host, 'cwd' | 'stdin'>,
  file: string,
  { ofNew }: { readonly ofNew: boolean },
): Promise<string> {
  const text = file === '-' ? await host.stdin.readAll() : textFile(host, file, '--passphrase-file');
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '') throw usageError('The passphrase is empty.');
  if (ofNew && line.length < LEAST_CHARACTERS)
    throw usageError(`The passphrase has less than ${LEAST_CHARACTERS} characters.`);
  return line;
}
