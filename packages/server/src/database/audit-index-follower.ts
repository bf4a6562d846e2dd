import type { AuditFilter, AuditPageRequest } from '../audit/event.ts';
import type { IndexedUpTo, SegmentPosition } from '../audit/sink.ts';
import { BLOCK_SIZE, GrowingBlock } from './audit-index-block.ts';
import { IndexDamaged, type IndexFile, openIndexFile, removeIndexFile } from './audit-index-file.ts';
import { scanEvent, scannedEvent } from './audit-index-scan.ts';
import { searchEvents, searchKnown } from './audit-index-search.ts';
import { type SegmentReader, segmentReader } from './audit-index-segments.ts';
import type { SqliteDriver } from './sqlite-driver.ts';

const CHUNK = 1 << 20;
const LINE_FEED = 0x0a;
const TRAILER = 0x23;
/** Milliseconds between two reports of a long pass. */
const REPORT_EVERY = 1000;

export interface FollowerOptions {
  /** Of the segment files. */
  readonly directory: string;
  /** Of the index. */
  readonly path: string;
  /** Called now and then while much is left to index, as after the index was lost. */
  readonly onProgress?: ((at: SegmentPosition) => void) | undefined;
  /** Events in a block: fewer in tests. At most 65,536. */
  readonly blockSize?: number | undefined;
}

/**
 * Follows the segment files and answers from what it has indexed. Complete blocks are in the index file; the events
 * after them are in memory, and are read again from the segments at the next start. Synchronous: it lives in a thread
 * of its own.
 */
export class AuditIndexFollower {
  readonly #driver: SqliteDriver;
  readonly #options: FollowerOptions;
  readonly #segments: SegmentReader;
  readonly #growing: GrowingBlock;
  readonly #event = scannedEvent();
  #file: IndexFile;
  /** Whether the file was compared with the segments. */
  #compared = false;
  /** Everything before it is indexed, in the file or in the growing block. */
  #position: SegmentPosition;
  #chunk: Buffer = Buffer.allocUnsafe(CHUNK);

  constructor(driver: SqliteDriver, options: FollowerOptions) {
    this.#driver = driver;
    this.#options = options;
    this.#segments = segmentReader(options.directory);
    this.#growing = new GrowingBlock(Math.min(options.blockSize ?? BLOCK_SIZE, BLOCK_SIZE));
    this.#file = this.#open();
    this.#position = this.#file.position;
  }

  /** As the file said when it was opened. Does not build it anew: that would forget what may be missing. */
  indexed(): IndexedUpTo | undefined {
    return this.#file.reached;
  }

  /** Indexes everything before `to`, a place between two batches. */
  follow(to: SegmentPosition): void {
    this.#compare();
    if (isBefore(to, this.#position)) this.#rebuild();
    this.#orRebuild(() => {
      this.#followTo(to);
      this.#remember(to);
    });
  }

