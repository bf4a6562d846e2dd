import type { Span, SpanKind } from '../../storage/usage-coverage.ts';
import type { ReporterRecord, WaitingReport } from '../../storage/usage-reporters.ts';

/** How far one start of a copy has told. */
export type Progress = Pick<ReporterRecord, 'upto' | 'beyond' | 'toldUntil' | 'ended'>;

/** What of time a report makes known. */
export interface Told {
  readonly kind: SpanKind;
  readonly span: Span;
}

export interface Advance {
  readonly progress: Progress;
  readonly told: readonly Told[];
}

/** Reports that may come before one that precedes them; of more, what is missing is given up. */
const MOST_WAITING = 64;
/** A copy that leaves out more than this of its own time did not look. */
const OWN_GAP_MS = 60_000;

/**
 * Takes one report in, in whatever order reports come. Undefined: it was counted before. A span counts as seen when every
 * report before it has come, so that what is lost on the way is never taken for silence of those who call.
 */
export function advance(before: Progress | undefined, report: WaitingReport): Advance | undefined {
  let { upto, toldUntil, ended } = before ?? { upto: 0, toldUntil: report.from, ended: false };
  const known = before?.beyond ?? [];
  if (report.seq <= upto || known.some(({ seq }) => seq === report.seq)) return undefined;
  const waiting = [...known, report].toSorted((a, b) => a.seq - b.seq);
  const told: Told[] = [];
  for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
    const missing = next.seq !== upto + 1;
    if (missing && waiting.length <= MOST_WAITING) break;
    waiting.shift();
    upto = next.seq;
    const { from, to } = next;
    if (missing) addSpan(told, 'missed', toldUntil, to);
    if (next.more) continue;
    if (from > toldUntil + OWN_GAP_MS) addSpan(told, 'missed', toldUntil, from);
    addSpan(told, 'seen', from, to);
    if (next.blind) addSpan(told, 'missed', from, to);
    toldUntil = Math.max(toldUntil, to);
    ended = next.final;
  }
  return { progress: { upto, beyond: waiting, toldUntil, ended }, told };
}

function addSpan(told: Told[], kind: SpanKind, from: number, to: number): void {
  if (to > from) told.push({ kind, span: { from, to } });
}
