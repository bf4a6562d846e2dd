// One session that was opened with a token: its roles are those of the token that holds now, and it ends with it.
import type { Refusal, Verified, Watched } from '@countersign/resource-server';
import type { NodeId } from '../node-opcua.ts';
import type { ServerSession, SessionContext } from './server-hooks.ts';

type Claims = Verified['claims'];

/** Told of each permission that was asked for on behalf of a token. */
export type OnPermission = (session: TokenSession, permission: number, granted: boolean) => void;

export interface PresentedToken {
  readonly token: string;
  /** DER of the client's application certificate, of whose key the channel is the proof. */
  readonly certificate: Uint8Array | undefined;
}

export class TokenSession {
  readonly session: ServerSession;
  readonly watched: Watched;
  /** As it came last, for counting what is used of it. */
  presented: PresentedToken;
  roles: readonly NodeId[];

  constructor(session: ServerSession, watched: Watched, presented: PresentedToken, roles: readonly NodeId[]) {
    this.session = session;
    this.watched = watched;
    this.presented = presented;
    this.roles = roles;
  }

  get claims(): Claims {
    return this.watched.claims;
  }

  get scopes(): readonly string[] {
    return this.watched.scopes;
  }

  /** For diagnostics and audit events of the server; of this session only. */
  get name(): string {
    return `${this.claims.client_id ?? this.claims.sub} in ${this.session.nodeId.toString()}`;
  }

  /** Why it has ended; undefined while it goes on. */
  get ended(): Refusal | undefined {
    return this.watched.signal.aborted ? (this.watched.signal.reason as Refusal) : undefined;
  }
}

/**
 * Makes the server ask this token for every permission of the session. node-opcua's own way to find roles throws for a user whom
 * no user name or certificate names, from within timers.
 */
export function answerFor(held: TokenSession, onPermission: OnPermission): void {
  const context = held.session.sessionContext;
  const ask = Object.getPrototypeOf(context) as SessionContext;
  context.getUserName = () => held.claims.client_id ?? held.claims.sub;
  context.getCurrentUserRoles = () => [...held.roles];
  context.checkPermission = (node, permission) => {
    // Between the end of a token and the end of its session nothing is allowed any more.
    const granted = held.ended === undefined && ask.checkPermission.call(context, node, permission);
    onPermission(held, permission, granted);
    return granted;
  };
}

/** Gives the session back to node-opcua's own rules. */
export function answerForNobody({ sessionContext }: ServerSession): void {
  for (const own of ['getUserName', 'getCurrentUserRoles', 'checkPermission'] as const) {
    delete (sessionContext as Partial<SessionContext>)[own];
  }
}
