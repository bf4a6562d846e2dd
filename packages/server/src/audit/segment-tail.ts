import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedEvent } from './event.ts';
import { segmentName } from './segment-recovery.ts';
import type { SegmentPosition } from './sink.ts';

/** Bytes of the log's end that are looked at: some 40,000 events, read in some hundredths of a second. */
const TAIL_BYTES = 16 * 1024 * 1024;
/** Changes that are read: one record may have changed very often. */
const MOST_CHANGES = 2000;

/** How the detail of a change begins in canonical JSON: in no string, where each quote has a backslash before it. */
const CHANGE = Buffer.from('"detail":{"after":{');
const LINE_FEED = 0x0a;

/**
 * The newest change of each of the last `limit` records that changed, newest first, as far as the last 16 MB before the place and
 * the last 2,000 changes in them tell.
 * The files themselves are read, and not the index, which may be being built anew.
 */
export async function newestChanges(
  directory: string,
  { segment, offset }: SegmentPosition,
  limit: number,
): Promise<readonly LoggedEvent[]> {
  const newest = new Map<string, LoggedEvent>();
  let room = TAIL_BYTES;
  let read = 0;
  for (let at = segment, end: number | undefined = offset; at > 0 && room > 0; at--, end = undefined) {
    const tail = await readTail(join(directory, segmentName(at)), end, room);
    // Old segments may be retired from the front.
    if (tail === undefined) break;
    room -= tail.length;
    for (const event of changesBackwards(tail)) {
      const { resource } = event;
      if (resource !== undefined && !newest.has(resource)) newest.set(resource, event);
      if (newest.size >= limit || ++read >= MOST_CHANGES) return [...newest.values()];
    }
  }
  return [...newest.values()];
}

/** The last `room` bytes before `end`, or of the file; undefined when it is not there. */
async function readTail(path: string, end: number | undefined, room: number): Promise<Buffer | undefined> {
  const file = await open(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const until = end ?? (await file.stat()).size;
    const from = Math.max(0, until - room);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(until - from), 0, until - from, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function* changesBackwards(tail: Buffer): Generator<LoggedEvent> {
  for (let at = tail.lastIndexOf(CHANGE); at >= 0; ) {
    const start = tail.lastIndexOf(LINE_FEED, at) + 1;
    const end = tail.indexOf(LINE_FEED, at);
    // A line without its beginning may be the first of what was read.
    if (end > 0 && tail[start] === 0x7b) yield JSON.parse(tail.toString('utf8', start, end)) as LoggedEvent;
    at = start === 0 ? -1 : tail.lastIndexOf(CHANGE, start - 1);
  }
}