  #remember(to: SegmentPosition): void {
    const last = this.#growing.count > 0 ? this.#growing : this.#file.blocks.at(-1);
    const reached = this.#file.reached;
    if (last === undefined || (reached !== undefined && !isBefore(reached, to))) return;
    this.#file.reach({ ...to, seq: last.firstSeq + last.count - 1 });
  }

  #followTo(to: SegmentPosition): void {
    let reported = Date.now();
    while (isBefore(this.#position, to)) {
      this.#advance(to);
      if (Date.now() - reported >= REPORT_EVERY) {
        reported = Date.now();
        this.#options.onProgress?.(this.#position);
      }
    }
  }

  find(filter: AuditFilter, page: AuditPageRequest): string[] {
    return this.#answer(() => searchEvents(this.#searched(), filter, page));
  }

  known(eventIds: readonly string[]): Set<string> {
    return this.#answer(() => searchKnown(this.#searched(), eventIds));
  }

  close(): void {
    this.#file.close();
    this.#segments.close();
  }

  #searched(): Parameters<typeof searchEvents>[0] {
    return {
      blocks: [...this.#file.blocks, this.#growing],
      text: (location) => this.#segments.text(location),
    };
  }

  /** What is asked of a damaged index is answered from a new one that is as far as it was. */
  #answer<T>(ask: () => T): T {
    this.#compare();
    const reached = this.#position;
    return this.#orRebuild(ask, () => this.#followTo(reached));
  }

  #orRebuild<T>(step: () => T, before: () => void = () => undefined): T {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof IndexDamaged)) throw error;
      this.#rebuild();
      before();
      return step();
    }
  }

  #open(): IndexFile {
    const { path } = this.#options;
    try {
      return this.#begin(openIndexFile(this.#driver, path));
    } catch (error) {
      if (!(error instanceof IndexDamaged)) throw error;
    }
    removeIndexFile(path);
    return this.#begin(openIndexFile(this.#driver, path));
  }

  /** Once, when it is first needed: whoever opened it may want to know first how far it was. */
  #compare(): void {
    if (this.#compared) return;
    this.#compared = true;
    this.#orRebuild(() => {
      if (!this.#fits(this.#file)) this.#rebuild();
    });
  }

  /** An index that is ahead of the segments, or whose last event is not in its place, belongs to another log. */
  #fits(file: IndexFile): boolean {
    const { segment, offset } = file.position;
    const last = file.blocks.at(-1);
    const { reached } = file;
    if (reached !== undefined && (this.#segments.size(reached.segment) ?? 0) < reached.offset) return false;
    if (last === undefined) return offset === 0;
    if ((this.#segments.size(segment) ?? 0) < offset) return false;
    const text = this.#segments.text(last.locationOf(last.count - 1)) ?? '';
    return text.includes(`,"seq":${last.firstSeq + last.count - 1},`);
  }

  #begin(file: IndexFile): IndexFile {
    this.#growing.clear();
    const first = file.blocks.length === 0 ? this.#segments.first() : undefined;
    this.#position = first === undefined ? file.position : { segment: first, offset: 0 };
    return file;
  }

  #rebuild(): void {
    this.#file.close();
    removeIndexFile(this.#options.path);
    this.#file = this.#begin(openIndexFile(this.#driver, this.#options.path));
  }

  /** One chunk further, or to the next segment. */
  #advance(to: SegmentPosition): void {
    const { segment, offset } = this.#position;
    const end = segment === to.segment ? to.offset : (this.#segments.size(segment) ?? 0);
    const wanted = Math.min(this.#chunk.length, end - offset);
    const count = wanted <= 0 ? 0 : this.#segments.read(segment, offset, this.#chunk.subarray(0, wanted));
    const lines = this.#chunk.subarray(0, count).lastIndexOf(LINE_FEED) + 1;
    if (lines > 0) {
      this.#index(this.#chunk.subarray(0, lines), segment, offset);
    } else if (count === this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafe(this.#chunk.length * 2);
    } else if (segment < to.segment) {
      this.#position = { segment: segment + 1, offset: 0 };
    } else {
      throw new Error(`segment ${segment} ends at ${offset + count}, before its durable end ${to.offset}`);
    }
  }

  /** Whole lines, of which those that are no trailer are events. */
  #index(bytes: Buffer, segment: number, offset: number): void {
    let start = 0;
    try {
      while (start < bytes.length) {
        const end = bytes.indexOf(LINE_FEED, start);
        if (bytes[start] !== TRAILER) {
          scanEvent(bytes, start, end, this.#event);
          if (!this.#growing.takes(this.#event.seq)) this.#complete({ segment, offset: offset + start });
          this.#growing.add(this.#event, segment, offset + start, end - start);
        }
        start = end + 1;
      }
    } finally {
      // Also after a failure, as of a full disk: what was taken is not taken again.
      this.#position = { segment, offset: offset + start };
    }
  }

  #complete(next: SegmentPosition): void {
    this.#file.append(this.#growing, next);
    this.#growing.clear();
  }
}

function isBefore(a: SegmentPosition, b: SegmentPosition): boolean {
  return a.segment === b.segment ? a.offset < b.offset : a.segment < b.segment;
}
