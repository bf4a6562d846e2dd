import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { anEvent, batchBytes, eventsIn, fakeIndex, segmentFiles } from '../../test/segments.ts';
import { DurableFile } from './durable-file.ts';
import type { AuditEvent } from './event.ts';
import { openSegmentFileSink, type SegmentFileOptions } from './segment-file.ts';
import { SegmentCorrupt, SegmentsMissing } from './segment-recovery.ts';
import { type AuditSink, AuditUnavailable } from './sink.ts';

let directory: string;
let index: ReturnType<typeof fakeIndex>;
const opened: AuditSink[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-segments-'));
  index = fakeIndex();
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const sink of opened.splice(0)) await sink.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(options: Partial<SegmentFileOptions> = {}): Promise<AuditSink> {
  const sink = await openSegmentFileSink({ directory, index, roomAhead: 0, ...options });
  opened.push(sink);
  return sink;
}
const events = (count: number): AuditEvent[] => Array.from({ length: count }, () => anEvent());
const seqs = (): number[] => eventsIn(directory).map((event) => event.seq);
const ids = (): string[] => eventsIn(directory).map((event) => event.id);
const file = (segment: number): string => join(directory, `${String(segment).padStart(8, '0')}.log`);
const size = (segment: number): number => statSync(file(segment)).size;
const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

