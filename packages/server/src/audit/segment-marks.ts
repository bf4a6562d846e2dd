import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName } from './segment-recovery.ts';
import type { SegmentPosition } from './sink.ts';

/** Bytes that are read at once; more where one event is longer. */
const PIECE = 4 * 1024 * 1024;

/** In canonical JSON no string holds it: each quote has a backslash before it there. */
const PROOF = Buffer.from('"proof":"');
const ISSUED = Buffer.from('"type":"token.issued"}');
const LINE_FEED = 0x0a;

/** Which proofs the tokens used up whose events stand between two places, oldest first. Segments that were retired are left out. */
export async function* marksBetween(
  directory: string,
  from: SegmentPosition,
  to: SegmentPosition,
): AsyncGenerator<string> {
  for (let segment = from.segment; segment <= to.segment; segment++) {
    const start = segment === from.segment ? from.offset : 0;
    yield* marksOf(
      join(directory, segmentName(segment)),
      start,
      segment === to.segment ? to.offset : undefined,
    );
  }
}

async function* marksOf(path: string, start: number, end: number | undefined): AsyncGenerator<string> {
  const file = await open(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return;
  try {
    const until = end ?? (await file.stat()).size;
    let buffer = Buffer.alloc(Math.max(0, Math.min(PIECE, until - start)));
    for (let at = start; at < until; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, until - at), at);
      const lines = buffer.subarray(0, bytesRead);
      const whole = lines.lastIndexOf(LINE_FEED) + 1;
      // A line that has no end is the last one, and torn.
      if (whole === 0 && bytesRead < buffer.length) return;
      if (whole === 0) buffer = Buffer.alloc(2 * buffer.length);
      yield* marksIn(lines.subarray(0, whole));
      at += whole;
    }
  } finally {
    await file.close();
  }
}

function* marksIn(lines: Buffer): Generator<string> {
  for (let at = lines.indexOf(PROOF); at >= 0; ) {
    const start = at + PROOF.length;
    const end = lines.indexOf(LINE_FEED, start);
    // Of a change, a record could have a member of that name.
    if (lines.subarray(end - ISSUED.length, end).equals(ISSUED)) {
      yield lines.toString('latin1', start, lines.indexOf(0x22, start));
    }
    at = lines.indexOf(PROOF, end);
  }
}
