import { appendFileSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AuditEvent } from './event.ts';
import { openSegmentFileSink } from './segment-file.ts';
import { marksBetween } from './segment-marks.ts';
import type { AuditIndex, AuditSink } from './sink.ts';

const index: AuditIndex = {
  indexed: async () => undefined,
  advance: () => undefined,
  caughtUp: async () => undefined,
  find: async () => [],
  known: async () => new Set(),
  close: async () => undefined,
};
const ORIGIN = { segment: 1, offset: 0 };

let directory: string;
let sink: AuditSink;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'segment-marks-'));
  sink = await openSegmentFileSink({ directory, index, segmentBytes: 4096, roomAhead: 8192 });
});
afterEach(async () => {
  await sink.close();
  rmSync(directory, { recursive: true });
});

let made = 0;
const token = (proof: string | undefined, more: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `tok_${++made}`,
  at: '2026-11-21T22:54:05.001Z',
  type: 'token.issued',
  outcome: 'success',
  request_id: `req_${made}`,
  jti: `tok_${made}`,
  credential: 'crd_1',
  proof,
  ...more,
});
const marks = async (from = ORIGIN): Promise<string[]> => {
  const found: string[] = [];
  for await (const mark of sink.marked?.marksSince(from) ?? []) found.push(mark);
  return found;
};
const placeNow = () => sink.marked?.place() ?? ORIGIN;

it('are those of the tokens since a place, oldest first, over as many segments as there are', async () => {
  await sink.commit([token('first'), token(undefined)]);
  const place = placeNow();
  const since: string[] = [];
  for (let at = 0; at < 60; at++) {
    since.push(`mark-${at}`);
    await sink.commit([token(`mark-${at}`), token(undefined)]);
  }
  expect(placeNow().segment).toBeGreaterThan(2);
  expect(await marks(place)).toEqual(since);
  expect(await marks()).toEqual(['first', ...since]);
  expect(await marks(placeNow())).toEqual([]);
});

it('are not what a change or a caller calls a proof', async () => {
  await sink.commit([
    token('right', { identity: '"proof":"a"', scopes_asked: '"proof":"b"},\n' }),
    token(undefined, { identity: ',"proof":"c","type":"token.issued"}' }),
    { ...token(undefined), type: 'identity.updated', detail: '{"after":{"proof":"d"}}' },
  ]);
  expect(await marks()).toEqual(['right']);
});

it('are read behind events longer than a piece', async () => {
  const long = `"${'x'.repeat(5 * 1024 * 1024)}"`;
  await sink.commit([token('before'), { ...token(undefined), type: 'x.y', detail: long }, token('behind')]);
  expect(await marks()).toEqual(['before', 'behind']);
});

it('begin with the first segment that is left, and end with what was acknowledged', async () => {
  await sink.commit([token('retired', { identity: 'x'.repeat(5000) })]);
  await sink.commit([token('left')]);
  unlinkSync(join(directory, '00000001.log'));
  expect(await marks()).toEqual(['left']);
  expect(await marks({ segment: 9, offset: 0 })).toEqual([]);
  expect(await marks({ ...placeNow(), offset: 1e9 })).toEqual([]);
  const torn = join(directory, '00000007.log');
  appendFileSync(torn, '{"proof":"half');
  const found: string[] = [];
  for await (const mark of marksBetween(directory, { segment: 7, offset: 0 }, { segment: 8, offset: 0 }))
    found.push(mark);
  expect(found).toEqual([]);
});
