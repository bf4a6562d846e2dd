// Where a node-opcua server is taken hold of. It knows no issued tokens: it would let everybody in who sends one, throw when it first
// asks what such a user may, and give up when one comes back over another channel. So it never sees one: in its place stands a user
// name that nobody can sign in with, and what it stands for is decided here (OPC 10000-4 §5.7.3).
import type { IssuedIdentityToken, NodeOpcua, StatusName } from '../node-opcua.ts';
import { type SessionRefusal, statusOf } from './refusal.ts';
import type { ServerHooks, ServerSession } from './server-hooks.ts';
import { type SessionEvent, sessionEvent } from './session-event.ts';
import type { Activation, TokenSessions } from './token-sessions.ts';

export interface InterceptDeps {
  readonly opcua: NodeOpcua;
  readonly server: ServerHooks;
  readonly sessions: TokenSessions;
  readonly anonymous: boolean;
  readonly onEvent: (event: SessionEvent) => void;
}

export function intercept({ opcua, server, sessions, anonymous, onEvent }: InterceptDeps): void {
  const activate = server._on_ActivateSessionRequest;
  const isValid = server.isValidUserIdentityToken;
  const isAuthorized = server.isUserAuthorized;
  const presented = new WeakMap<object, IssuedIdentityToken>();
  const accepted = new WeakMap<object, Activation>();

  server._on_ActivateSessionRequest = (message, channel) => {
    const { request } = message;
    const session = server.engine.getSession(request.requestHeader.authenticationToken);
    request.userIdentityToken = standIn(request.userIdentityToken, session);
    activate.call(server, message, channel);
  };

  function standIn(token: object | null | undefined, session: ServerSession | null): object | undefined {
    if (token instanceof opcua.AnonymousIdentityToken) return token;
    // Without one node-opcua takes the anonymous policy, and throws where there is none.
    if (!token) return anonymous ? undefined : new opcua.AnonymousIdentityToken({ policyId: '' });
    // The same for the same session, which may come back over another channel: whose token it brings is looked at below. Of another
    // session it is another one, so that nobody takes over what a session has subscribed to.
    const userName = sessions.nameOf(session) ?? `unknown in ${session?.nodeId.toString() ?? ''}`;
    const name = new opcua.UserNameIdentityToken({ userName, policyId: 'token' });
    if (token instanceof opcua.IssuedIdentityToken) presented.set(name, token);
    return name;
  }

  server.isValidUserIdentityToken = (channel, session, token, signature, endpoint, answer) => {
    const issued = presented.get(token);
    if (issued === undefined) {
      isValid.call(server, channel, session, token, signature, endpoint, answer);
      return;
    }
    decide(session, { token: issued, channel, nonce: session.nonce }, token)
      .then((status) => answer(null, opcua.StatusCodes[status]))
      // What is wrong now is wrong in the answering; it must not end the process.
      .catch((error: unknown) => onEvent(sessionEvent('refused', session, undefined, fault(error))));
  };

  async function decide(
    session: ServerSession,
    identity: Parameters<TokenSessions['present']>[1],
    token: object,
  ): Promise<StatusName> {
    const outcome = await sessions.present(session, identity).catch(fault);
    if (typeof outcome === 'function') {
      accepted.set(token, outcome);
      return 'Good';
    }
    onEvent(sessionEvent('refused', session, undefined, outcome));
    return statusOf(outcome);
  }

  server.isUserAuthorized = (channel, session, token, answer) => {
    const activation = accepted.get(token);
    if (activation !== undefined) {
      accepted.delete(token);
      activation();
      (token as { userName?: string }).userName = sessions.nameOf(session) ?? '';
      answer(null, true);
      return;
    }
    if (!(token instanceof opcua.AnonymousIdentityToken) || !anonymous) {
      answer(null, false, opcua.StatusCodes.BadIdentityTokenRejected);
      return;
    }
    sessions.becomeAnonymous(session);
    isAuthorized.call(server, channel, session, token, answer);
  };
}

function fault(error: unknown): SessionRefusal {
  return { reason: 'fault', detail: error instanceof Error ? error.name : undefined };
}
