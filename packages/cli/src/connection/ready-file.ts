import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { usageError } from '../failure.ts';
import { textAt } from '../named-file.ts';

/** What a running authority wrote about itself, as far as this program reads it. */
export interface ReadyFile {
  readonly path: string;
  readonly pid: number | undefined;
  readonly issuer: string;
  readonly caFile: string | undefined;
  readonly mtlsBase: string | undefined;
  readonly adminClientId: string | undefined;
  readonly adminSecret: string | undefined;
}

export const DEFAULT_READY_FILE = '.countersign/ready.json';

/** Reads a ready file; undefined when it is not there. */
export function readReadyFile(path: string, from?: string): ReadyFile | undefined {
  if (!existsSync(path)) return undefined;
  const text = textAt(path, from);
  const members = parseObject(text);
  const issuer = textOf(members?.['issuer']);
  if (members === undefined || issuer === undefined) {
    throw usageError(
      `${path} is not a ready file.`,
      'Start the authority with --ready-file and name that file.',
    );
  }
  const admin = (members['admin'] ?? {}) as Record<string, unknown>;
  return {
    path,
    pid: typeof members['pid'] === 'number' ? members['pid'] : undefined,
    issuer,
    caFile: textOf(members['ca_file']),
    mtlsBase: textOf(members['mtls_base']),
    adminClientId: textOf(admin['client_id']),
    // Only the start that made the admin tells its secret; `dev` also keeps it in its data directory.
    adminSecret: textOf(admin['client_secret']) ?? secretBeside(path),
  };
}

function secretBeside(readyFile: string): string | undefined {
  try {
    return readFileSync(join(dirname(readyFile), 'admin.secret'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
