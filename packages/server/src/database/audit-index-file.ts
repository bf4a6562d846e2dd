import { closeSync, openSync, rmSync } from 'node:fs';
import type { IndexedUpTo, SegmentPosition } from '../audit/sink.ts';
import {
  type Block,
  type BlockSummary,
  type GrowingBlock,
  type Location,
  PAGE_SIZE,
} from './audit-index-block.ts';
import { type LocationPage, collectPlaces, decodeLocations, encodePostings } from './audit-index-pages.ts';
import { type SqliteDatabase, type SqliteDriver, closeDatabase, sqliteCode } from './sqlite-driver.ts';

/** Raised with every change of what is stored: an index of another format is built anew. */
const FORMAT = 2;

interface BlockRow {
  first_seq: number;
  count: number;
  min_at: number;
  max_at: number;
}

/** The index cannot be read, or not understood: it must be built anew. A full disk is no such thing. */
export class IndexDamaged extends Error {
  constructor(cause: unknown) {
    super('the audit index is damaged', { cause });
    this.name = 'IndexDamaged';
  }
}

/** SQLite's primary result codes for a damaged file and for one that is no database. */
const DAMAGED: readonly number[] = [11, 26];

function damage(error: unknown): unknown {
  const code = sqliteCode(error);
  return code !== undefined && DAMAGED.includes(code & 0xff) ? new IndexDamaged(error) : error;
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw damage(error);
  }
}

/** The complete blocks, and where in the segments the next one begins. */
export interface IndexFile {
  readonly blocks: readonly Block[];
  readonly position: SegmentPosition;
  /** As far as anything was indexed, in memory too: so far the segments must reach. */
  readonly reached: IndexedUpTo | undefined;
  reach(upTo: IndexedUpTo): void;
  /** Adds a complete block and moves the position behind it, both or neither. */
  append(block: GrowingBlock, position: SegmentPosition): void;
  close(): void;
}

export function removeIndexFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}

/** Opens the index, an empty one when there is none. Throws `IndexDamaged` also when it is of another format. */
export function openIndexFile(driver: SqliteDriver, path: string): IndexFile {
  // It holds what the log holds: for the authority's own account alone.
  closeSync(openSync(path, 'a', 0o600));
  const database = driver.open(path);
  try {
    prepareTables(database);
    return indexFile(database);
  } catch (error) {
    database.close();
    throw damage(error);
  }
}

function prepareTables(database: SqliteDatabase): void {
  // Derived from the log: a commit that a loss of power takes back is made again.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000');
  database.exec(`
    CREATE TABLE IF NOT EXISTS progress (format INTEGER NOT NULL, segment INTEGER NOT NULL, byte INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS reached (only INTEGER PRIMARY KEY, segment INTEGER NOT NULL, byte INTEGER NOT NULL,
      seq INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS blocks (first_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL,
      min_at INTEGER NOT NULL, max_at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS postings (first_seq INTEGER NOT NULL, first_key INTEGER NOT NULL,
      page INTEGER NOT NULL, columns BLOB NOT NULL, PRIMARY KEY (first_seq, first_key, page));
    CREATE TABLE IF NOT EXISTS locations (first_seq INTEGER NOT NULL, page INTEGER NOT NULL, columns BLOB NOT NULL,
      PRIMARY KEY (first_seq, page));
    INSERT INTO progress SELECT ${FORMAT}, 1, 0 WHERE NOT EXISTS (SELECT 1 FROM progress);
  `);
}

