import type { AccessTokenClaims } from '@countersign/protocol';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { UseCounts, type UseRow } from './use-counts.ts';
import {
  MOST_ROWS,
  type Reporting,
  ReportRefused,
  UseReporter,
  type UseReporterDeps,
} from './use-reporter.ts';

const ISSUER = 'https://authority.test';
const API = 'https://fraud.test';

interface Sent {
  boot: string;
  seq: number;
  from: string;
  to: string;
  rows: UseRow[];
  more?: true;
  uncounted?: { ok: number; denied: number };
  final?: true;
}

/** What becomes of a report on its way. */
type Fate = 'taken' | 'lost' | 'answer_lost' | 'doubled' | number;

/** An authority that counts each report of a start once, behind a wire that does as it is told. */
function authority() {
  const sent: Sent[] = [];
  const counted = new Map<string, Sent>();
  const fates: Fate[] = [];
  const targets: unknown[] = [];
  const client: Reporting = {
    async fetch(url, init, target) {
      targets.push([String(url), target, init?.method]);
      const report = JSON.parse(String(init?.body)) as Sent;
      sent.push(report);
      const fate = fates.shift() ?? 'taken';
      if (fate === 'lost') throw new TypeError('fetch failed');
      if (typeof fate === 'number') return new Response('{}', { status: fate });
      const id = `${report.boot} ${report.seq}`;
      const known = counted.get(id);
      if (known === undefined) counted.set(id, report);
      // Under one number there is one report, ever.
      else expect(report).toEqual(known);
      if (fate === 'answer_lost') throw new TypeError('fetch failed');
      return new Response('{"counted":true}');
    },
  };
  const sum = (of: 'ok' | 'denied', where: 'rows' | 'uncounted'): number =>
    [...counted.values()]
      .flatMap(({ rows, uncounted }) => (where === 'rows' ? rows : uncounted ? [uncounted] : []))
      .reduce((total, each) => total + each[of], 0);
  return { client, sent, counted, fates, targets, sum };
}

function reporterOf(
  client: Reporting,
  change: Partial<UseReporterDeps> = {},
  counts?: UseCounts,
): { reporter: UseReporter; advance: (seconds: number) => void } {
  let now = 1_800_000_000;
  let boots = 0;
  const deps = {
    client,
    issuer: ISSUER,
    resourceServer: API,
    instance: 'pod-1',
    newBoot: () => `boot-${++boots}`,
    clock: () => now,
    random: () => 0.5,
    ...change,
  };
  return { reporter: new UseReporter(deps, counts), advance: (seconds) => void (now += seconds) };
}

const pay = { iss: ISSUER, client_id: 'pay', crd: 'crd_1', acs: 'acs_1' } as AccessTokenClaims;

afterEach(() => void vi.useRealTimers());

test('tells of all the time, also when there was nothing, and begins where it ended', async () => {
  const { client, sent, targets } = authority();
  const { reporter, advance } = reporterOf(client);
  reporter.count(pay, ['read'], true);
  advance(60);
  await reporter.flush();
  advance(60);
  await reporter.flush();
  expect(sent.map(({ seq, rows }) => [seq, rows.length])).toEqual([
    [1, 1],
    [2, 0],
  ]);
  expect(sent[1]?.from).toBe(sent[0]?.to);
  const resource = `${ISSUER}/v1`;
  expect(targets[0]).toEqual([`${resource}/usage`, { resource, scope: 'usage:write' }, 'POST']);
});

test('what is not acknowledged is told again, the same under the same number', async () => {
  const { client, sent, fates, sum } = authority();
  const failures: unknown[] = [];
  const { reporter, advance } = reporterOf(client, { onFailure: (error) => failures.push(error) });
  fates.push('answer_lost', 'lost', 503, 403);
  for (let round = 0; round < 5; round++) {
    reporter.count(pay, ['read'], true);
    advance(60);
    await reporter.flush();
  }
  expect(sent.map(({ seq }) => seq)).toEqual([1, 1, 1, 1, 1, 2]);
  expect(sum('ok', 'rows')).toBe(5);
  expect(failures).toHaveLength(4);
  expect(failures[3]).toBeInstanceOf(ReportRefused);
});

