// The resource that takes tokens: RFC 9200 §5.10.1.
import { ACE, CONTENT_FORMAT, decodeStrict, isCborMap } from '@countersign/cose';
import type { Answer } from '../message/answer.ts';
import { CODE, type CoapMessage, OPTION, optionNumber, TYPE } from '../message/coap-message.ts';
import type { BodyLimits } from '../message/block1.ts';
import { hasUnknownCritical } from '../message/critical-options.ts';
import type { RequestTarget } from '../message/request-target.ts';
import { FAULT_CODES, type TokenFault } from './refusal.ts';
import type { TokenStore } from './token-store.ts';
import type { TokenVerifier } from './token-verifier.ts';

const AUTHZ_INFO = '/authz-info';

export interface AuthzInfoDeps {
  readonly verifier: Pick<TokenVerifier, 'verify'>;
  readonly store: Pick<TokenStore, 'add'>;
  readonly refused: (fault: TokenFault, from: string) => void;
}

/** Bodies in blocks: a token is a kilobyte, with a map around it. Who brings them has proved nothing. */
export const TOKEN_BODIES: BodyLimits = { bytes: 2048, bodies: 256, bodiesPerPeer: 2, pauseMs: 30_000 };

/** It, and what would be below it: there is nothing, and no server behind is asked (RFC 9200 §5.10.1.2). */
export function isAuthzInfo(path: string): boolean {
  return path === AUTHZ_INFO || path.startsWith(`${AUTHZ_INFO}/`);
}

/**
 * 2.01 for a token that is held now (RFC 9200 §5.10.1: "If the token is valid, the RS MUST respond to the POST request with 2.01
 * (Created)"), or why it is not. Undefined: nothing is said. `from`: the address it came from.
 */
export async function answerAuthzInfo(
  { verifier, store, refused }: AuthzInfoDeps,
  request: CoapMessage,
  { method, path }: RequestTarget,
  from: string,
): Promise<Answer | undefined> {
  if (method !== 'POST' || path !== AUTHZ_INFO) return { code: CODE.methodNotAllowed };
  if (hasUnknownCritical(request))
    return request.type === TYPE.confirmable ? { code: CODE.badOption } : undefined;
  const token = tokenIn(request);
  const held = token === undefined ? 'malformed' : await verifier.verify(token);
  const fault = typeof held === 'string' ? held : store.add(held, from);
  if (fault === undefined) return { code: CODE.created };
  refused(fault, from);
  return { code: FAULT_CODES[fault] };
}

/** The token itself (`application/cwt`, or no format), or a map that holds one (`application/ace+cbor`). */
function tokenIn(request: CoapMessage): Uint8Array | undefined {
  const format = optionNumber(request, OPTION.contentFormat);
  if (format === undefined || format === CONTENT_FORMAT.cwt) return Uint8Array.from(request.payload);
  if (format !== CONTENT_FORMAT.aceCbor) return undefined;
  const read = decodeStrict(request.payload, { maxBytes: 1100, maxDepth: 2, encoding: 'any' });
  const token = read.ok && isCborMap(read.value) ? read.value.get(ACE.accessToken) : undefined;
  return token instanceof Uint8Array ? Uint8Array.from(token) : undefined;
}
