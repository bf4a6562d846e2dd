import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { AuditFilter, AuditPageRequest } from '../audit/event.ts';
import type { AuditIndex, IndexedUpTo, SegmentPosition } from '../audit/sink.ts';
import { AuditIndexFollower } from './audit-index-follower.ts';
import { loadSqlite } from './sqlite-driver.ts';

/** The follower takes up new batches this often (ms), at once when somebody waits. */
const FOLLOW_EVERY = 200;
/** How long (ms) the thread is waited for at the end. */
const CLOSE_WITHIN = 2000;

export interface AuditIndexOptions {
  /** Where the segment files are. */
  readonly directory: string;
  /** The index's own file, made when absent, removed and built anew when it does not fit the segments. */
  readonly path: string;
  /** Called about once a second while much is left to index, as after the index was lost. */
  readonly onProgress?: ((at: SegmentPosition) => void) | undefined;
  /** Told of a pass that failed when nobody waited for it, e.g. for want of space. The next pass tries again. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** No thread: for tests, which run from sources that a thread cannot load. */
  readonly inProcess?: boolean | undefined;
  /** Events in a block: fewer in tests. */
  readonly blockSize?: number | undefined;
}

/** What the thread is asked, by number; `FollowerAnswer` comes back under the same number. */
export type FollowerRequest =
  | { readonly kind: 'indexed' }
  | { readonly kind: 'follow'; readonly to: SegmentPosition }
  | { readonly kind: 'find'; readonly filter: AuditFilter; readonly page: AuditPageRequest }
  | { readonly kind: 'known'; readonly eventIds: readonly string[] }
  | { readonly kind: 'close' };

export type FollowerAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: unknown }
  | { readonly progress: SegmentPosition };

export function answerOf(follower: AuditIndexFollower, request: FollowerRequest): unknown {
  switch (request.kind) {
    case 'indexed':
      return follower.indexed();
    case 'follow':
      return follower.follow(request.to);
    case 'find':
      return follower.find(request.filter, request.page);
    case 'known':
      return follower.known(request.eventIds);
    case 'close':
      return follower.close();
  }
}

type Ask = (request: FollowerRequest) => Promise<unknown>;

/**
 * Opens the index behind the segment files, in a thread of its own: what it does is no part of a token's way. Resolves
 * when it can be asked; it may still be far behind.
 */
export async function openAuditIndex(options: AuditIndexOptions): Promise<AuditIndex> {
  const ask = options.inProcess === true ? await askInProcess(options) : await askThread(options);
  return new FollowingIndex(ask, options.onError ?? (() => undefined));
}

class FollowingIndex implements AuditIndex {
  readonly #ask: Ask;
  readonly #onError: (error: unknown) => void;
  #durable: SegmentPosition | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(ask: Ask, onError: (error: unknown) => void) {
    this.#ask = ask;
    this.#onError = onError;
  }

  async indexed(): Promise<IndexedUpTo | undefined> {
    return (await this.#ask({ kind: 'indexed' })) as IndexedUpTo | undefined;
  }

  advance(durable: SegmentPosition): void {
    this.#durable = durable;
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => void this.caughtUp().catch(this.#onError), FOLLOW_EVERY);
    this.#timer.unref();
  }

  async caughtUp(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#durable !== undefined) await this.#ask({ kind: 'follow', to: this.#durable });
  }

  async find(filter: AuditFilter, page: AuditPageRequest): Promise<readonly string[]> {
    return (await this.#ask({ kind: 'find', filter, page })) as readonly string[];
  }

  async known(eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    return (await this.#ask({ kind: 'known', eventIds })) as ReadonlySet<string>;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#ask({ kind: 'close' });
  }
}

async function askInProcess(options: AuditIndexOptions): Promise<Ask> {
  const follower = new AuditIndexFollower(await loadSqlite(), options);
  return async (request) => answerOf(follower, request);
}

/** Beside this file when it is built; a thread cannot load sources, so from there it is the built one, too. */
function threadFile(): URL {
  const built = import.meta.url.endsWith('.ts') ? '../../dist/database/' : './';
  return new URL(`${built}audit-index-worker.js`, import.meta.url);
}

interface Thread {
  readonly ask: Ask;
  readonly alive: () => boolean;
  readonly terminate: () => Promise<unknown>;
}

/** A thread that ended by itself is followed by another: what it knew is in the index file and the segments. */
async function askThread(options: AuditIndexOptions): Promise<Ask> {
  let thread = startThread(options);
  let closed = false;
  // Proves that the index could be opened.
  await thread.ask({ kind: 'indexed' });
  return async (request) => {
    if (request.kind === 'close') {
      closed = true;
      // One that is in a long pass does not hear: what it has not stored is derived again.
      if (thread.alive()) {
        await Promise.race([thread.ask(request), sleep(CLOSE_WITHIN, undefined, { ref: false })]);
      }
      return thread.terminate();
    }
    if (!closed && !thread.alive()) thread = startThread(options);
    return thread.ask(request);
  };
}

function startThread({ onProgress, directory, path, blockSize }: AuditIndexOptions): Thread {
  const workerData: AuditIndexOptions = { directory, path, blockSize };
  const worker = new Worker(threadFile(), { workerData, name: 'audit-index' });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  let ended: Error | undefined;
  let count = 0;

  const end = (reason: Error): void => {
    ended ??= reason;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the audit index has ended')));
  worker.on('message', (answer: FollowerAnswer) => {
    if ('progress' in answer) return void onProgress?.(answer.progress);
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if ('error' in answer) asked?.reject(answer.error);
    else asked?.resolve(answer.value);
  });
  return {
    alive: () => ended === undefined,
    terminate: () => worker.terminate(),
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return void reject(ended);
        // The thread keeps the process alive only while somebody waits for it.
        worker.ref();
        waiting.set(++count, { resolve, reject });
        worker.postMessage({ id: count, request });
      }),
  };
}
