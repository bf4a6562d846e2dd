import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../audit/event.ts';
import type { SegmentPosition } from '../audit/sink.ts';
import { auditEvent } from './audit-sink-contract.ts';
import { loadSqlite } from './sqlite-driver.ts';
import { Segments, all, indexPlace } from './test-segments.ts';

const place = indexPlace();

describe('the index of the audit log after a restart', () => {
  it('never reads behind the durable end', async () => {
    const segments = new Segments(place.directory);
    const index = await place.open();
    const durable = segments.many(10);
    const known = [...segments.texts];
    segments.write(auditEvent());
    appendFileSync(segments.file, '{"at":"2026-');
    index.advance(durable);
    await index.caughtUp();
    expect(await all(index)).toEqual(known);
  });

  it('goes on where it was after a restart, with what was in memory', async () => {
    const segments = new Segments(place.directory);
    const first = await place.open();
    first.advance(segments.many(30));
    await first.caughtUp();
    await first.close();
    const stored = statSync(place.path).size;
    const second = await place.open();
    // Not told yet how far the log is: complete blocks are there.
    expect(await all(second)).toEqual(segments.texts.slice(0, 24));
    second.advance(segments.many(4));
    await second.caughtUp();
    expect(await all(second)).toEqual(segments.texts);
    expect(statSync(place.path).size).toBeGreaterThanOrEqual(stored);
  });

  it('is built anew when its file is absent, damaged or of another format', async () => {
    const segments = new Segments(place.directory);
    const durable = segments.many(50);
    const build = async (): Promise<void> => {
      const index = await place.open();
      index.advance(durable);
      await index.caughtUp();
      expect(await all(index)).toEqual(segments.texts);
      expect(await index.known([(JSON.parse(segments.texts[7] ?? '') as AuditEvent).id])).toHaveLength(1);
      await index.close();
    };
    await build();
    rmSync(place.path);
    await build();
    rmSync(place.path);
    writeFileSync(place.path, 'this is no database, '.repeat(1000));
    await build();
    rmSync(place.path);
    writeFileSync(place.path, '');
    await build();
    const database = (await loadSqlite()).open(place.path);
    database.exec('UPDATE progress SET format = 0');
    database.close();
    await build();
  });

  it('is built anew when pages inside it turn out to be damaged', async () => {
    const segments = new Segments(place.directory);
    const durable = segments.many(400);
    for (const part of [0.15, 0.5, 0.9]) {
      const index = await place.open();
      index.advance(durable);
      await index.caughtUp();
      await index.close();
      const bytes = readFileSync(place.path);
      // A new file: the old one may still be open until it is collected as garbage.
      rmSync(place.path);
      writeFileSync(place.path, bytes.fill(0x5a, Math.floor(bytes.length * part)));
      const again = await place.open();
      again.advance(durable);
      await again.caughtUp();
      for (const number of [0, 200, 399]) {
        const { jti } = JSON.parse(segments.texts[number] ?? '') as AuditEvent;
        expect(await all(again, { jti })).toEqual([segments.texts[number]]);
      }
      expect(await all(again)).toEqual(segments.texts);
      await again.close();
    }
  });

  it('is built anew when it is ahead of the segments, or belongs to others', async () => {
    const segments = new Segments(place.directory);
    const index = await place.open();
    const early = segments.many(20);
    index.advance(segments.many(20));
    await index.caughtUp();
    await index.close();
    truncateSync(segments.file, early.offset);
    const shorter = await place.open();
    shorter.advance(early);
    await shorter.caughtUp();
    expect(await all(shorter)).toEqual(segments.texts.slice(0, 20));
    await shorter.close();
    rmSync(segments.file);
    const others = new Segments(place.directory);
    others.write(auditEvent());
    others.many(60, { identity: 'somebody-else' });
    const other = await place.open();
    other.advance(others.position);
    await other.caughtUp();
    expect(await all(other)).toEqual(others.texts);
  });

  it('says how far it was before anything is built anew, also where no block was complete', async () => {
    const segments = new Segments(place.directory);
    const index = await place.open();
    expect(await index.indexed()).toBeUndefined();
    const early = segments.many(3);
    const reached = { ...segments.many(3), seq: 6 };
    index.advance(segments.position);
    await index.caughtUp();
    await index.close();
    truncateSync(segments.file, early.offset);
    for (let start = 0; start < 2; start++) {
      const again = await place.open();
      expect(await again.indexed()).toEqual(reached);
      await again.close();
    }
    const given = await place.open();
    given.advance(early);
    await given.caughtUp();
    expect(await all(given)).toEqual(segments.texts.slice(0, 3));
    expect(await given.indexed()).toEqual({ ...early, seq: 3 });
    await given.close();
    writeFileSync(place.path, 'damaged');
    expect(await (await place.open()).indexed()).toBeUndefined();
  });

  it('tells how far it is while much is left', async () => {
    const segments = new Segments(place.directory);
    const progress: SegmentPosition[] = [];
    let now = 0;
    const dateNow = Date.now;
    Date.now = () => (now += 1000);
    try {
      const index = await place.open({ onProgress: (at) => progress.push(at) });
      index.advance(segments.many(10));
      await index.caughtUp();
    } finally {
      Date.now = dateNow;
    }
    expect(progress.at(-1)).toEqual(segments.position);
  });

  it('leaves out segments that were retired', async () => {
    const segments = new Segments(place.directory);
    const index = await place.open();
    segments.many(16);
    const retired = segments.file;
    segments.next();
    index.advance(segments.many(16));
    await index.caughtUp();
    await index.close();
    rmSync(retired);
    const later = await place.open();
    later.advance(segments.many(2));
    await later.caughtUp();
    expect(await all(later)).toEqual(segments.texts.slice(16));
    await later.close();
    rmSync(place.path);
    const rebuilt = await place.open();
    rebuilt.advance(segments.position);
    await rebuilt.caughtUp();
    expect(await all(rebuilt)).toEqual(segments.texts.slice(16));
  });
});
