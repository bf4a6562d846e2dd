import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anEvent } from '../../test/segments.ts';
import type { AuditEvent } from './event.ts';
import { createAuditLog } from './group-commit.ts';
import type { AuditLog } from './log.ts';
import { type AuditSink, AuditUnavailable } from './sink.ts';

interface HeldSink extends AuditSink {
  /** Batches handed over so far, in order. */
  readonly batches: string[][];
  /** Ends the commit in flight: done, or failed with the error. */
  end(error?: unknown): Promise<void>;
  readonly inFlight: () => number;
  readonly mostInFlight: () => number;
  closed: number;
}

/** A sink whose commits end when the test says so. */
function heldSink(): HeldSink {
  const ends: ((error?: unknown) => void)[] = [];
  let most = 0;
  return {
    batches: [],
    closed: 0,
    inFlight: () => ends.length,
    mostInFlight: () => most,
    commit(batch) {
      this.batches.push(batch.map((event) => event.id));
      return new Promise<void>((resolve, reject) => {
        ends.push((error) => (error === undefined ? resolve() : reject(error)));
        most = Math.max(most, ends.length);
      });
    },
    async end(error) {
      ends.shift()?.(error);
      await settle();
    },
    find: async () => [],
    known: async (ids) => new Set(ids),
    freeBytes: () => 1,
    async close() {
      this.closed++;
    },
  };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await turn();
}

interface Scene {
  readonly sink: HeldSink;
  readonly log: AuditLog;
  readonly reports: unknown[];
  /** Appends and notes how it ends: `id ok`, `id AuditUnavailable`. */
  append(event?: AuditEvent): string;
  readonly ended: string[];
}

function open(): Scene {
  const sink = heldSink();
  const reports: unknown[] = [];
  const log = createAuditLog(sink, (error) => reports.push(error));
  const ended: string[] = [];
  return {
    sink,
    log,
    reports,
    ended,
    append(event = anEvent()) {
      log.append(event).then(
        () => ended.push(`${event.id} ok`),
        (error: Error) => ended.push(`${event.id} ${error.name}`),
      );
      return event.id;
    },
  };
}

const outcomes = (ids: readonly string[], outcome: string): string[] => ids.map((id) => `${id} ${outcome}`);

