// Marks that the audit log carries until they are written down: docs/decisions/0070-the-event-carries-the-used-proof.md.
import type { LogPlace, MarkedLog } from '../storage/used-once.ts';
import { type Database, statement } from './database.ts';
import { unavailable } from './faults.ts';
import { expiryOf, MarkList, readMark, type UsedOnceMark } from './used-once-mark.ts';

const createPlace = statement(
  '',
  `CREATE TABLE IF NOT EXISTS used_once_log
     (one INTEGER PRIMARY KEY CHECK (one = 1), segment INTEGER NOT NULL, place INTEGER NOT NULL)`,
);
const selectPlace = statement('', 'SELECT segment, place FROM used_once_log');
const upsertPlace = statement(
  'used_once_log_place',
  `INSERT INTO used_once_log (one, segment, place) VALUES (1, $1, $2)
     ON CONFLICT (one) DO UPDATE SET segment = excluded.segment, place = excluded.place`,
);

/** How long (ms) the log alone has a mark: what a start after a crash reads of it. */
const WRITTEN_AFTER = 1000;
/** Marks that wait to be written. Beyond it the disk is not keeping up: further proofs are refused. */
const MOST_HELD = 200_000;

export interface HeldMarks {
  /** Throws `unavailable` when too many wait. */
  requireRoom(): void;
  /** Written down within a second; before that, the log has it or its own write. */
  add(mark: UsedOnceMark): void;
  /** Within a second: the place in the log, though nothing waits, so that little is to be read of it. */
  advance(): void;
  /** Writes what waits. Never rejects: the log has it. */
  end(): Promise<void>;
}

export interface HeldMarksDeps {
  readonly database: Pick<Database, 'query' | 'run'>;
  readonly log: MarkedLog;
  readonly insert: (marks: MarkList) => Promise<void>;
  /** Into memory; false where it is there. */
  readonly take: (mark: UsedOnceMark) => boolean;
  /** Epoch seconds. */
  readonly now: () => number;
}

/** Reads what events carry that was not written down before the end of the process that issued them. */
export async function heldMarks({ database, log, insert, take, now }: HeldMarksDeps): Promise<HeldMarks> {
  let waiting = new MarkList();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  /**
   * Every mark was made before its event was appended. So the events behind a place that is taken before the waiting marks carry, of the
   * marks made until then, those alone that are written now.
   */
  const write = async (): Promise<void> => {
    const { segment, offset } = log.place();
    const marks = waiting;
    waiting = new MarkList();
    try {
      if (marks.count > 0) await insert(marks);
      await database.run(upsertPlace, [segment, offset]);
    } catch (error) {
      marks.addAll(waiting);
      waiting = marks;
      throw error;
    }
  };
  /** One at a time: where the place of a later one were written, and the marks of an earlier one not, a start would read past those. */
  const schedule = (): void => {
    timer ??= setTimeout(() => {
      writing = write()
        .catch(() => undefined)
        .then(() => {
          timer = undefined;
          if (waiting.count > 0) schedule();
        });
    }, WRITTEN_AFTER).unref();
  };

  await database.run(createPlace);
  const [last] = await database.query<{ segment: number; place: number }>(selectPlace);
  if (last !== undefined) {
    const since: LogPlace = { segment: Number(last.segment), offset: Number(last.place) };
    for await (const text of log.marksSince(since)) {
      const mark = readMark(text);
      if (mark !== undefined && expiryOf(mark) >= now() && take(mark)) waiting.add(mark);
    }
  }
  await write();

  return {
    requireRoom() {
      if (waiting.count >= MOST_HELD) throw unavailable('too many used proofs wait to be written');
    },
    add(mark) {
      waiting.add(mark);
      schedule();
    },
    advance: schedule,
    async end() {
      clearTimeout(timer);
      await writing;
      clearTimeout(timer);
      await write().catch(() => undefined);
    },
  };
}