test('a report that is never taken makes way, and its time is told as one of which not all is known', async () => {
  const { client, sent, fates } = authority();
  const { reporter, advance } = reporterOf(client);
  fates.push(400);
  reporter.count(pay, ['read'], true);
  reporter.count(pay, ['read'], false);
  advance(60);
  await reporter.flush();
  advance(60);
  await reporter.flush();
  expect(sent[1]).toMatchObject({
    boot: 'boot-2',
    seq: 1,
    from: sent[0]?.from,
    rows: [],
    uncounted: { ok: 1, denied: 1 },
  });
});

test('many rows go in several reports of one span, of which only the last says that it is known', async () => {
  const { client, sent } = authority();
  const { reporter, advance } = reporterOf(client);
  for (let at = 0; at < MOST_ROWS + 1; at++) reporter.count({ ...pay, crd: `crd_${at}` }, ['read'], true);
  advance(60);
  await reporter.flush();
  expect(sent.map(({ rows, more }) => [rows.length, more])).toEqual([
    [MOST_ROWS, true],
    [1, undefined],
  ]);
});

test('reports about once a minute by itself, and says goodbye', async () => {
  vi.useFakeTimers();
  const { client, sent } = authority();
  const { reporter } = reporterOf(client);
  reporter.start();
  reporter.start();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(180_000);
  expect(sent).toHaveLength(4);
  await reporter.close();
  await reporter.close();
  expect(sent.map(({ final }) => final === true)).toEqual([false, false, false, false, true]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(sent).toHaveLength(5);
});

test('however the wire fails, what arrives in the end is what was counted', async () => {
  const fate = fc.constantFrom<Fate>('taken', 'lost', 'answer_lost', 401, 403, 429, 500, 503, 400, 422);
  const step = fc.oneof(
    fc.record({ crd: fc.constantFrom('a', 'b', 'c'), scope: fc.constantFrom('r', 'w'), ok: fc.boolean() }),
    fc.constant('flush' as const),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.array(fate, { maxLength: 30 }),
      async (steps, wire) => {
        const { client, fates, sum, counted } = authority();
        fates.push(...wire);
        const { reporter, advance } = reporterOf(client, {}, new UseCounts(ISSUER, 4));
        let ok = 0;
        let denied = 0;
        for (const each of steps) {
          if (each === 'flush') {
            advance(60);
            await reporter.flush();
          } else {
            reporter.count({ ...pay, crd: each.crd }, [each.scope], each.ok);
            if (each.ok) ok++;
            else denied++;
          }
        }
        fates.splice(0);
        await reporter.flush();
        await reporter.close();
        // What was refused for good after it had been taken is told twice, as rows and as uncounted: never less.
        const rows = sum('ok', 'rows');
        expect(rows).toBeLessThanOrEqual(ok);
        expect(rows + sum('ok', 'uncounted')).toBeGreaterThanOrEqual(ok);
        expect(sum('denied', 'rows')).toBeLessThanOrEqual(denied);
        if (!wire.some((each) => each === 400 || each === 422)) {
          expect([rows + sum('ok', 'uncounted'), sum('denied', 'rows') + sum('denied', 'uncounted')]).toEqual(
            [ok, denied],
          );
        }
        const reports = [...counted.values()];
        for (const boot of new Set(reports.map((each) => each.boot))) {
          const numbers = reports.filter((each) => each.boot === boot).map(({ seq }) => seq);
          expect(numbers).toEqual(numbers.map((_, at) => at + 1));
        }
        reports.slice(1).forEach(({ from }, at) => expect(from <= (reports[at]?.to ?? '')).toBe(true));
        expect(reports.at(-1)?.final).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
