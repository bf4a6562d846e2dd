import { resolve } from 'node:path';
import { readConfiguredFile, UnreadableFile } from '@countersign/protocol/configured-file';
import { type CommandFailure, usageError } from './failure.ts';
import type { Host } from './host.ts';

/** The text of the file that a setting names, such as `--csr`; an argument has no name. @throws CommandFailure `usage` */
export function textFile(host: Pick<Host, 'cwd'>, file: string, setting?: string): string {
  return textAt(resolve(host.cwd, file), setting);
}

export function jsonFile(host: Pick<Host, 'cwd'>, file: string, setting?: string): unknown {
  const path = resolve(host.cwd, file);
  const text = textAt(path, setting);
  try {
    return JSON.parse(text);
  } catch {
    throw faultOf(path, 'is not JSON', setting);
  }
}

/** As `textFile`, by its whole path. */
export function textAt(path: string, setting?: string): string {
  try {
    return readConfiguredFile(path);
  } catch (error) {
    throw error instanceof UnreadableFile ? faultOf(path, error.problem, setting) : error;
  }
}

function faultOf(path: string, problem: string, setting: string | undefined): CommandFailure {
  return usageError(
    setting === undefined ? `${path} ${problem}.` : `${setting} names ${path}, which ${problem}.`,
  );
}
