import { mkdir, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { MarkedLog } from '../storage/used-once.ts';
import type { AuditEvent, AuditFilter, AuditPageRequest, LoggedEvent } from './event.ts';
import { encodeEvent } from './event.ts';
import { DurableFile } from './durable-file.ts';
import {
  recoverSegment,
  requireReaching,
  requireUnbroken,
  SegmentCorrupt,
  segmentName,
} from './segment-recovery.ts';
import { marksBetween } from './segment-marks.ts';
import { newestChanges } from './segment-tail.ts';
import { type AuditIndex, type AuditSink, AuditUnavailable } from './sink.ts';

/**
 * The log beside an embedded database: append-only segment files of batches. A batch is the canonical events, a line
 * each, and a trailer line `#<count> <crc32>`; what has no valid trailer was never acknowledged. The segment that grows
 * ends in zeros, room for what comes; they go when it is complete or the log is closed.
 */
export interface SegmentFileOptions {
  readonly directory: string;
  readonly index: AuditIndex;
  /** A segment that has reached this many bytes is closed and the next one begun. */
  readonly segmentBytes?: number | undefined;
  /** Bytes laid out ahead in the segment that grows. */
  readonly roomAhead?: number | undefined;
  /** How often the free space is looked at, ms. */
  readonly freeSpaceEveryMs?: number | undefined;
}

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;
/** A few thousand events: some tenths of a second at full speed, in which the next room is laid out. */
const DEFAULT_ROOM_AHEAD = 4 * 1024 * 1024;

export async function openSegmentFileSink(options: SegmentFileOptions): Promise<AuditSink> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const sink = new SegmentFileSink(options);
  try {
    await sink.recover();
  } catch (error) {
    await sink.close();
    throw error;
  }
  return sink;
}

class SegmentFileSink implements AuditSink {
  readonly #options: SegmentFileOptions;
  #file: DurableFile | undefined;
  #segment = 1;
  #offset = 0;
  #nextSeq = 1;
  /** Bytes behind #offset may be torn: cut them off before the next write. */
  #torn = false;
  /** What the files hold is known; before that nothing is cut off. */
  #recovered = false;
  #free: number | undefined;
  readonly #freeTimer: NodeJS.Timeout;

  constructor(options: SegmentFileOptions) {
    this.#options = options;
    this.#freeTimer = setInterval(() => void this.#measureFreeSpace(), options.freeSpaceEveryMs ?? 1000);
    this.#freeTimer.unref();
  }

  async recover(): Promise<void> {
    const names = (await readdir(this.#options.directory)).filter((name) => /^\d{8}\.log$/.test(name)).sort();
    requireUnbroken(this.#options.directory, names);
    const indexed = await this.#options.index.indexed();
    const last = names.at(-1);
    if (last !== undefined) {
      this.#segment = Number.parseInt(last, 10);
      let found = await recoverSegment(join(this.#options.directory, last));
      this.#offset = found.length;
      // An empty last segment was begun and died: the numbers go on from the one before, which was whole by then.
      const before = names.at(-2);
      if (found.lastSeq === 0 && before !== undefined) {
        const path = join(this.#options.directory, before);
        found = await recoverSegment(path);
        if (found.torn) throw new SegmentCorrupt(path, found.length);
      }
      this.#nextSeq = found.lastSeq + 1;
    }
    // Before anything is cut off or the index is built anew: both would hide what is missing.
    const found = { segment: this.#segment, offset: this.#offset, lastSeq: this.#nextSeq - 1 };
    requireReaching(this.#options.directory, found, indexed);
    await this.#openSegment();
    await this.#file?.truncate(this.#offset);
    this.#makeRoom();
    await this.#measureFreeSpace();
    this.#recovered = true;
    this.#options.index.advance({ segment: this.#segment, offset: this.#offset });
  }

  async commit(batch: readonly AuditEvent[]): Promise<void> {
    let lines = '';
    let seq = this.#nextSeq;
    for (const event of batch) lines += `${encodeEvent(event, seq++)}\n`;
    const body = Buffer.from(lines, 'utf8');
    const trailer = `#${batch.length} ${crc32(body).toString(16).padStart(8, '0')}\n`;
    try {
      if (this.#offset >= (this.#options.segmentBytes ?? DEFAULT_SEGMENT_BYTES)) await this.#nextSegment();
      await this.#append(Buffer.concat([body, Buffer.from(trailer, 'latin1')]));
    } catch (error) {
      this.#torn = true;
      // At once: what was refused must not be found by the next start. Where that fails, too, the next commit tries again.
      await this.#cutTorn().catch(() => undefined);
      throw new AuditUnavailable(error);
    }
    this.#nextSeq = seq;
    this.#options.index.advance({ segment: this.#segment, offset: this.#offset });
  }

  async #append(bytes: Buffer): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new Error('the segment is not open');
    if (this.#torn) await this.#cutTorn();
    await file.writeAt(bytes, this.#offset);
    this.#offset += bytes.length;
    this.#makeRoom();
  }

  /** Begins to lay out the next room when half of it is used; nobody waits for it. */
  #makeRoom(): void {
    const room = this.#options.roomAhead ?? DEFAULT_ROOM_AHEAD;
    const file = this.#file;
    if (room === 0 || file === undefined || file.roomBehind(this.#offset) > room / 2) return;
    void file.reserve(this.#offset + room);
  }

  async #cutTorn(): Promise<void> {
    await this.#file?.truncate(this.#offset);
    this.#torn = false;
  }

  async #nextSegment(): Promise<void> {
    if (this.#torn) await this.#cutTorn();
    const previous = this.#file;
    const end = this.#offset;
    // Before the next one is there: a segment that is not the last ends with its last batch.
    await previous?.truncate(end);
    this.#segment++;
    this.#offset = 0;
    try {
      await this.#openSegment();
    } catch (error) {
      this.#segment--;
      this.#offset = end;
      this.#file = previous;
      throw error;
    }
    await previous?.close();
  }

  async #openSegment(): Promise<void> {
    this.#file = await DurableFile.open(join(this.#options.directory, segmentName(this.#segment)));
  }

  async find(filter: AuditFilter, page: AuditPageRequest): Promise<readonly LoggedEvent[]> {
    await this.#options.index.caughtUp();
    const texts = await this.#options.index.find(filter, page);
    return texts.map((text) => JSON.parse(text) as LoggedEvent);
  }

  async known(eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    await this.#options.index.caughtUp();
    return this.#options.index.known(eventIds);
  }

  newestChanges(limit: number): Promise<readonly LoggedEvent[]> {
    return newestChanges(this.#options.directory, { segment: this.#segment, offset: this.#offset }, limit);
  }

  readonly marked: MarkedLog = {
    place: () => ({ segment: this.#segment, offset: this.#offset }),
    marksSince: (place) => marksBetween(this.#options.directory, place, this.marked.place()),
  };

  freeBytes(): number | undefined {
    return this.#free;
  }

  async #measureFreeSpace(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#options.directory);
      this.#free = bavail * bsize;
    } catch {
      this.#free = undefined;
    }
  }

  /** Room that is not used any more. Where it cannot be given back, the next start does it. */
  async #tidy(): Promise<void> {
    if (this.#file === undefined || !this.#recovered || this.#torn) return;
    await this.#file.truncate(this.#offset).catch(() => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#freeTimer);
    await this.#tidy();
    await this.#file?.close();
    this.#file = undefined;
    await this.#options.index.close();
  }
}
