import { eventsOfToken, type IssuedToken, issuedAmong, readIssued, type TraceLog } from './issued-token.ts';

export interface ExchangeChain {
  /** The tokens it comes from, the first of the row first. */
  readonly before: readonly IssuedToken[];
  /** The tokens that come from it, in the order in which they were issued. */
  readonly after: readonly IssuedToken[];
  /** False: there are more than are looked for, or the log no longer has one of them. */
  readonly complete: boolean;
}

/** More than may be in a row (MAX_ACTORS of the exchange), whatever an event says. */
const MOST_BEFORE = 8;
/** All that come from one token, over all steps; each costs one look into the log. */
export const MOST_AFTER = 50;

/** The row of exchanges (RFC 8693) in which a token stands. */
export async function exchangeChain(log: TraceLog, token: IssuedToken): Promise<ExchangeChain> {
  const named = token.exchanged.slice(0, MOST_BEFORE);
  const found = await Promise.all(named.map(async (jti) => issuedAmong(await eventsOfToken(log, jti))));
  const before = found.filter((each) => each !== undefined).reverse();
  const after: IssuedToken[] = [];
  let complete = before.length === token.exchanged.length;
  for (let next: IssuedToken[] = [token]; next.length > 0; ) {
    const parent = next.shift() as IssuedToken;
    const room = MOST_AFTER - after.length;
    const children = await log.find(
      { parent: parent.jti, from: parent.issuedAt },
      { afterSeq: 0, limit: room + 1 },
    );
    const taken = children.slice(0, room).map(readIssued);
    after.push(...taken);
    next = [...next, ...taken];
    if (children.length <= room) continue;
    complete = false;
    break;
  }
  return { before, after: after.toSorted((a, b) => a.event.seq - b.event.seq), complete };
}
