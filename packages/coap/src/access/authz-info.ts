// The resource that takes tokens: RFC 9200 §5.10.1.
import { ACE, CONTENT_FORMAT, decodeStrict, isCborMap } from '@countersign/cose';
import { CODE, type CoapMessage, OPTION, optionNumber } from '../message/coap-message.ts';
import type { RequestTarget } from '../message/request-target.ts';
import { FAULT_CODES, type TokenFault } from './refusal.ts';
import type { TokenStore } from './token-store.ts';
import type { TokenVerifier } from './token-verifier.ts';

export const AUTHZ_INFO = '/authz-info';

export interface AuthzInfoDeps {
  readonly verifier: Pick<TokenVerifier, 'verify'>;
  readonly store: Pick<TokenStore, 'add'>;
  readonly refused: (fault: TokenFault, from: string) => void;
}

/** The code to answer with: 2.01 for a token that is held now. `from`: the address it came from. */
export async function takeToken(
  { verifier, store, refused }: AuthzInfoDeps,
  request: CoapMessage,
  { method }: RequestTarget,
  from: string,
): Promise<number> {
  if (method !== 'POST') return CODE.methodNotAllowed;
  const token = tokenIn(request);
  const held = token === undefined ? 'malformed' : await verifier.verify(token);
  const fault = typeof held === 'string' ? held : store.add(held, from);
  if (fault === undefined) return CODE.created;
  refused(fault, from);
  return FAULT_CODES[fault];
}

/** The token itself (`application/cwt`, or no format), or a map that holds one (`application/ace+cbor`). */
function tokenIn(request: CoapMessage): Uint8Array | undefined {
  const format = optionNumber(request, OPTION.contentFormat);
  if (format === undefined || format === CONTENT_FORMAT.cwt) return Uint8Array.from(request.payload);
  if (format !== CONTENT_FORMAT.aceCbor) return undefined;
  const read = decodeStrict(request.payload, { maxBytes: 1100, maxDepth: 2 });
  const token = read.ok && isCborMap(read.value) ? read.value.get(ACE.accessToken) : undefined;
  return token instanceof Uint8Array ? Uint8Array.from(token) : undefined;
}
