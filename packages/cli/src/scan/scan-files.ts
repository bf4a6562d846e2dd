import { createReadStream } from 'node:fs';
import { lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from './finding.ts';
import { findSecrets } from './find-secrets.ts';
import { linesIn, piecesOf } from './lines.ts';
import type { Progress } from './progress.ts';

/** Nobody writes their secrets there by hand: what is in them came from elsewhere, and the history has a flag of its own. */
const NOT_LOOKED_INTO: ReadonlySet<string> = new Set(['.git', 'node_modules']);
const MOST_BYTES = 64 * 1024 * 1024;
/** A zero byte among the first ones: not a text. */
const PROBED = 8192;

export interface ScanFilesDeps {
  readonly now: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Looks through a file, or a folder with all below it. Follows no link; what is not text, or very large, is left out and counted. */
export async function* scanFiles(deps: ScanFilesDeps, path: string): AsyncGenerator<Finding> {
  if (deps.signal.aborted) return;
  const stat = await lstat(path);
  if (stat.isDirectory()) {
    for (const name of await namesIn(path)) {
      if (NOT_LOOKED_INTO.has(name)) continue;
      yield* scanBelow(deps, join(path, name));
    }
  } else if (stat.isFile()) yield* scanFile(deps, path, stat.size);
}

/** What cannot be read below a folder is told and does not end the scan. */
async function* scanBelow(deps: ScanFilesDeps, path: string): AsyncGenerator<Finding> {
  try {
    yield* scanFiles(deps, path);
  } catch (error) {
    deps.progress.unreadable(path, (error as NodeJS.ErrnoException).code ?? 'unknown');
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const entry of await opendir(path)) names.push(entry.name);
  return names.sort();
}

async function* scanFile(deps: ScanFilesDeps, path: string, size: number): AsyncGenerator<Finding> {
  if (size > MOST_BYTES) return deps.progress.leftOut(path);
  if (await isBinary(path)) return deps.progress.binary();
  deps.progress.file();
  const seen = new Set<string>();
  const stream = createReadStream(path, { encoding: 'utf8', signal: deps.signal });
  for await (const piece of piecesOf(stream)) {
    for (const found of findSecrets(piece.text, deps.now)) {
      const line = piece.line + linesIn(piece.text, found.at);
      const key = `${line} ${found.fingerprint}`;
      if (seen.has(key)) continue;
      seen.add(key);
      yield { found, place: { kind: 'file', path, line } };
    }
  }
}

async function isBinary(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PROBED), 0, PROBED, 0);
    return buffer.subarray(0, bytesRead).includes(0);
  } finally {
    await file.close();
  }
}
