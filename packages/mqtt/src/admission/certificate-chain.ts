// What a client showed in its TLS handshake: RFC 8446 §4.4.2. Which one is right, the token says, or the authority.
import type { TLSSocket } from 'node:tls';

/** As many as a path may have. */
const LONGEST_CHAIN = 10;

/** DER, leaf first. */
export function chainOf(socket: Pick<TLSSocket, 'getPeerX509Certificate'>): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (
    let next = socket.getPeerX509Certificate();
    next !== undefined && chain.length < LONGEST_CHAIN;
    next = next.issuerCertificate
  )
    chain.push(next.raw);
  return chain;
}
