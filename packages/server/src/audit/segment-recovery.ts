import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

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
}

/** A batch in the middle of a segment does not match its checksum: the file was changed, not torn. */
export class SegmentCorrupt extends Error {
  constructor(path: string, offset: number) {
    super(`audit segment ${path} does not match its checksum at byte ${offset}: restore it from a copy`);
    this.name = 'SegmentCorrupt';
  }
}

/**
 * Finds where a segment really ends. A torn tail (no trailer, or a trailer that does not fit and nothing whole behind
 * it) was never acknowledged and is left out; anything broken before that is `SegmentCorrupt`.
 */
export async function recoverSegment(path: string): Promise<RecoveredSegment> {
  const bytes = await readFile(path);
  let batchStart = 0;
  let lineStart = 0;
  let lines = 0;
  let lastLine = 0;
  let lastSeq = 0;
  let brokenAt: number | undefined;
  for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, lineStart)) {
    if (bytes[lineStart] === HASH) {
      const whole = trailerFits(
        bytes.toString('latin1', lineStart, end),
        lines,
        bytes.subarray(batchStart, lineStart),
      );
      if (whole && brokenAt !== undefined) throw new SegmentCorrupt(path, brokenAt);
      if (whole) lastSeq = seqOf(bytes.toString('utf8', lastLine, lineStart));
      else brokenAt ??= batchStart;
      lines = 0;
      batchStart = end + 1;
    } else {
      lines++;
      lastLine = lineStart;
    }
    lineStart = end + 1;
  }
  const length = brokenAt ?? batchStart;
  return { length, lastSeq };
}

function trailerFits(trailer: string, lines: number, body: Buffer): boolean {
  const match = /^#(\d+) ([0-9a-f]{8})$/.exec(trailer);
  if (match === null) return false;
  return Number(match[1]) === lines && Number.parseInt(match[2] as string, 16) === crc32(body);
}

function seqOf(line: string): number {
  return (JSON.parse(line) as { seq: number }).seq;
}
