import type { LoggedEvent } from '../../audit/event.ts';
import type { TraceLog } from './issued-token.ts';

/** A record behind a token: since when there is it, and since when its version that held then. Epoch ms. */
export interface Behind {
  readonly id: string;
  readonly createdAt: number;
  readonly inForceSince: number;
}

export interface RecordHistory {
  /** Ascending by seq. */
  readonly events: readonly LoggedEvent[];
  /** False: it changed more often than is told. */
  readonly complete: boolean;
}

const FIRST = 30;
const MOST_OF_SPAN = 30;

/**
 * What happened to a record from its beginning to the end of the token. Of one that changed often: its first changes, what
 * made the version that held when the token was issued, and what happened while it lived.
 */
export async function historyBehind(
  log: TraceLog,
  { id, createdAt, inForceSince }: Behind,
  issuedAt: number,
  endsBy: number,
): Promise<RecordHistory> {
  const find = (from: number, to: number, limit: number) =>
    log.find({ resource: id, from, to }, { afterSeq: 0, limit });
  const first = await find(createdAt, endsBy, FIRST + 1);
  if (first.length <= FIRST) return { events: first, complete: true };
  const [made, lived] = await Promise.all([
    find(inForceSince, issuedAt, MOST_OF_SPAN),
    find(issuedAt, endsBy, MOST_OF_SPAN),
  ]);
  const bySeq = new Map([...first.slice(0, FIRST), ...made, ...lived].map((event) => [event.seq, event]));
  return { events: [...bySeq.values()].toSorted((a, b) => a.seq - b.seq), complete: false };
}