function indexFile(database: SqliteDatabase): IndexFile {
  const statements = {
    progress: database.prepare('SELECT format, segment, byte FROM progress'),
    reached: database.prepare('SELECT segment, byte AS "offset", seq FROM reached'),
    reach: database.prepare('INSERT OR REPLACE INTO reached (only, segment, byte, seq) VALUES (1, ?, ?, ?)'),
    moveTo: database.prepare('UPDATE progress SET segment = ?, byte = ?'),
    blocks: database.prepare('SELECT first_seq, count, min_at, max_at FROM blocks ORDER BY first_seq'),
    addBlock: database.prepare('INSERT INTO blocks (first_seq, count, min_at, max_at) VALUES (?, ?, ?, ?)'),
    addPostings: database.prepare(
      'INSERT INTO postings (first_seq, first_key, page, columns) VALUES (?, ?, ?, ?)',
    ),
    addLocations: database.prepare('INSERT INTO locations (first_seq, page, columns) VALUES (?, ?, ?)'),
    /** Pages that begin with the key, and before them those in which it may begin. */
    postings:
      database.prepare(`SELECT columns FROM postings WHERE first_seq = ? AND first_key <= ? AND first_key >=
      coalesce((SELECT max(first_key) FROM postings WHERE first_seq = ? AND first_key < ?), 0)
      ORDER BY first_key, page`),
    locations: database.prepare('SELECT columns FROM locations WHERE first_seq = ? AND page = ?'),
  };
  const [progress] = statements.progress.all() as { format: number; segment: number; byte: number }[];
  if (progress?.format !== FORMAT) throw new IndexDamaged('another format');
  let [reached] = statements.reached.all() as IndexedUpTo[];
  let position: SegmentPosition = { segment: progress.segment, offset: progress.byte };

  let cached:
    | { readonly firstSeq: number; readonly page: number; readonly locations: LocationPage }
    | undefined;
  const locationsOf = (firstSeq: number, place: number): LocationPage => {
    const page = Math.floor(place / PAGE_SIZE);
    if (cached?.firstSeq !== firstSeq || cached.page !== page) {
      const [row] = reading(() => statements.locations.all(firstSeq, page)) as { columns: Uint8Array }[];
      if (row === undefined) throw new IndexDamaged('a page is lost');
      cached = { firstSeq, page, locations: decodeLocations(row.columns) };
    }
    return cached.locations;
  };
  const placesOf = (firstSeq: number, key: number): number[] => {
    const rows = statements.postings.all(firstSeq, key, firstSeq, key) as { columns: Uint8Array }[];
    const places: number[] = [];
    for (const { columns } of rows) collectPlaces(columns, key, places);
    return places;
  };
  const block = (summary: BlockSummary): Block => ({
    ...summary,
    placesOf: (key) => reading(() => placesOf(summary.firstSeq, key)),
    locationOf: (place) => locationIn(locationsOf(summary.firstSeq, place), place),
    instantOf: (place) => locationsOf(summary.firstSeq, place).instants[place % PAGE_SIZE] as number,
  });
  const blocks = (statements.blocks.all() as BlockRow[]).map((row) =>
    block({ firstSeq: row.first_seq, count: row.count, minAt: row.min_at, maxAt: row.max_at }),
  );

  return {
    blocks,
    get position() {
      return position;
    },
    get reached() {
      const last = blocks.at(-1);
      if (reached !== undefined || last === undefined) return reached;
      return { ...position, seq: last.firstSeq + last.count - 1 };
    },
    reach: (upTo) => {
      try {
        statements.reach.run(upTo.segment, upTo.offset, upTo.seq);
      } catch (error) {
        throw damage(error);
      }
      reached = upTo;
    },
    append: (grown, next) => {
      const { firstSeq, count, minAt, maxAt } = grown;
      database.exec('BEGIN IMMEDIATE');
      try {
        statements.addBlock.run(firstSeq, count, minAt, maxAt);
        const { keys, places } = grown.sortedPostings();
        for (let from = 0; from < keys.length; from += PAGE_SIZE) {
          const page = {
            keys: keys.subarray(from, from + PAGE_SIZE),
            places: places.subarray(from, from + PAGE_SIZE),
          };
          statements.addPostings.run(firstSeq, keys[from], from / PAGE_SIZE, encodePostings(page));
        }
        for (let place = 0; place < count; place += PAGE_SIZE) {
          statements.addLocations.run(firstSeq, place / PAGE_SIZE, grown.locationPage(place));
        }
        statements.moveTo.run(next.segment, next.offset);
        database.exec('COMMIT');
      } catch (error) {
        try {
          database.exec('ROLLBACK');
        } catch {
          // SQLite has rolled back by itself.
        }
        throw damage(error);
      }
      position = next;
      blocks.push(block({ firstSeq, count, minAt, maxAt }));
    },
    close: () => closeDatabase(database),
  };
}

function locationIn(page: LocationPage, place: number): Location {
  const index = place % PAGE_SIZE;
  return {
    segment: page.segments[index] as number,
    offset: page.offsets[index] as number,
    length: page.lengths[index] as number,
  };
}
