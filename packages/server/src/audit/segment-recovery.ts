import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { IndexedUpTo } from './sink.ts';

const LINE_FEED = 0x0a;
const HASH = 0x23;

export function segmentName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.log`;
}

export interface RecoveredSegment {
  /** Bytes up to the end of the last whole batch. */
  readonly length: number;
  /** Sequence number of the last event; 0 when there is none. */
  readonly lastSeq: number;
  /** There are bytes behind `length`. */
  readonly torn: boolean;
}

/** A batch that was acknowledged does not match its checksum: the file was changed, not torn. */
export class SegmentCorrupt extends Error {
  constructor(path: string, offset: number) {
    super(`audit segment ${path} does not match its checksum at byte ${offset}: restore it from a copy`);
    this.name = 'SegmentCorrupt';
  }
}

/** Events that were acknowledged are not there any more: the log was cut, emptied or lost, or files of it are missing. */
export class SegmentsMissing extends Error {
  constructor(message: string) {
    super(`${message}: restore the audit folder from a copy`);
    this.name = 'SegmentsMissing';
  }
}

/** Old segments may be retired from the front; from there on they follow each other. Throws `SegmentsMissing`. */
export function requireUnbroken(directory: string, names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    const before = names[index - 1];
    if (before === undefined) continue;
    const expected = segmentName(Number.parseInt(before, 10) + 1);
    if (name !== expected) {
      throw new SegmentsMissing(`audit segment ${join(directory, expected)} is missing before ${name}`);
    }
  }
}

/**
 * The index reads only what was acknowledged, so the log must reach at least as far. It runs a moment behind: events of
 * the last instant before a crash are not covered. Throws `SegmentsMissing`.
 */
export function requireReaching(
  directory: string,
  found: { readonly segment: number; readonly offset: number; readonly lastSeq: number },
  indexed: IndexedUpTo | undefined,
): void {
  if (indexed === undefined) return;
  const { segment, offset, lastSeq } = found;
  const ahead =
    indexed.segment > segment ||
    (indexed.segment === segment && indexed.offset > offset) ||
    indexed.seq > lastSeq;
  if (!ahead) return;
  throw new SegmentsMissing(
    `audit segment ${join(directory, segmentName(segment))} is whole up to byte ${offset} (event ${lastSeq}), but ` +
      `acknowledged events reach to byte ${indexed.offset} of ${segmentName(indexed.segment)} (event ` +
      `${indexed.seq}), as audit-index.db beside the folder knows (removing it gives them up)`,
  );
}

/**
 * Finds where a segment really ends. A torn tail (no trailer, or one that does not fit, at the very end) was never
 * acknowledged and is left out. A torn batch is the last thing in its file, because it is cut off before the next one
 * is written: broken bytes with anything more behind them are `SegmentCorrupt`.
 */
export async function recoverSegment(path: string): Promise<RecoveredSegment> {
  const bytes = withoutRoom(await readFile(path));
  let batchStart = 0;
  let lineStart = 0;
  let lines: number[] = [];
  let lastSeq = 0;
  for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, lineStart)) {
    if (bytes[lineStart] === HASH) {
      const trailer = readTrailer(bytes.toString('latin1', lineStart, end));
      if (trailer?.events !== lines.length || crc32(bytes.subarray(batchStart, lineStart)) !== trailer.crc) {
        // The trailer may be whole and stand behind a batch whose own trailer is not seen any more.
        const begin = trailer === undefined ? undefined : lines.at(-trailer.events);
        const whole = begin !== undefined && crc32(bytes.subarray(begin, lineStart)) === trailer?.crc;
        if (whole || end + 1 < bytes.length) throw new SegmentCorrupt(path, batchStart);
        break;
      }
      lastSeq = seqOf(bytes.toString('utf8', lines.at(-1), lineStart));
      lines = [];
      batchStart = end + 1;
    } else lines.push(lineStart);
    lineStart = end + 1;
  }
  return { length: batchStart, lastSeq, torn: batchStart < bytes.length };
}

/** Without the zeros at the end: room that was laid out. A batch ends in a line feed. */
function withoutRoom(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

function readTrailer(line: string): { readonly events: number; readonly crc: number } | undefined {
  const match = /^#([1-9]\d{0,8}) ([0-9a-f]{8})$/.exec(line);
  return match === null
    ? undefined
    : { events: Number(match[1]), crc: Number.parseInt(match[2] as string, 16) };
}

function seqOf(line: string): number {
  return (JSON.parse(line) as { seq: number }).seq;
}