describe('the log', () => {
  it('commits together what one turn of the event loop brought, and acknowledges nothing before', async () => {
    const { sink, append, ended } = open();
    const ids = [append(), append()];
    await Promise.resolve().then(() => ids.push(append()));
    expect(sink.batches).toEqual([]);
    await settle();
    expect(sink.batches).toEqual([ids]);
    expect(ended).toEqual([]);
    await sink.end();
    expect(ended).toEqual(outcomes(ids, 'ok'));
  });

  it('has one commit in flight, and gathers the next batch meanwhile', async () => {
    const { sink, append, ended } = open();
    const first = [append()];
    await settle();
    const second = [append(), append()];
    await settle();
    second.push(append());
    await settle();
    expect(sink.batches).toEqual([first]);
    await sink.end();
    expect(ended).toEqual(outcomes(first, 'ok'));
    expect(sink.batches).toEqual([first, second]);
    await sink.end();
    expect(ended).toEqual(outcomes([...first, ...second], 'ok'));
    expect(sink.mostInFlight()).toBe(1);
  });

  it('bounds a batch and keeps the order', async () => {
    const { sink, append, ended } = open();
    const ids = Array.from({ length: 10_000 }, () => append());
    await settle();
    while (sink.inFlight() > 0) await sink.end();
    expect(sink.batches.map((batch) => batch.length)).toEqual([4096, 4096, 1808]);
    expect(sink.batches.flat()).toEqual(ids);
    expect(ended).toEqual(outcomes(ids, 'ok'));
  });

  it('refuses exactly the batch that failed, and the next one goes through', async () => {
    const { sink, append, ended, log, reports } = open();
    const first = [append(), append()];
    await settle();
    const second = [append()];
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    await sink.end(full);
    expect(ended).toEqual(outcomes(first, 'AuditUnavailable'));
    expect(log.healthy()).toBe(false);
    await sink.end();
    expect(ended).toEqual([...outcomes(first, 'AuditUnavailable'), ...outcomes(second, 'ok')]);
    expect(log.healthy()).toBe(true);
    expect(reports).toEqual([full]);
  });

  it('gives the cause, and passes on what is AuditUnavailable already', async () => {
    const { sink, log } = open();
    const cause = new Error('EIO');
    const refused = log.append(anEvent()).catch((error: unknown) => error);
    await settle();
    await sink.end(cause);
    expect(await refused).toMatchObject({ name: 'AuditUnavailable', cause });
    const own = new AuditUnavailable('database gone');
    const again = log.append(anEvent()).catch((error: unknown) => error);
    await settle();
    await sink.end(own);
    expect(await again).toBe(own);
  });

  it('reports an outage once, and the next one again', async () => {
    const { sink, append, reports } = open();
    for (const error of ['a', 'b', undefined, 'c', 'd']) {
      append();
      await settle();
      await sink.end(error);
    }
    expect(reports).toEqual(['a', 'c']);
  });

  it('takes no more than it can hold, and says so', async () => {
    const { sink, log, append, ended } = open();
    append();
    await settle();
    for (let i = 0; i < 50_000; i++) append();
    await expect(log.append(anEvent())).rejects.toBeInstanceOf(AuditUnavailable);
    while (sink.inFlight() > 0) await sink.end();
    expect(ended.filter((each) => each.endsWith(' ok'))).toHaveLength(50_001);
    append();
    await settle();
    expect(sink.inFlight()).toBe(1);
  });

  it('waits at its end for what is in flight and gathered, then closes the sink, and takes nothing more', async () => {
    const { sink, log, append, ended } = open();
    const first = append();
    await settle();
    const second = append();
    let closed = 0;
    const both = [log.close(), log.close()].map((each) => each.then(() => closed++));
    await expect(log.append(anEvent())).rejects.toBeInstanceOf(AuditUnavailable);
    await settle();
    expect([closed, sink.closed]).toEqual([0, 0]);
    await sink.end();
    expect([closed, sink.closed]).toEqual([0, 0]);
    await sink.end(new Error('EIO'));
    await Promise.all(both);
    expect(ended).toEqual([`${first} ok`, `${second} AuditUnavailable`]);
    expect(sink.closed).toBe(1);
  });

  it('ends at once when there is nothing to wait for, also right after an append', async () => {
    const idle = open();
    await idle.log.close();
    expect(idle.sink.closed).toBe(1);
    const busy = open();
    const id = busy.append();
    const closing = busy.log.close();
    await settle();
    await busy.sink.end();
    await closing;
    expect(busy.ended).toEqual([`${id} ok`]);
  });

  it('asks the sink for what it knows', async () => {
    const { log } = open();
    expect(await log.known(['a'])).toEqual(new Set(['a']));
    expect(await log.find({}, { afterSeq: 0, limit: 1 })).toEqual([]);
  });

  it('answers every event once, in order, with what became of its batch (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.integer({ min: 1, max: 4 }),
            fc.constantFrom('ok' as const, 'fail' as const, 'turn' as const),
          ),
          { maxLength: 30 },
        ),
        async (steps) => {
          const { sink, log, append, ended } = open();
          const ids: string[] = [];
          const failed = new Set<string>();
          const end = async (fails: boolean): Promise<void> => {
            if (sink.inFlight() === 0) return;
            if (fails) for (const id of sink.batches.at(-1) ?? []) failed.add(id);
            await sink.end(fails ? new Error('EIO') : undefined);
          };
          for (const step of steps) {
            if (typeof step === 'number') for (let i = 0; i < step; i++) ids.push(append());
            else if (step === 'turn') await turn();
            else await end(step === 'fail');
          }
          const closing = log.close();
          await settle();
          while (sink.inFlight() > 0) await end(false);
          await closing;
          expect(sink.batches.flat()).toEqual(ids);
          expect(ended).toEqual(ids.map((id) => `${id} ${failed.has(id) ? 'AuditUnavailable' : 'ok'}`));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('asked what it knows, it waits for what is being written: the answer cannot be behind it', async () => {
    const { log, sink, append } = open();
    append();
    await settle();
    append();
    let known: ReadonlySet<string> | undefined;
    void log.known(['evt_a']).then((ids) => (known = ids));
    await settle();
    expect(known).toBeUndefined();
    await sink.end(new AuditUnavailable('a full disk'));
    expect(known).toBeUndefined();
    await sink.end();
    await settle();
    expect(known).toEqual(new Set(['evt_a']));
  });
});
