// What was decided and what failed: counters for metrics, and lines for whoever looks for a reason.
import type { Decision } from '../decision/decide.ts';
import type { EdgeRequest } from '../decision/edge-request.ts';
import { type Reason, type Refused, refuseEdge } from '../decision/refusal.ts';
import type { Logger } from './logger.ts';

export interface Ledger {
  /** One decision, by the kind of front that asked for it. */
  decided(front: string, request: AskedAbout | undefined, decision: Decision): void;
  /** A refusal after the decision, at the upstream. */
  failed(front: string, refused: Refused): void;
  /** Something that must not happen; resolves to what its caller is told. */
  bug(error: unknown): Refused;
  /** Counts by front and outcome: `allowed` or a reason. */
  counts(): ReadonlyMap<string, number>;
}

/** What lines tell of a request: never its query, which may hold anything. */
export type AskedAbout = Pick<EdgeRequest, 'method' | 'target' | 'hosts'>;

/** Lines about refusals in a minute; those beyond it are counted and told of in one. */
export const REFUSAL_LINES_A_MINUTE = 60;
const MINUTE_MS = 60_000;

/** @param now ms */
export function createLedger(logger: Logger, now: () => number): Ledger {
  const counts = new Map<string, number>();
  let minute = now();
  let lines = 0;
  const count = (front: string, outcome: Reason | 'allowed'): void => {
    const key = `${front} ${outcome}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  const log = (
    front: string,
    request: AskedAbout | undefined,
    { reason, detail, route, status }: Refused,
  ): void => {
    if (now() - minute >= MINUTE_MS) {
      if (lines > REFUSAL_LINES_A_MINUTE) {
        logger.info({ unlogged: lines - REFUSAL_LINES_A_MINUTE }, 'further refusals of the last minute');
      }
      minute = now();
      lines = 0;
    }
    if (++lines > REFUSAL_LINES_A_MINUTE) return;
    logger.info({ front, status, reason, detail, route, ...described(request) }, 'refused');
  };
  return {
    decided(front, request, decision) {
      count(front, decision.allowed ? 'allowed' : decision.reason);
      if (!decision.allowed) log(front, request, decision);
    },
    failed(front, refused) {
      count(front, refused.reason);
      log(front, undefined, refused);
    },
    bug(error) {
      logger.error({ err: error }, 'a request failed because of a bug');
      return refuseEdge('bug');
    },
    counts: () => counts,
  };
}

const LONGEST_LOGGED = 200;

function described(request: AskedAbout | undefined): object {
  if (request === undefined) return {};
  const { method, target, hosts } = request;
  const [path = ''] = target.split('?');
  return {
    method: method.slice(0, 32),
    host: hosts[0]?.slice(0, LONGEST_LOGGED),
    path: path.slice(0, LONGEST_LOGGED),
  };
}
