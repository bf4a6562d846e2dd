import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CommandFailure, usageError } from '../failure.ts';
import type { Finding } from './finding.ts';
import { findSecrets } from './find-secrets.ts';
import type { ScanFilesDeps } from './scan-files.ts';

/** A line of a patch may be so long; of what is longer the beginning is looked at. */
const LONGEST_LINE = 1_000_000;
/** Added lines that follow each other are looked at together, as long as they are not more: a key has several. */
const MOST_TOGETHER = 65_536;

/**
 * Looks through every line that a commit of any branch or tag ever added. `git log` writes, this reads: nothing is held but a
 * few lines. A commit that has two parents is compared with the first.
 */
export async function* scanHistory(deps: ScanFilesDeps, folder: string): AsyncGenerator<Finding> {
  const git = spawn('git', [...ARGUMENTS], {
    cwd: folder,
    env: { ...process.env, ...NOTHING_FETCHED },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: deps.signal,
  });
  let said = '';
  git.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-1000)));
  const ended = once(git, 'close');
  ended.catch(() => undefined);
  const started = once(git, 'spawn');
  await started.catch((error: unknown) => {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? usageError('There is no git on this machine, or no such folder.', 'Install git, or leave --git out.')
      : error;
  });
  const seen = new Set<string>();
  try {
    for await (const added of addedLines(git.stdout.setEncoding('utf8'), deps)) {
      for (const found of findSecrets(added.text, deps.now)) {
        // Moved about, it is still the one: told where it came in.
        const key = `${added.path} ${found.fingerprint}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const line = added.line + added.text.slice(0, found.at).split('\n').length - 1;
        yield { found, place: { kind: 'commit', commit: added.commit, path: added.path, line } };
      }
    }
  } catch (error) {
    if (!deps.signal.aborted) throw error;
  }
  if (deps.signal.aborted) return;
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new CommandFailure('failure', `git log failed in ${folder}: ${said.trim()}`);
}

/**
 * What lies in a folder may say that objects are elsewhere, and with which program they are fetched: a scan runs nothing of what
 * it looks through, and connects to nobody.
 */
const NOTHING_FETCHED = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' };

/** The oldest first: a secret is told by the commit that it came with. Nothing of a user's settings changes the output. */
const ARGUMENTS = [
  '-c',
  'core.quotePath=true',
  '-c',
  'diff.noprefix=false',
  '-c',
  'diff.mnemonicPrefix=false',
  'log',
  '--all',
  '--reverse',
  '--format=commit %H',
  '--patch',
  '--unified=0',
  '--diff-merges=first-parent',
  '--no-color',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  // Attributes in the repository may call anything binary, and nobody would see what is in it.
  '--text',
  '--no-show-signature',
  '--submodule=short',
  '--src-prefix=a/',
  '--dst-prefix=b/',
] as const;

interface Added {
  readonly commit: string;
  readonly path: string;
  /** Of the first line, in the file as the commit left it. */
  readonly line: number;
  readonly text: string;
}

const HUNK = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** Reads patches without context: what a hunk says of its length tells its lines from headers that look alike. */
async function* addedLines(
  chunks: AsyncIterable<string>,
  { progress }: ScanFilesDeps,
): AsyncGenerator<Added> {
  let [commit, path] = ['', ''];
  let [removed, added, line] = [0, 0, 0];
  let together: string[] = [];
  let [size, first] = [0, 0];
  const flush = (): Added | undefined => {
    if (together.length === 0) return undefined;
    const block = { commit, path, line: first, text: together.join('\n') };
    [together, size] = [[], 0];
    return block;
  };
  for await (const text of linesOf(chunks)) {
    if (added > 0 && text.startsWith('+')) {
      if (together.length === 0) first = line;
      together.push(text.slice(1));
      size += text.length;
      added--;
      line++;
      if (added === 0 || size > MOST_TOGETHER) yield* orNothing(flush());
    } else if (removed > 0 && text.startsWith('-')) removed--;
    else if (text.startsWith('commit ')) {
      commit = text.slice('commit '.length);
      progress.commit();
    } else if (text.startsWith('+++ ')) path = pathOf(text.slice(4));
    else {
      const hunk = HUNK.exec(text);
      if (hunk === null) continue;
      [removed, line, added] = [Number(hunk[1] ?? 1), Number(hunk[2]), Number(hunk[3] ?? 1)];
    }
  }
  yield* orNothing(flush());
}

function* orNothing(block: Added | undefined): Generator<Added> {
  if (block !== undefined) yield block;
}

/** `b/path`; a name with strange characters stands in quotes, as git writes it. */
function pathOf(text: string): string {
  return text.replace(/^"?b\//, '').replace(/"$|\t$/, '');
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let held = '';
  /** The rest of a line that is too long is dropped until it ends. */
  let skipping = false;
  for await (const chunk of chunks) {
    const lines = (held + chunk).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) {
      if (!skipping) yield line;
      skipping = false;
    }
    if (held.length > LONGEST_LINE) {
      if (!skipping) yield held;
      [held, skipping] = ['', true];
    }
  }
  if (held !== '' && !skipping) yield held;
}
