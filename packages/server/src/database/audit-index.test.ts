import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32 } from 'node:zlib';
import { type AuditEvent, type AuditFilter, encodeEvent } from '../audit/event.ts';
import { openSegmentFileSink } from '../audit/segment-file.ts';
import type { AuditIndex, SegmentPosition } from '../audit/sink.ts';
import { type AuditIndexOptions, openAuditIndex } from './audit-index.ts';
import { loadSqlite } from './sqlite-driver.ts';
import { keyOfMember } from './audit-index-scan.ts';
import { auditEvent, auditSinkContract } from './audit-sink-contract.ts';

let home: string;
let directory: string;
let path: string;
const opened: AuditIndex[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'countersign-index-'));
  directory = join(home, 'audit');
  path = join(home, 'audit-index.db');
  mkdirSync(directory);
});
afterEach(async () => {
  for (const index of opened.splice(0)) await index.close();
  rmSync(home, { recursive: true, force: true });
});

async function open(overrides: Partial<AuditIndexOptions> = {}): Promise<AuditIndex> {
  const index = await openAuditIndex({ directory, path, inProcess: true, blockSize: 8, ...overrides });
  opened.push(index);
  return index;
}

/** Writes batches as the log does, and remembers what was written. */
class Segments {
  readonly texts: string[] = [];
  #segment = 1;
  #offset = 0;

