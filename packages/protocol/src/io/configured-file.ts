// No RFC: files that settings name.
import { readFileSync } from 'node:fs';

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
};

/** A file that a setting names, and that gives no text. The problem goes on from its name: `is a folder`. */
export class UnreadableFile extends Error {
  readonly path: string;
  /** Of the system: `ENOENT`. */
  readonly code: string;
  readonly problem: string;

  constructor(path: string, cause: unknown) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    const problem = PROBLEMS[code] ?? `cannot be read (${code})`;
    super(`${path} ${problem}`, { cause });
    this.name = 'UnreadableFile';
    this.path = path;
    this.code = code;
    this.problem = problem;
  }
}

/**
 * The text of a file that somebody named in a flag, a variable or a settings file. Whoever calls says which, from what is thrown: the
 * words of the system name neither. @throws UnreadableFile
 */
export function readConfiguredFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UnreadableFile(path, error);
  }
}
