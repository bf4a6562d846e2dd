import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Span } from '../../storage/usage-coverage.ts';
import type { WaitingReport } from '../../storage/usage-reporters.ts';
import { advance, type Progress, type Told } from './progress.ts';
import { lengthWithin, without } from './spans.ts';

const MINUTE = 60_000;

/** What a copy sends in its life: each span in one report, or in several of which only the last is not `more`. */
function lifeOf(parts: readonly number[], ended: boolean): WaitingReport[] {
  const reports: WaitingReport[] = [];
  parts.forEach((count, index) => {
    for (let part = 1; part <= count; part++) {
      reports.push({
        seq: reports.length + 1,
        from: index * MINUTE,
        to: (index + 1) * MINUTE,
        more: part < count,
        blind: false,
        final: ended && index === parts.length - 1 && part === count,
      });
    }
  });
  return reports;
}

function taken(reports: readonly WaitingReport[]): {
  counted: number[];
  progress: Progress | undefined;
  told: Told[];
} {
  let progress: Progress | undefined;
  const counted: number[] = [];
  const told: Told[] = [];
  for (const report of reports) {
    const next = advance(progress, report);
    if (next === undefined) continue;
    counted.push(report.seq);
    progress = next.progress;
    told.push(...next.told);
  }
  return { counted, progress, told };
}

const spansOf = (told: readonly Told[], kind: string): Span[] =>
  told.filter((each) => each.kind === kind).map(({ span }) => span);

test('however reports are doubled and reordered, each is counted once and all of the time is known', () => {
  const life = fc
    .tuple(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 15 }), fc.boolean())
    .map(([parts, ended]) => lifeOf(parts, ended));
  const delivered = life.chain((reports) =>
    fc
      .tuple(
        fc.shuffledSubarray(reports, { minLength: reports.length, maxLength: reports.length }),
        fc.array(fc.constantFrom(...reports), { maxLength: 10 }),
        fc.integer(),
      )
      .map(([order, doubles]) => ({ reports, order: [...order, ...doubles] })),
  );
  fc.assert(
    fc.property(delivered, ({ reports, order }) => {
      const { counted, progress, told } = taken(order);
      expect(counted.toSorted((a, b) => a - b)).toEqual(reports.map(({ seq }) => seq));
      const end = reports.at(-1)?.to ?? 0;
      expect(progress).toMatchObject({ upto: reports.length, beyond: [], toldUntil: end });
      expect(progress?.ended).toBe(reports.at(-1)?.final);
      expect(
        lengthWithin(without(spansOf(told, 'seen'), spansOf(told, 'missed')), { from: 0, to: end }),
      ).toBe(end);
    }),
  );
});

test('what is lost for good is never taken for time that was seen', () => {
  const lost = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(lost, (seq) => {
      const reports = lifeOf(
        Array.from({ length: 200 }, () => 1),
        false,
      ).filter((each) => each.seq !== seq);
      const { counted, told, progress } = taken(reports);
      expect(counted).toHaveLength(199);
      expect(progress?.upto).toBe(200);
      const seen = without(spansOf(told, 'seen'), spansOf(told, 'missed'));
      expect(lengthWithin(seen, { from: (seq - 1) * MINUTE, to: seq * MINUTE })).toBe(0);
      expect(lengthWithin(seen, { from: 0, to: 200 * MINUTE })).toBeGreaterThanOrEqual(198 * MINUTE);
    }),
  );
});

test('until it is given up, time after what is missing is not known', () => {
  const reports = lifeOf([1, 1, 1, 1], false).filter(({ seq }) => seq !== 2);
  const { progress, told } = taken(reports);
  expect(progress).toMatchObject({ upto: 1, toldUntil: MINUTE });
  expect(spansOf(told, 'seen')).toEqual([{ from: 0, to: MINUTE }]);
});

test('a copy that leaves out a part of its own time did not look, and one that lost count does not know', () => {
  const report = { seq: 1, from: 0, to: MINUTE, more: false, blind: false, final: false };
  const later = { ...report, seq: 2, from: 10 * MINUTE, to: 11 * MINUTE };
  expect(spansOf(taken([report, later]).told, 'missed')).toEqual([{ from: MINUTE, to: 10 * MINUTE }]);
  const blind = { ...report, blind: true };
  expect(spansOf(taken([blind]).told, 'missed')).toEqual([{ from: 0, to: MINUTE }]);
});
