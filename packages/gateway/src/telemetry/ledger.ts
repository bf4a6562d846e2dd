// What was decided and what failed: counters for metrics, and lines for whoever looks for a reason.
import { createRefusalLines, type Logger, type TurnedAway } from '@countersign/daemon';
import type { GatewayConfig } from '../config/config.ts';
import type { Decision } from '../decision/decide.ts';
import type { EdgeRequest } from '../decision/edge-request.ts';
import { type Reason, type Refused, refuseEdge } from '../decision/refusal.ts';

export interface Ledger {
  /** One decision, by the kind of front that asked for it. */
  decided(front: string, request: AskedAbout | undefined, decision: Decision): void;
  /** A refusal after the decision, at the upstream. */
  failed(front: string, refused: Refused): void;
  /** A connection that there was no place for. */
  turnedAway(listener: ListenerName, reason: TurnedAway, address: string): void;
  /** Something that must not happen; resolves to what its caller is told. */
  bug(error: unknown): Refused;
  /** Counts by front and outcome: `allowed` or a reason. */
  counts(): ReadonlyMap<string, number>;
  /** Connections closed, by listener and reason. */
  turnedAwayCounts(): ReadonlyMap<string, number>;
}

export type ListenerName = keyof GatewayConfig['listen'];

/** What lines tell of a request: never its query, which may hold anything. */
export type AskedAbout = Pick<EdgeRequest, 'method' | 'target' | 'hosts'>;

/** @param now ms */
export function createLedger(logger: Logger, now: () => number): Ledger {
  const counts = new Map<string, number>();
  const turnedAway = new Map<string, number>();
  const lines = createRefusalLines(logger, now);
  const countIn = (where: Map<string, number>, key: string): void => {
    where.set(key, (where.get(key) ?? 0) + 1);
  };
  const count = (front: string, outcome: Reason | 'allowed'): void => countIn(counts, `${front} ${outcome}`);
  const log = (
    front: string,
    request: AskedAbout | undefined,
    { reason, detail, route, status }: Refused,
  ): void => {
    lines.write({ front, status, reason, detail, route, ...described(request) }, 'refused');
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
    turnedAway(listener, reason, address) {
      countIn(turnedAway, `${listener} ${reason}`);
      lines.write({ listener, reason, address }, 'turned away');
    },
    bug(error) {
      logger.error({ err: error }, 'a request failed because of a bug');
      return refuseEdge('bug');
    },
    counts: () => counts,
    turnedAwayCounts: () => turnedAway,
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
