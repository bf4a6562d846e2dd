// What happens to sessions, for logs: no token, no nonce, nothing that opens anything.
import type { Verified } from '@countersign/resource-server';
import type { SessionRefusal, SessionRefusalReason } from './refusal.ts';
import type { ServerSession } from './server-hooks.ts';

export interface SessionEvent {
  /** `closed` and `downgraded`: the token no longer holds. `refused`: nothing has changed. */
  readonly type: 'opened' | 'renewed' | 'refused' | 'closed' | 'downgraded';
  /** The NodeId of the session, which is no secret. */
  readonly session: string;
  readonly clientId?: string | undefined;
  readonly reason?: SessionRefusalReason | undefined;
  /** What exactly was found. */
  readonly detail?: string | undefined;
}

export function sessionEvent(
  type: SessionEvent['type'],
  session: Pick<ServerSession, 'nodeId'> | null,
  claims: Verified['claims'] | undefined,
  { reason, detail }: Partial<SessionRefusal> = {},
): SessionEvent {
  return { type, session: session?.nodeId.toString() ?? '', clientId: claims?.client_id, reason, detail };
}
