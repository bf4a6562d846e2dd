import type { LoggedEvent } from '../../audit/event.ts';
import type { CutoffRecord, CutoffTarget } from '../../storage/cutoffs.ts';
import type { KeyAlgorithm, SigningKeyRecord } from '../../storage/signing-keys.ts';
import type { Stores } from '../../storage/storage.ts';
import type { IssuedToken, TraceLog } from './issued-token.ts';

/** An order that reached the token while it lived. */
export interface CutoffHit {
  readonly at: number;
  readonly target: CutoffTarget;
  readonly reason: string;
  readonly orderedBy: string;
  /** Absent: the log no longer goes back so far. */
  readonly event: LoggedEvent | undefined;
}

const MOST_OF_TARGET = 5;
/** Nodes change over to a new key at slightly different times. */
const KEY_SLACK_MS = 120_000;

/**
 * The orders that reached it: of itself and of every token it comes from, of whom they were issued to, on which credentials,
 * and of the key, one of `alg` that signed then. Orders about single tokens are forgotten when these have ended; the log still has them.
 */
export async function cutoffsOfToken(
  deps: {
    readonly log: TraceLog;
    readonly storage: Pick<Stores, 'cutoffs' | 'signingKeys'>;
  },
  token: IssuedToken,
  before: readonly IssuedToken[],
  ownEvents: readonly LoggedEvent[],
  alg: KeyAlgorithm | undefined,
): Promise<readonly CutoffHit[]> {
  const { log, storage } = deps;
  const iat = Math.floor(token.issuedAt / 1000);
  const keys = (await storage.signingKeys.live()).filter(
    (key) => signedAt(key, token.issuedAt) && (alg === undefined || key.alg === alg),
  );
  const targets = [
    ...[token, ...before].flatMap(namedIn),
    ...keys.map(({ kid }): CutoffTarget => ({ kind: 'key', target: kid })),
  ];
  const unique = [...new Map(targets.map((each) => [`${each.kind} ${each.target}`, each])).values()];
  const orders: CutoffRecord[] = [];
  for (const target of unique) {
    // Of a stolen key no token is believed, whatever its time.
    const since = target.kind === 'key' ? 0 : iat;
    orders.push(...(await storage.cutoffs.ofTarget(target, since, MOST_OF_TARGET)));
  }
  const hits = await Promise.all(
    orders
      .filter(({ createdAt }) => createdAt < token.endsBy)
      .map(async (order): Promise<CutoffHit> => {
        const { kind, target, reason, orderedBy, createdAt } = order;
        const page = { afterSeq: 0, limit: 1 };
        const [event] = await log.find({ resource: order.id, from: createdAt }, page);
        return { at: createdAt, target: { kind, target }, reason, orderedBy, event };
      }),
  );
  const told = new Set(hits.map(({ event }) => event?.seq));
  const forgotten = ownEvents
    .filter((event) => event.type === 'cutoff.ordered' && !told.has(event.seq))
    .map((event) => hitOf(event, token.jti));
  return [...hits, ...forgotten].toSorted((a, b) => a.at - b.at);
}

function namedIn({ jti, event, subject }: IssuedToken): CutoffTarget[] {
  const { identity, credential } = event;
  return [
    { kind: 'token', target: jti },
    ...(credential === undefined ? [] : [{ kind: 'credential' as const, target: credential }]),
    ...(identity === undefined ? [] : [{ kind: 'identity' as const, target: identity }]),
    ...(subject === undefined ? [] : [{ kind: 'identity' as const, target: subject }]),
  ];
}

/** A token's event does not name the key: these are the ones that signed at that time. */
function signedAt({ activeAt, retiringAt, state }: SigningKeyRecord, at: number): boolean {
  if (state === 'next') return false;
  return activeAt - KEY_SLACK_MS <= at && at <= (retiringAt ?? at) + KEY_SLACK_MS;
}

function hitOf(event: LoggedEvent, jti: string): CutoffHit {
  return {
    at: Date.parse(event.at),
    target: { kind: 'token', target: jti },
    reason: event.reason ?? '',
    orderedBy: event.identity ?? '',
    event,
  };
}
