import { closeSync, existsSync, fstatSync, openSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Location } from './audit-index-block.ts';

/** Segments kept open for searches. */
const MOST_OPEN = 8;

/** The segment files, read only. A segment that is gone was retired: its events are no longer there to be found. */
export interface SegmentReader {
  /** The number of the first segment there is; undefined when there is none. */
  first(): number | undefined;
  /** Bytes in the segment; undefined when it is not there. */
  size(segment: number): number | undefined;
  /** Fills `into` from the offset on; the number of bytes read. */
  read(segment: number, offset: number, into: Uint8Array): number;
  /** The event at the location; undefined when its segment is gone. */
  text(location: Location): string | undefined;
  close(): void;
}

export function segmentReader(directory: string): SegmentReader {
  const open = new Map<number, number>();

  const descriptor = (segment: number): number | undefined => {
    const known = open.get(segment);
    if (known !== undefined) return known;
    try {
      const opened = openSync(join(directory, `${String(segment).padStart(8, '0')}.log`), 'r');
      const oldest = open.entries().next();
      if (open.size >= MOST_OPEN && oldest.done === false) {
        open.delete(oldest.value[0]);
        closeSync(oldest.value[1]);
      }
      open.set(segment, opened);
      return opened;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  };
  const read = (segment: number, offset: number, into: Uint8Array): number => {
    const from = descriptor(segment);
    let done = 0;
    while (from !== undefined && done < into.length) {
      const count = readSync(from, into, done, into.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  };
  return {
    read,
    first: () => {
      if (!existsSync(directory)) return undefined;
      const numbers = readdirSync(directory)
        .filter((name) => /^\d{8}\.log$/.test(name))
        .map((name) => Number.parseInt(name, 10));
      return numbers.length === 0 ? undefined : Math.min(...numbers);
    },
    size: (segment) => {
      const from = descriptor(segment);
      return from === undefined ? undefined : fstatSync(from).size;
    },
    text: ({ segment, offset, length }) => {
      const bytes = Buffer.allocUnsafe(length);
      return read(segment, offset, bytes) === length ? bytes.toString('utf8') : undefined;
    },
    close: () => {
      for (const descriptor of open.values()) closeSync(descriptor);
      open.clear();
    },
  };
}