describe('the segment files', () => {
  it('hold what was committed, byte for byte, readable by their owner alone', async () => {
    const sink = await open();
    const batch = events(3);
    await sink.commit(batch);
    expect(readFileSync(file(1))).toEqual(batchBytes(batch, 1));
    expect(statSync(file(1)).mode & 0o777).toBe(0o600);
    expect(index.told.at(-1)).toEqual({ segment: 1, offset: size(1) });
  });

  it('go on numbering where the last process stopped', async () => {
    for (let round = 0; round < 4; round++) {
      const sink = await open();
      await sink.commit(events(2));
      await sink.commit(events(1));
      await sink.close();
    }
    expect(seqs()).toEqual(upTo(12));
  });

  it('change when one is full, and go on numbering across them', async () => {
    const sink = await open({ segmentBytes: 300 });
    for (let i = 0; i < 7; i++) await sink.commit(events(2));
    expect(segmentFiles(directory).length).toBeGreaterThan(2);
    expect(seqs()).toEqual(upTo(14));
    expect(index.told.at(-1)).toEqual({
      segment: segmentFiles(directory).length,
      offset: size(segmentFiles(directory).length),
    });
    await sink.close();
    await (await open({ segmentBytes: 300 })).commit(events(1));
    expect(seqs()).toEqual(upTo(15));
  });

  it('go on from the one before when the last is empty, or holds nothing whole', async () => {
    const sink = await open();
    await sink.commit(events(3));
    await sink.close();
    writeFileSync(file(2), '');
    const second = await open();
    await second.commit(events(1));
    await second.close();
    expect(seqs()).toEqual(upTo(4));
    expect(size(1)).toBeGreaterThan(0);
    writeFileSync(file(3), batchBytes(events(1), 5).subarray(0, 40));
    await (await open()).commit(events(2));
    expect(seqs()).toEqual(upTo(6));
  });

  it('are not begun after a segment whose end is broken: what is no more the last file was whole', async () => {
    const sink = await open();
    await sink.commit(events(3));
    await sink.close();
    truncateSync(file(1), size(1) - 5);
    writeFileSync(file(2), '');
    index = fakeIndex();
    await expect(open()).rejects.toBeInstanceOf(SegmentCorrupt);
    expect(index.closed).toBe(true);
  });

  it('are not begun when they end before what the index has seen, and are left as they are', async () => {
    const sink = await open();
    for (let i = 0; i < 3; i++) await sink.commit(events(2));
    await sink.close();
    const whole = readFileSync(file(1));
    const indexed = { segment: 1, offset: whole.length, seq: 6 };
    index = fakeIndex(indexed);
    await (await open()).close();
    const flipped = Buffer.from(whole);
    flipped[whole.length - 60] = (flipped[whole.length - 60] as number) ^ 1;
    for (const damaged of [flipped, whole.subarray(0, -1), whole.subarray(0, whole.length / 2), '']) {
      writeFileSync(file(1), damaged);
      index = fakeIndex(indexed);
      await expect(open()).rejects.toThrow(
        /00000001\.log is whole up to byte \d+ \(event [024]\), but .*event 6/,
      );
      expect(readFileSync(file(1))).toEqual(Buffer.from(damaged));
      expect([index.told, index.closed]).toEqual([[], true]);
    }
    rmSync(file(1));
    index = fakeIndex(indexed);
    await expect(open()).rejects.toBeInstanceOf(SegmentsMissing);
    expect(segmentFiles(directory)).toEqual([]);
    writeFileSync(file(1), '');
    writeFileSync(file(2), '');
    await expect(open()).rejects.toThrow('event 6');
  });

  it('are not begun when one between them is missing', async () => {
    const sink = await open({ segmentBytes: 1 });
    for (let i = 0; i < 4; i++) await sink.commit(events(1));
    await sink.close();
    rmSync(file(1));
    await (await open()).close();
    rmSync(file(3));
    await expect(open()).rejects.toThrow('00000003.log is missing before 00000004.log');
  });

  it('are left alone by other files beside them', async () => {
    writeFileSync(join(directory, '99999999.log.copy'), 'x');
    writeFileSync(join(directory, 'notes.txt'), 'x');
    await (await open()).commit(events(1));
    expect(seqs()).toEqual([1]);
  });

  it('lose a torn tail of any length, and nothing before it, and go on behind it', async () => {
    const first = events(2);
    const sink = await open();
    await sink.commit(first);
    await sink.close();
    const whole = size(1);
    const torn = batchBytes(events(2), 3);
    for (let length = 1; length < torn.length; length += 7) {
      truncateSync(file(1), whole);
      appendFileSync(file(1), torn.subarray(0, length));
      const again = await open();
      expect(size(1)).toBe(whole);
      const next = anEvent();
      await again.commit([next]);
      await again.close();
      expect(ids()).toEqual([...first.map((event) => event.id), next.id]);
      expect(seqs()).toEqual([1, 2, 3]);
    }
  });

  it('refuse to be opened when an acknowledged batch was changed', async () => {
    const sink = await open();
    for (let i = 0; i < 3; i++) await sink.commit(events(2));
    await sink.close();
    const bytes = readFileSync(file(1));
    bytes[50] = (bytes[50] as number) ^ 1;
    writeFileSync(file(1), bytes);
    await expect(open()).rejects.toThrow('restore it from a copy');
    expect(readFileSync(file(1))).toEqual(bytes);
  });

  it('have room laid out ahead while they grow, and none when they are complete or closed', async () => {
    const sink = await open({ roomAhead: 10_000, segmentBytes: 20_000 });
    await vi.waitFor(() => expect(size(1)).toBe(10_000));
    const whole: number[] = [];
    while (segmentFiles(directory).length < 3) {
      await sink.commit(events(5));
      const { segment, offset } = index.told.at(-1) ?? { segment: 0, offset: 0 };
      whole[segment] = offset;
      expect(size(segment)).toBeGreaterThanOrEqual(offset);
    }
    expect([size(1), size(2)]).toEqual(whole.slice(1, 3));
    const count = seqs().length;
    expect(seqs()).toEqual(upTo(count));
    await vi.waitFor(() => expect(size(3)).toBeGreaterThan(10_000));
    await sink.close();
    expect(size(3)).toBe(whole[3]);
    await (await open()).commit(events(1));
    expect(seqs()).toEqual(upTo(count + 1));
  });

  it('lose their room and a torn tail in it, but no acknowledged batch, when the process dies', async () => {
    const first = events(2);
    const sink = await open();
    await sink.commit(first);
    await sink.close();
    const whole = readFileSync(file(1));
    const torn = batchBytes(events(3), 3);
    for (let length = 0; length < torn.length; length += 11) {
      // What a loss of power leaves of a batch: any part of it, zeros before, between and behind.
      for (const lost of [0, Math.floor(length / 2)]) {
        const part = Buffer.from(torn.subarray(0, length));
        part.fill(0, 0, lost);
        writeFileSync(file(1), Buffer.concat([whole, part, Buffer.alloc(5000)]));
        const again = await open({ roomAhead: 2000 });
        await again.commit(events(1));
        await again.close();
        expect(seqs()).toEqual([1, 2, 3]);
        expect(ids().slice(0, 2)).toEqual(first.map((event) => event.id));
      }
    }
  });

  it('hold what was written while room was laid out, also beyond it', async () => {
    const sink = await open({ roomAhead: 3000 });
    for (let i = 0; i < 60; i++) await sink.commit(events(1 + (i % 30)));
    const count = seqs().length;
    await sink.close();
    expect(seqs()).toEqual(upTo(count));
    expect(count).toBe(930);
  });

  it('take events where no room can be laid out', async () => {
    const reserve = vi.spyOn(DurableFile.prototype, 'reserve').mockResolvedValue();
    const sink = await open({ roomAhead: 3000 });
    await sink.commit(events(2));
    expect(reserve).toHaveBeenCalled();
    expect(index.told.at(-1)).toEqual({ segment: 1, offset: size(1) });
  });

  it('tell how much room there is', async () => {
    const sink = await open();
    expect(sink.freeBytes()).toBeGreaterThan(0);
  });
});

