import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type AuditEvent, encodeEvent } from '../audit/event.ts';
import { openSegmentFileSink } from '../audit/segment-file.ts';
import { keyOfMember } from './audit-index-scan.ts';
import { openAuditIndex } from './audit-index.ts';
import { auditEvent, auditSinkContract } from './audit-sink-contract.ts';
import { Segments, all, indexPlace } from './test-segments.ts';

const place = indexPlace();
const built = existsSync(new URL('../../dist/database/audit-index-worker.js', import.meta.url));

describe('the index of the audit log', () => {
  it('follows the segments from one to the next', async () => {
    const segments = new Segments(place.directory);
    const index = await place.open();
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
    const segments = new Segments(place.directory);
    const index = await place.open();
    index.advance(segments.many(3));
    expect(await all(index)).toEqual([]);
    await expect.poll(() => all(index)).toHaveLength(3);
  });

  it('answers filters alike from blocks of any size and from memory', async () => {
    const segments = new Segments(place.directory);
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
      rmSync(place.path, { force: true });
      const index = await place.open({ blockSize });
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
    const segments = new Segments(place.directory);
    for (let index = 0; index < 3001; index++) {
      segments.write(auditEvent({ type: index % 3000 === 1 ? 'rare' : 'token.issued' }));
    }
    const index = await place.open({ blockSize: 3000 });
    index.advance(segments.position);
    await index.caughtUp();
    const common = segments.texts.filter((text) => text.includes('"token.issued"'));
    expect(await all(index, { type: 'token.issued' })).toEqual(common.slice(0, 1000));
    const last = await index.find({ type: 'token.issued' }, { afterSeq: 2990, limit: 1000 });
    expect(last).toEqual(common.slice(-11));
    expect(await all(index, { type: 'rare' })).toEqual([segments.texts[1]]);
  });

  it('tells apart two values that share a key', async () => {
    // Found by trying: a search for another pair takes half a million names.
    const twins = ['client-329599', 'client-532382'] as const;
    const [key, other] = twins.map((name) => keyOfMember('identity', name));
    expect(key).toBe(other);
    const segments = new Segments(place.directory);
    for (let index = 0; index < 20; index++) segments.write(auditEvent({ identity: twins[index % 2] ?? '' }));
    const index = await place.open();
    index.advance(segments.position);
    await index.caughtUp();
    for (const identity of twins) {
      expect(await all(index, { identity })).toEqual(
        segments.texts.filter((text) => text.includes(`"${identity}"`)),
      );
    }
  });

  it('goes on behind a gap in the numbers', async () => {
    const segments = new Segments(place.directory);
    segments.many(5);
    segments.texts.push(...Array.from({ length: 30 }, () => ''));
    segments.many(20);
    const index = await place.open();
    index.advance(segments.position);
    await index.caughtUp();
    expect(await all(index)).toEqual(segments.texts.filter((text) => text !== ''));
    expect(await index.find({}, { afterSeq: 36, limit: 1 })).toEqual([segments.texts[36]]);
  });

  it('says what is wrong with a log whose numbers do not ascend, and takes nothing twice', async () => {
    const segments = new Segments(place.directory);
    const index = await place.open();
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

  it.skipIf(!built)('starts another thread when its own has ended (needs a build)', async () => {
    const threads: Worker[] = [];
    const remember = (worker: Worker): number => threads.push(worker);
    process.on('worker', remember);
    const segments = new Segments(place.directory);
    const index = await place.open({ inProcess: false });
    index.advance(segments.many(30));
    const waiting = index.caughtUp();
    await threads[0]?.terminate();
    await waiting.catch(() => undefined);
    await index.caughtUp();
    expect(await all(index)).toEqual(segments.texts);
    expect(threads).toHaveLength(2);
    process.off('worker', remember);
  });

  it.skipIf(!built)('does the same in a thread of its own (needs a build)', async () => {
    const segments = new Segments(place.directory);
    const index = await place.open({ inProcess: false });
    index.advance(segments.many(30));
    await index.caughtUp();
    expect(await all(index)).toEqual(segments.texts);
    const event = JSON.parse(segments.texts[3] ?? '') as AuditEvent;
    expect(await index.known([event.id, 'evt_none'])).toEqual(new Set([event.id]));
    await index.close();
    await expect(index.find({}, { afterSeq: 0, limit: 1 })).rejects.toThrow('has ended');
    writeFileSync(place.path, 'damaged');
    const again = await place.open({ inProcess: false });
    again.advance(segments.position);
    await again.caughtUp();
    expect(await all(again)).toEqual(segments.texts);
  });
});

auditSinkContract('the segment file with its index', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-sink-'));
  const index = await openAuditIndex({
    directory,
    path: join(directory, 'index.db'),
    inProcess: true,
    blockSize: 500,
  });
  return openSegmentFileSink({ directory, index, segmentBytes: 1_000_000 });
});
