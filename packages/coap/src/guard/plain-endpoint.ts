// Requests without DTLS: tokens are taken, and all else is told where to get one (RFC 9200 §5.3, §5.10.1).
import { type AuthzInfoDeps, answerAuthzInfo, isAuthzInfo } from '../access/authz-info.ts';
import { type HintFacts, withHints } from '../access/hints.ts';
import { type Permissions, scopesFor } from '../access/permissions.ts';
import type { Peer } from '../dtls/session.ts';
import type { SourceBudget } from '../dtls/source-budget.ts';
import { type Answer, answerTo, resetFor } from '../message/answer.ts';
import { type Bodies, withBlock } from '../message/block1.ts';
import { CODE, type CoapMessage, isRequest, readCoap, TYPE } from '../message/coap-message.ts';
import { readTarget } from '../message/request-target.ts';

export interface PlainEndpointDeps {
  readonly permissions: Permissions;
  readonly hints: HintFacts;
  readonly authzInfo: AuthzInfoDeps;
  /** Addresses are easily made up: each gets so many answers and no more (RFC 7252 §11.3). */
  readonly budget: SourceBudget;
  readonly bodies: Bodies;
}

/** The answer to a datagram; undefined where there is none to give. Never rejects. */
export function createPlainEndpoint(
  deps: PlainEndpointDeps,
): (datagram: Uint8Array, from: Peer) => Promise<Uint8Array | undefined> {
  let messageId = 0;

  async function answerOf(message: CoapMessage, { address, port }: Peer): Promise<Answer | undefined> {
    const read = readTarget(message);
    if (!read.ok) return { code: read.code };
    const { target } = read;
    if (isAuthzInfo(target.path)) {
      const taken = deps.bodies.take(message, `${address} ${port}`);
      if (taken.kind === 'answer') return taken.answer;
      const answer = await answerAuthzInfo(deps.authzInfo, taken.request, target, address);
      return answer && withBlock(answer, taken.block);
    }
    return withHints(CODE.unauthorized, deps.hints, scopesFor(deps.permissions, target));
  }

  return async (datagram, from) => {
    const message = readCoap(datagram);
    if (message !== undefined && (message.type === TYPE.acknowledgement || message.type === TYPE.reset))
      return undefined;
    if (!deps.budget.take(from.address)) return undefined;
    if (message === undefined || !isRequest(message)) return resetFor(datagram);
    const answer = await answerOf(message, from);
    if (answer === undefined) return undefined;
    messageId = (messageId + 1) & 0xffff;
    return answerTo(message, answer, messageId);
  };
}
