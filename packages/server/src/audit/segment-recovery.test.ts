import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEvent, batchBytes } from '../../test/segments.ts';
import { recoverSegment, SegmentCorrupt, segmentName } from './segment-recovery.ts';

let directory: string;
let path: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-recovery-'));
  path = join(directory, segmentName(1));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Batches of so many events each, with text in them that looks like what a batch is made of. */
function segment(sizes: readonly number[]): { bytes: Buffer; ends: number[]; lastSeqs: number[] } {
  const parts: Buffer[] = [];
  const ends: number[] = [];
  const lastSeqs: number[] = [];
  let seq = 1;
  for (const size of sizes) {
    const events = Array.from({ length: size }, (_, i) =>
      anEvent({ identity: i % 2 === 0 ? 'ßx"\n#1 00000000\n' : undefined, resource: '#2 deadbeef' }),
    );
    parts.push(batchBytes(events, seq));
    seq += size;
    ends.push((ends.at(-1) ?? 0) + (parts.at(-1)?.length ?? 0));
    lastSeqs.push(seq - 1);
  }
  return { bytes: Buffer.concat(parts), ends, lastSeqs };
}

async function recover(bytes: Uint8Array): ReturnType<typeof recoverSegment> {
  writeFileSync(path, bytes);
  return await recoverSegment(path);
}

describe('a segment that was being written when the process died', () => {
  it('ends with its last whole batch, wherever it was cut', async () => {
    const { bytes, ends, lastSeqs } = segment([1, 3, 2]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const whole = ends.filter((end) => end <= cut).length;
      const expected = {
        length: whole === 0 ? 0 : ends[whole - 1],
        lastSeq: whole === 0 ? 0 : lastSeqs[whole - 1],
        torn: cut > (ends[whole - 1] ?? 0),
      };
      expect(await recover(bytes.subarray(0, cut)), `cut at ${cut}`).toEqual(expected);
    }
  });

  it('ends there for batches of any size (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (sizes, share) => {
          const { bytes, ends, lastSeqs } = segment(sizes);
          const cut = Math.floor(bytes.length * share);
          const whole = ends.filter((end) => end <= cut).length;
          const found = await recover(bytes.subarray(0, cut));
          expect([found.length, found.lastSeq]).toEqual(
            whole === 0 ? [0, 0] : [ends[whole - 1], lastSeqs[whole - 1]],
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends before a batch of which pages are missing', async () => {
    const { bytes, ends } = segment([2, 4]);
    const start = ends[0] as number;
    for (let at = start; at < bytes.length - 40; at += 40) {
      const holed = Buffer.from(bytes).fill(0, at, at + 40);
      expect(await recover(holed)).toEqual({ length: start, lastSeq: 2, torn: true });
    }
  });

  it('is empty when it has nothing whole, and whole when it has nothing torn', async () => {
    expect(await recover(Buffer.alloc(0))).toEqual({ length: 0, lastSeq: 0, torn: false });
    expect(await recover(Buffer.from('{"half an ev'))).toEqual({ length: 0, lastSeq: 0, torn: true });
    const { bytes } = segment([7]);
    expect(await recover(bytes)).toEqual({ length: bytes.length, lastSeq: 7, torn: false });
  });
});

describe('a segment that was changed', () => {
  it('is refused, whichever bit of an acknowledged batch before the last was flipped', async () => {
    const { bytes, ends } = segment([1, 2, 1, 1]);
    const beforeLast = ends.at(-2) as number;
    const missed: number[] = [];
    for (let at = 0; at < beforeLast; at++) {
      const bit = at % 8;
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 << bit);
      const found = await recover(changed).catch((error: unknown) => error);
      if (!(found instanceof SegmentCorrupt)) missed.push(at);
    }
    expect(missed).toEqual([]);
  });

  it('is refused when a line end or the mark of a trailer became something else', async () => {
    const { bytes, ends } = segment([2, 1]);
    const marks = [...bytes.keys()].filter(
      (at) =>
        at < (ends[0] as number) && (bytes[at] === 0x0a || (bytes[at] === 0x23 && bytes[at - 1] === 0x0a)),
    );
    expect(marks).toHaveLength(4);
    for (const at of marks) {
      for (const value of [0x00, 0x20, 0x0a, 0x23, 0x7b]) {
        const changed = Buffer.from(bytes);
        if (changed[at] === value) continue;
        changed[at] = value;
        await expect(recover(changed), `${at} → ${value}`).rejects.toBeInstanceOf(SegmentCorrupt);
      }
    }
  });

  it('is refused when a batch is gone from its middle, and says where', async () => {
    const { bytes, ends } = segment([2, 3, 2, 1]);
    const half = Buffer.concat([bytes.subarray(0, (ends[0] as number) + 30), bytes.subarray(ends[1])]);
    await expect(recover(half)).rejects.toThrow(`at byte ${ends[0]}: restore it from a copy`);
  });
});
