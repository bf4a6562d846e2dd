import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type AuditEvent, encodeEvent } from '../src/audit/event.ts';
import type { AuditIndex, IndexedUpTo, SegmentPosition } from '../src/audit/sink.ts';

let made = 0;

/** The least there is to an event, with an id of its own. */
export function anEvent(change: Partial<AuditEvent> = {}): AuditEvent {
  made++;
  return {
    id: `evt_${String(made).padStart(20, '0')}`,
    at: new Date(1_800_000_000_000 + made).toISOString(),
    type: 'token.issued',
    outcome: 'success',
    identity: 'payments',
    ...change,
  };
}

/** A batch as a segment holds it: a line for each event, and the trailer. */
export function batchBytes(events: readonly AuditEvent[], firstSeq: number): Buffer {
  const body = Buffer.from(events.map((event, i) => `${encodeEvent(event, firstSeq + i)}\n`).join(''));
  const trailer = `#${events.length} ${crc32(body).toString(16).padStart(8, '0')}\n`;
  return Buffer.concat([body, Buffer.from(trailer)]);
}

/** An index that only remembers how far it was told to go. */
export function fakeIndex(
  indexed?: IndexedUpTo,
): AuditIndex & { readonly told: SegmentPosition[]; closed: boolean } {
  return {
    told: [],
    closed: false,
    indexed: async () => indexed,
    advance(durable) {
      this.told.push(durable);
    },
    caughtUp: async () => undefined,
    find: async () => [],
    known: async () => new Set(),
    async close() {
      this.closed = true;
    },
  };
}

/** Every event of the segment files, oldest first, without a look at the trailers. */
export function eventsIn(directory: string): { readonly id: string; readonly seq: number }[] {
  return segmentFiles(directory)
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').replace(/\0+$/, '').split('\n'))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => JSON.parse(line) as { id: string; seq: number });
}

export function segmentFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort();
}
