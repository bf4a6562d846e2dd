import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { crc32 } from 'node:zlib';
import { type AuditEvent, type AuditFilter, encodeEvent } from '../audit/event.ts';
import type { AuditIndex, SegmentPosition } from '../audit/sink.ts';
import { type AuditIndexOptions, openAuditIndex } from './audit-index.ts';
import { auditEvent } from './audit-sink-contract.ts';

/** For tests: writes batches as the log does, and remembers what was written. */
export class Segments {
  readonly #directory: string;
  readonly texts: string[] = [];
  #segment = 1;
  #offset = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  get position(): SegmentPosition {
    return { segment: this.#segment, offset: this.#offset };
  }
  get file(): string {
    return join(this.#directory, `${String(this.#segment).padStart(8, '0')}.log`);
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

export interface IndexPlace {
  readonly directory: string;
  /** Of the index file. */
  readonly path: string;
  /** In this process, with small blocks, unless told otherwise; closed after the test. */
  open(overrides?: Partial<AuditIndexOptions>): Promise<AuditIndex>;
}

/** For tests: a folder for each test, with segments and an index. */
export function indexPlace(): IndexPlace {
  let home = '';
  const opened: AuditIndex[] = [];
  const place: IndexPlace = {
    get directory() {
      return join(home, 'audit');
    },
    get path() {
      return join(home, 'audit-index.db');
    },
    open: async (overrides = {}) => {
      const { directory, path } = place;
      const index = await openAuditIndex({ directory, path, inProcess: true, blockSize: 8, ...overrides });
      opened.push(index);
      return index;
    },
  };
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'countersign-index-'));
    mkdirSync(place.directory);
  });
  afterEach(async () => {
    for (const index of opened.splice(0)) await index.close();
    rmSync(home, { recursive: true, force: true });
  });
  return place;
}

/** The first thousand. */
export async function all(index: AuditIndex, filter: AuditFilter = {}): Promise<readonly string[]> {
  return index.find(filter, { afterSeq: 0, limit: 1000 });
}