  get position(): SegmentPosition {
    return { segment: this.#segment, offset: this.#offset };
  }
  get file(): string {
    return join(directory, `${String(this.#segment).padStart(8, '0')}.log`);
  }
  write(...events: AuditEvent[]): SegmentPosition {
    const lines = events.map((event) => encodeEvent(event, this.texts.push('')));
    this.texts.splice(-lines.length, lines.length, ...lines);
    const body = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    const trailer = `#${lines.length} ${crc32(body).toString(16).padStart(8, '0')}\n`;
    appendFileSync(this.file, Buffer.concat([body, Buffer.from(trailer)]));
    this.#offset += body.length + trailer.length;
    return this.position;
  }
  many(count: number, overrides?: Partial<AuditEvent>): SegmentPosition {
    for (let index = 0; index < count; index += 3) {
      this.write(...Array.from({ length: Math.min(3, count - index) }, () => auditEvent(overrides)));
    }
    return this.position;
  }
  next(): void {
    this.#segment++;
    this.#offset = 0;
    writeFileSync(this.file, '');
  }
}

async function all(index: AuditIndex, filter: AuditFilter = {}): Promise<readonly string[]> {
  return index.find(filter, { afterSeq: 0, limit: 1000 });
}

describe('the index of the audit log', () => {
  it('follows the segments from one to the next', async () => {
    const segments = new Segments();
    const index = await open();
    index.advance(segments.many(5));
    await index.caughtUp();
    expect(await all(index)).toEqual(segments.texts);
    segments.many(20);
    segments.next();
    index.advance(segments.many(9));
    await index.caughtUp();
    expect(await all(index)).toEqual(segments.texts);
  });

  it('catches up by itself soon after it was told', async () => {
    const segments = new Segments();
    const index = await open();
    index.advance(segments.many(3));
    expect(await all(index)).toEqual([]);
    await expect.poll(() => all(index)).toHaveLength(3);
  });

  it('never reads behind the durable end', async () => {
    const segments = new Segments();
    const index = await open();
    const durable = segments.many(10);
    const known = [...segments.texts];
    segments.write(auditEvent());
    appendFileSync(segments.file, '{"at":"2026-');
    index.advance(durable);
    await index.caughtUp();
    expect(await all(index)).toEqual(known);
  });

  it('goes on where it was after a restart, with what was in memory', async () => {
    const segments = new Segments();
    const first = await open();
    first.advance(segments.many(30));
    await first.caughtUp();
    await first.close();
    const stored = statSync(path).size;
    const second = await open();
    // Not told yet how far the log is: complete blocks are there.
    expect(await all(second)).toEqual(segments.texts.slice(0, 24));
    second.advance(segments.many(4));
    await second.caughtUp();
    expect(await all(second)).toEqual(segments.texts);
    expect(statSync(path).size).toBeGreaterThanOrEqual(stored);
  });

  it('is built anew when its file is absent, damaged or of another format', async () => {
    const segments = new Segments();
    const durable = segments.many(50);
    const build = async (): Promise<void> => {
      const index = await open();
      index.advance(durable);
      await index.caughtUp();
      expect(await all(index)).toEqual(segments.texts);
      expect(await index.known([(JSON.parse(segments.texts[7] ?? '') as AuditEvent).id])).toHaveLength(1);
      await index.close();
    };
    await build();
    rmSync(path);
    await build();
    rmSync(path);
    writeFileSync(path, 'this is no database, '.repeat(1000));
    await build();
    rmSync(path);
    writeFileSync(path, '');
    await build();
    const database = (await loadSqlite()).open(path);
    database.exec('UPDATE progress SET format = 0');
    database.close();
    await build();
  });

  it('is built anew when pages inside it turn out to be damaged', async () => {
    const segments = new Segments();
    const durable = segments.many(400);
    for (const part of [0.15, 0.5, 0.9]) {
      const index = await open();
      index.advance(durable);
      await index.caughtUp();
      await index.close();
      const bytes = readFileSync(path);
      // A new file: the old one may still be open until it is collected as garbage.
      rmSync(path);
      writeFileSync(path, bytes.fill(0x5a, Math.floor(bytes.length * part)));
      const again = await open();
      again.advance(durable);
      await again.caughtUp();
      for (const place of [0, 200, 399]) {
        const { jti } = JSON.parse(segments.texts[place] ?? '') as AuditEvent;
        expect(await all(again, { jti })).toEqual([segments.texts[place]]);
      }
      expect(await all(again)).toEqual(segments.texts);
      await again.close();
    }
  });

  it('is built anew when it is ahead of the segments, or belongs to others', async () => {
    const segments = new Segments();
    const index = await open();
    const early = segments.many(20);
    index.advance(segments.many(20));
    await index.caughtUp();
    await index.close();
    truncateSync(segments.file, early.offset);
    const shorter = await open();
    shorter.advance(early);
    await shorter.caughtUp();
    expect(await all(shorter)).toEqual(segments.texts.slice(0, 20));
    await shorter.close();
    rmSync(segments.file);
    const others = new Segments();
    others.write(auditEvent());
    others.many(60, { identity: 'somebody-else' });
    const other = await open();
    other.advance(others.position);
    await other.caughtUp();
    expect(await all(other)).toEqual(others.texts);
  });

  it('tells how far it is while much is left', async () => {
    const segments = new Segments();
    const progress: SegmentPosition[] = [];
    let now = 0;
    const dateNow = Date.now;
    Date.now = () => (now += 1000);
    try {
      const index = await open({ onProgress: (at) => progress.push(at) });
      index.advance(segments.many(10));
      await index.caughtUp();
    } finally {
      Date.now = dateNow;
    }
    expect(progress.at(-1)).toEqual(segments.position);
  });

  it('leaves out segments that were retired', async () => {
    const segments = new Segments();
    const index = await open();
    segments.many(16);
    const retired = segments.file;
    segments.next();
    index.advance(segments.many(16));
    await index.caughtUp();
    await index.close();
    rmSync(retired);
    const later = await open();
    later.advance(segments.many(2));
    await later.caughtUp();
    expect(await all(later)).toEqual(segments.texts.slice(16));
    await later.close();
    rmSync(path);
    const rebuilt = await open();
    rebuilt.advance(segments.position);
    await rebuilt.caughtUp();
    expect(await all(rebuilt)).toEqual(segments.texts.slice(16));
  });

  it('answers filters alike from blocks of any size and from memory', async () => {
    const segments = new Segments();
    for (let index = 0; index < 120; index++) {
      segments.write(
        auditEvent({
          identity: `client-${index % 7}`,
          type: index % 5 === 0 ? 'token.refused' : 'token.issued',
          outcome: index % 5 === 0 ? 'refused' : 'success',
          ...(index % 3 === 0 && { resource: undefined, jti: undefined }),
        }),
      );
    }
    const events = segments.texts.map((text) => JSON.parse(text) as AuditEvent & { seq: number });
    for (const blockSize of [1, 7, 1000, 65_536]) {
      rmSync(path, { force: true });
      const index = await open({ blockSize });
      index.advance(segments.position);
      await index.caughtUp();
      for (const filter of [
        { identity: 'client-3' },
        { type: 'token.refused', identity: 'client-0' },
        { outcome: 'success' as const, resource: 'https://fraud.example' },
        { from: Date.parse(events[40]?.at ?? ''), to: Date.parse(events[77]?.at ?? '') },
        { from: Date.parse(events[40]?.at ?? ''), outcome: 'refused' as const },
      ]) {
        const expected = events.filter(
          (event) =>
            (filter.identity === undefined || event.identity === filter.identity) &&
            (filter.type === undefined || event.type === filter.type) &&
            (filter.outcome === undefined || event.outcome === filter.outcome) &&
            (filter.resource === undefined || event.resource === filter.resource) &&
            (filter.from === undefined || Date.parse(event.at) >= filter.from) &&
            (filter.to === undefined || Date.parse(event.at) < filter.to),
        );
        const found = (await all(index, filter)).map((text) => JSON.parse(text) as unknown);
        expect(found).toEqual(expected);
        const page = await index.find(filter, { afterSeq: expected[1]?.seq ?? 0, limit: 2 });
        expect(page.map((text) => JSON.parse(text) as unknown)).toEqual(expected.slice(2, 4));
      }
      await index.close();
    }
  });

  it('finds all of a value that fills pages, and only its own events', async () => {
    const segments = new Segments();
    for (let index = 0; index < 3001; index++) {
      segments.write(auditEvent({ type: index % 3000 === 1 ? 'rare' : 'token.issued' }));
    }
    const index = await open({ blockSize: 3000 });
    index.advance(segments.position);
    await index.caughtUp();
    const common = segments.texts.filter((text) => text.includes('"token.issued"'));
    expect(await all(index, { type: 'token.issued' })).toEqual(common.slice(0, 1000));
    const last = await index.find({ type: 'token.issued' }, { afterSeq: 2990, limit: 1000 });
    expect(last).toEqual(common.slice(-11));
    expect(await all(index, { type: 'rare' })).toEqual([segments.texts[1]]);
  });

  it('tells apart two values that share a key', async () => {
    const seen = new Map<number, string>();
    let twins: readonly [string, string] | undefined;
    for (let index = 0; twins === undefined; index++) {
      const name = `client-${index}`;
      const key = keyOfMember('identity', name);
      const other = seen.get(key);
      if (other !== undefined) twins = [other, name];
      seen.set(key, name);
    }
    const segments = new Segments();
    for (let index = 0; index < 20; index++) segments.write(auditEvent({ identity: twins[index % 2] ?? '' }));
    const index = await open();
    index.advance(segments.position);
    await index.caughtUp();
    for (const identity of twins) {
      expect(await all(index, { identity })).toEqual(
        segments.texts.filter((text) => text.includes(`"${identity}"`)),
      );
    }
  });

  it('goes on behind a gap in the numbers', async () => {
    const segments = new Segments();
    segments.many(5);
    segments.texts.push(...Array.from({ length: 30 }, () => ''));
    segments.many(20);
    const index = await open();
    index.advance(segments.position);
    await index.caughtUp();
    expect(await all(index)).toEqual(segments.texts.filter((text) => text !== ''));
    expect(await index.find({}, { afterSeq: 36, limit: 1 })).toEqual([segments.texts[36]]);
  });

  it('says what is wrong with a log whose numbers do not ascend, and takes nothing twice', async () => {
    const segments = new Segments();
    const index = await open();
    index.advance(segments.many(4));
    await index.caughtUp();
    const line = `${encodeEvent(auditEvent(), 2)}\n`;
    appendFileSync(segments.file, line);
    const { segment, offset } = segments.position;
    index.advance({ segment, offset: offset + line.length });
    await expect(index.caughtUp()).rejects.toThrow('lies behind');
    await expect(index.caughtUp()).rejects.toThrow('lies behind');
    expect(await all(index)).toEqual(segments.texts);
  });

  it.skipIf(!existsSync(new URL('../../dist/database/audit-index-worker.js', import.meta.url)))(
    'does the same in a thread of its own (needs a build)',
    async () => {
      const segments = new Segments();
      const index = await open({ inProcess: false });
      index.advance(segments.many(30));
      await index.caughtUp();
      expect(await all(index)).toEqual(segments.texts);
      const event = JSON.parse(segments.texts[3] ?? '') as AuditEvent;
      expect(await index.known([event.id, 'evt_none'])).toEqual(new Set([event.id]));
      await index.close();
      await expect(index.find({}, { afterSeq: 0, limit: 1 })).rejects.toThrow('has ended');
      writeFileSync(path, 'damaged');
      const again = await open({ inProcess: false });
      again.advance(segments.position);
      await again.caughtUp();
      expect(await all(again)).toEqual(segments.texts);
    },
  );
});

auditSinkContract('the segment file with its index', async () => {
  const place = mkdtempSync(join(tmpdir(), 'countersign-sink-'));
  const index = await openAuditIndex({
    directory: place,
    path: join(place, 'index.db'),
    inProcess: true,
    blockSize: 500,
  });
  return openSegmentFileSink({ directory: place, index, segmentBytes: 1_000_000 });
});
