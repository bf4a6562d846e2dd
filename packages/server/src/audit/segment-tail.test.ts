import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { anEvent, batchBytes } from '../../test/segments.ts';
import type { AuditEvent } from './event.ts';
import { segmentName } from './segment-recovery.ts';
import { newestChanges } from './segment-tail.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-tail-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const change = (resource: string, version: number): AuditEvent =>
  anEvent({ type: 'identity.updated', resource, detail: `{"after":{"version":${version}},"before":{}}` });

/** A file with room behind what was acknowledged; where that ends. */
function segment(number: number, events: readonly AuditEvent[], firstSeq: number): number {
  const bytes = batchBytes(events, firstSeq);
  writeFileSync(join(directory, segmentName(number)), Buffer.concat([bytes, Buffer.alloc(4096)]));
  return bytes.length;
}
const found = async (at: { segment: number; offset: number }, limit = 100) =>
  (await newestChanges(directory, at, limit)).map(({ resource, seq }) => `${resource}@${seq}`);

it('the newest change of each record, newest first, over the edge of a segment', async () => {
  segment(1, [change('a', 1), change('b', 1), anEvent(), change('a', 2)], 1);
  const offset = segment(2, [anEvent(), change('c', 1), anEvent({ identity: '"detail":{"after":{' })], 5);
  expect(await found({ segment: 2, offset })).toEqual(['c@6', 'a@4', 'b@2']);
  expect(await found({ segment: 2, offset }, 2)).toEqual(['c@6', 'a@4']);
});

it('what was not acknowledged is not there, nor what was retired from the front', async () => {
  const offset = segment(7, [change('a', 1)], 1);
  segment(7, [change('a', 1), change('b', 1)], 1);
  expect(await found({ segment: 7, offset: offset })).toEqual(['a@1']);
  expect(await found({ segment: 7, offset: 0 })).toEqual([]);
});

it('a start looks at 16 MB and no more', async () => {
  const bytes = batchBytes([change('old', 1)], 1);
  const filling = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(16 * 1024 - 1));
  const late = batchBytes([change('late', 1)], 2);
  const whole = Buffer.concat([bytes, filling, Buffer.alloc(1024, '\n'), late]);
  writeFileSync(join(directory, segmentName(1)), whole);
  expect(await found({ segment: 1, offset: whole.length })).toEqual(['late@2']);
});

it('and reads no more than 2,000 changes, as of one record that changes all the time', async () => {
  const busy = Array.from({ length: 2000 }, (_, at) => change('busy', at + 2));
  const offset = segment(1, [change('old', 1), ...busy], 1);
  expect(await found({ segment: 1, offset })).toEqual(['busy@2001']);
});
