// Which certificate a request came with: RFC 8705 §3.
import type { RequestHeaders } from '../presented-token.ts';

/** DER; undefined where there is none that can be believed. */
export type CallerCertificate = (request: RequestHeaders) => Uint8Array | undefined;

/** What node's TLSSocket has, and a plain socket does not; both have the address. */
interface Peer {
  readonly remoteAddress: string | undefined;
  getPeerX509Certificate(): { readonly raw: Uint8Array } | undefined;
}

export function ofConnection(request: RequestHeaders): Uint8Array | undefined {
  return peerOf(request).getPeerX509Certificate?.()?.raw;
}

export function peerOf({ socket }: RequestHeaders): Partial<Peer> {
  return socket ?? {};
}