describe('a disk that fails', () => {
  const disk = (code: string): Error => Object.assign(new Error(code), { code });

  /** The next write leaves so many bytes behind and then fails. */
  function failWrite(code: string, share: number): void {
    const real = DurableFile.prototype.writeAt;
    vi.spyOn(DurableFile.prototype, 'writeAt').mockImplementationOnce(async function (
      this: DurableFile,
      bytes,
      position,
    ) {
      await real.call(this, bytes.subarray(0, Math.floor(bytes.length * share)), position);
      throw disk(code);
    });
  }

  it.each(['ENOSPC', 'EIO'])(
    'gives AuditUnavailable on %s, leaves no half batch and no gap, and goes on',
    async (code) => {
      const sink = await open();
      const kept = events(2);
      await sink.commit(kept);
      const durable = index.told.at(-1);
      for (const share of [0, 0.3, 0.99, 1]) {
        failWrite(code, share);
        await expect(sink.commit(events(3))).rejects.toBeInstanceOf(AuditUnavailable);
        expect(index.told.at(-1)).toEqual(durable);
      }
      const next = anEvent();
      await sink.commit([next]);
      await sink.close();
      expect(ids()).toEqual([...kept.map((event) => event.id), next.id]);
      expect(seqs()).toEqual([1, 2, 3]);
    },
  );

  it('is no reason to lose what is there when the process dies before the next commit', async () => {
    const sink = await open();
    await sink.commit(events(1));
    failWrite('ENOSPC', 0.5);
    await expect(sink.commit(events(5))).rejects.toBeInstanceOf(AuditUnavailable);
    await sink.close();
    await (await open()).commit(events(1));
    expect(seqs()).toEqual([1, 2]);
  });

  it('that says no after it has written all of a batch leaves none of it for the next start', async () => {
    const sink = await open();
    await sink.commit(events(1));
    const whole = size(1);
    failWrite('EIO', 1);
    await expect(sink.commit(events(2))).rejects.toBeInstanceOf(AuditUnavailable);
    expect(size(1)).toBe(whole);
  });

  it('that cannot cut off what is torn takes nothing more until it can', async () => {
    const sink = await open();
    await sink.commit(events(1));
    const whole = size(1);
    const truncate = vi.spyOn(DurableFile.prototype, 'truncate').mockRejectedValue(disk('EIO'));
    failWrite('EIO', 0.5);
    await expect(sink.commit(events(1))).rejects.toBeInstanceOf(AuditUnavailable);
    const torn = size(1);
    expect(torn).toBeGreaterThan(whole);
    await expect(sink.commit(events(1))).rejects.toBeInstanceOf(AuditUnavailable);
    expect(size(1)).toBe(torn);
    truncate.mockRestore();
    await sink.commit(events(1));
    expect(seqs()).toEqual([1, 2]);
  });

  it('that has no room for the next segment gets it later, and the numbers go on', async () => {
    const sink = await open({ segmentBytes: 100 });
    await sink.commit(events(1));
    const openFile = vi.spyOn(DurableFile, 'open').mockRejectedValueOnce(disk('ENOSPC'));
    await expect(sink.commit(events(2))).rejects.toBeInstanceOf(AuditUnavailable);
    failWrite('ENOSPC', 0.5);
    await expect(sink.commit(events(2))).rejects.toBeInstanceOf(AuditUnavailable);
    await sink.commit(events(1));
    await sink.commit(events(1));
    expect(openFile).toHaveBeenCalled();
    expect(seqs()).toEqual([1, 2, 3]);
  });

  it('whatever fails when, holds exactly what was acknowledged, once and in order (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            count: fc.integer({ min: 1, max: 4 }),
            fails: fc.constantFrom('no', 'no', 'write', 'truncate', 'open', 'reopen'),
            share: fc.double({ min: 0, max: 1, noNaN: true }),
          }),
          { maxLength: 14 },
        ),
        fc.constantFrom(0, 500, 5000),
        async (steps, roomAhead) => {
          rmSync(directory, { recursive: true, force: true });
          let sink = await open({ segmentBytes: 700, roomAhead });
          const acknowledged: string[] = [];
          for (const { count, fails, share } of steps) {
            if (fails === 'reopen') {
              await sink.close();
              sink = await open({ segmentBytes: 700, roomAhead });
            }
            if (fails === 'write') failWrite('EIO', share);
            if (fails === 'truncate')
              vi.spyOn(DurableFile.prototype, 'truncate').mockRejectedValueOnce(disk('EIO'));
            if (fails === 'open') vi.spyOn(DurableFile, 'open').mockRejectedValueOnce(disk('EMFILE'));
            const batch = events(count);
            const done = await sink.commit(batch).then(
              () => true,
              () => false,
            );
            vi.restoreAllMocks();
            if (done) acknowledged.push(...batch.map((event) => event.id));
          }
          await sink.close();
          await (await open({ segmentBytes: 700 })).close();
          expect(ids()).toEqual(acknowledged);
          expect(seqs()).toEqual(upTo(acknowledged.length));
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('a file whose writes are durable', () => {
  it('writes at any place, whatever the length, and cuts', async () => {
    const path = join(directory, 'some.log');
    const durable = await DurableFile.open(path);
    const bytes = Buffer.alloc(3_000_000, 'abc');
    await durable.writeAt(bytes, 0);
    await durable.writeAt(Buffer.from('xyz'), 1);
    await durable.truncate(5);
    await durable.close();
    expect(readFileSync(path, 'utf8')).toBe('axyzb');
    await expect(durable.writeAt(bytes, 0)).rejects.toMatchObject({ code: 'EBADF' });
  });

  it('is not made where there is no directory', async () => {
    await expect(DurableFile.open(join(directory, 'none', 'some.log'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

const built = new URL('../../dist/audit/segment-file.js', import.meta.url);

describe.skipIf(!existsSync(built))('a process of its own (needs a build)', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** Appends without end, many at a time, and says the id of each event that was acknowledged. */
  const program = (round: number): string => `
    import { createAuditLog } from ${JSON.stringify(new URL('group-commit.js', built).href)};
    import { openSegmentFileSink } from ${JSON.stringify(built.href)};
    const index = { indexed: async () => undefined, advance() {}, caughtUp: async () => {}, find: async () => [], known: async () => new Set(), close: async () => {} };
    const sink = await openSegmentFileSink({ directory: ${JSON.stringify(directory)}, index, segmentBytes: 20_000 });
    const log = createAuditLog(sink, (error) => { throw error; });
    const at = '2026-11-21T22:54:05.001Z';
    async function run(worker) {
      for (let i = 0; ; i++) {
        const id = 'evt_${round}_' + worker + '_' + i;
        await log.append({ id, at, type: 'token.issued', outcome: 'success', identity: 'payments' });
        process.stdout.write(id + '\\n');
      }
    }
    for (let worker = 0; worker < 8; worker++) run(worker);
  `;

  it('loses no acknowledged event when it is killed at any instant, ten times', async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 10; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program(round)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      let told = '';
      child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString('latin1')));
      await once(child.stdout, 'data');
      await sleep(20 + Math.random() * 60);
      child.kill('SIGKILL');
      await once(child, 'close');
      acknowledged.push(...told.slice(0, told.lastIndexOf('\n')).split('\n'));
    }
    await (await open()).close();
    const held = ids();
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(new Set(held).size).toBe(held.length);
    const lost = new Set(acknowledged);
    for (const id of held) lost.delete(id);
    expect([...lost]).toEqual([]);
    expect(seqs()).toEqual(upTo(held.length));
  });
});
