import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';

/** What a file that a flag names holds, as text. */
export function textFile(host: Pick<Host, 'cwd'>, file: string): string {
  try {
    return readFileSync(resolve(host.cwd, file), 'utf8');
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
