// What was decided: counters for metrics, and lines for whoever looks for a reason. Never a token, a topic or a message.
import { createRefusalLines, type Logger } from '@countersign/daemon';
import type { End } from '../admission/reasons.ts';

/** What a session tells of itself while it goes on. */
export interface SessionFigures {
  /** A message or a filter that its client may not use. */
  denied(): void;
  /** A message that its client may not receive any more. */
  withheld(): void;
}

export interface Ledger extends SessionFigures {
  accepted(): void;
  /** Before it became a session. */
  refused(reason: End, detail: string | undefined, client: string | undefined): void;
  ended(reason: End, client: string): void;
  bug(error: unknown): void;
  counts(): LedgerCounts;
}

export interface LedgerCounts {
  readonly accepted: number;
  readonly denied: number;
  readonly withheld: number;
  readonly refused: ReadonlyMap<End, number>;
  readonly ended: ReadonlyMap<End, number>;
}

/** @param now ms */
export function createLedger(logger: Logger, now: () => number): Ledger {
  const lines = createRefusalLines(logger, now);
  const counts = {
    accepted: 0,
    denied: 0,
    withheld: 0,
    refused: new Map<End, number>(),
    ended: new Map<End, number>(),
  };
  const count = (where: Map<End, number>, reason: End): void => {
    where.set(reason, (where.get(reason) ?? 0) + 1);
  };
  return {
    accepted: () => void counts.accepted++,
    denied: () => void counts.denied++,
    withheld: () => void counts.withheld++,
    refused(reason, detail, client) {
      count(counts.refused, reason);
      lines.write({ reason, detail, client: client?.slice(0, LONGEST_LOGGED) }, 'refused');
    },
    ended(reason, client) {
      count(counts.ended, reason);
      if (reason !== 'left') lines.write({ reason, client }, 'ended');
    },
    bug: (error) => logger.error({ err: error }, 'a connection failed because of a bug'),
    counts: () => counts,
  };
}

const LONGEST_LOGGED = 200;
