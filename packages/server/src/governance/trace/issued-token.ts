import type { AuditLog } from '../../audit/log.ts';
import type { LoggedEvent } from '../../audit/event.ts';

/** Finds events; what is asked for is always bounded. */
export type TraceLog = Pick<AuditLog, 'find'>;

/** A token as the event of its issuance tells of it. */
export interface IssuedToken {
  readonly jti: string;
  readonly event: LoggedEvent;
  /** Epoch ms. */
  readonly issuedAt: number;
  /** Epoch ms; undefined for one of a version that did not write it down. */
  readonly expiresAt: number | undefined;
  /** Epoch ms: nothing that happens later is about it. */
  readonly endsBy: number;
  readonly scopes: readonly string[];
  /** jti of the tokens that it comes from (RFC 8693), the latest first. */
  readonly exchanged: readonly string[];
  /** In whose name it acts, where that is not who got it. */
  readonly subject: string | undefined;
}

/** No token lives longer (config/settings/tokens.ts). */
const LONGEST_LIFE_MS = 86_400_000;
/** Of one token: its issuance, and orders that cut it off. */
const MOST_EVENTS_OF_TOKEN = 50;

/** Every event that is about this token alone. */
export async function eventsOfToken(log: TraceLog, jti: string): Promise<readonly LoggedEvent[]> {
  return await log.find({ jti }, { afterSeq: 0, limit: MOST_EVENTS_OF_TOKEN });
}

/** Undefined: this authority issued no such token, or its log no longer goes back so far. */
export function issuedAmong(events: readonly LoggedEvent[]): IssuedToken | undefined {
  const event = events.find(({ type }) => type === 'token.issued');
  return event === undefined ? undefined : readIssued(event);
}

export function readIssued(event: LoggedEvent): IssuedToken {
  const issuedAt = Date.parse(event.at);
  // `iat` is in whole seconds, and the life is counted from it.
  const iat = Math.floor(issuedAt / 1000) * 1000;
  const expiresAt = event.lifetime === undefined ? undefined : iat + event.lifetime * 1000;
  const { sub, exchanged } = (event.detail ?? {}) as { sub?: unknown; exchanged?: unknown };
  return {
    jti: event.jti ?? event.id,
    event,
    issuedAt,
    expiresAt,
    endsBy: expiresAt ?? iat + LONGEST_LIFE_MS,
    scopes: event.scopes_held === undefined ? [] : event.scopes_held.split(' '),
    exchanged: Array.isArray(exchanged) ? exchanged.map(String) : [],
    subject: typeof sub === 'string' ? sub : undefined,
  };
}
