import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';

/** What a flag names a file for: its text. */
export function textFile(host: Pick<Host, 'cwd'>, file: string): string {
  try {
    return readFileSync(resolve(host.cwd, file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw usageError(`There is no file ${file}.`);
    throw usageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

export function jsonFile(host: Pick<Host, 'cwd'>, file: string): unknown {
  const text = textFile(host, file);
  try {
    return JSON.parse(text);
  } catch {
    throw usageError(`${file} is not JSON.`);
  }
}
