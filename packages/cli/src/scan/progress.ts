import type { Host } from '../host.ts';

/** What was looked at so far, told on stderr: on a terminal while it goes on, and once at its end. */
export interface Progress {
  file(): void;
  binary(): void;
  /** Too large. */
  leftOut(path: string): void;
  unreadable(path: string, code: string): void;
  commit(): void;
  /** Whether all that was asked for was looked at. */
  complete(): boolean;
  /** What was looked at, in words. */
  end(): string;
}

const EVERY_MS = 500;

export function createProgress(host: Pick<Host, 'stderr' | 'now'>, show: (path: string) => string): Progress {
  const count = { files: 0, binary: 0, commits: 0 };
  let complete = true;
  let told = host.now();
  const line = (text: string): void =>
    host.stderr.write(`${host.stderr.isTTY ? '\r\u001B[2K' : ''}${text}\n`);
  const words = (): string =>
    [
      count.files > 0 || count.commits === 0 ? plural(count.files, 'file') : '',
      count.commits > 0 ? plural(count.commits, 'commit') : '',
    ]
      .filter((text) => text !== '')
      .join(', ');

  function tick(): void {
    if (!host.stderr.isTTY || host.now() - told < EVERY_MS) return;
    told = host.now();
    host.stderr.write(`\r\u001B[2K${words()} …`);
  }

  return {
    file() {
      count.files++;
      tick();
    },
    binary: () => void count.binary++,
    leftOut(path) {
      complete = false;
      line(`${show(path)} is larger than 64 MB and was left out.`);
    },
    unreadable(path, code) {
      complete = false;
      line(`${show(path)} could not be read (${code}).`);
    },
    commit() {
      count.commits++;
      tick();
    },
    complete: () => complete,
    end() {
      if (host.stderr.isTTY) host.stderr.write('\r\u001B[2K');
      return words() + (count.binary > 0 ? ` (${count.binary} that are no text were left out)` : '');
    },
  };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
