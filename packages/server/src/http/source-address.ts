import { isIP, SocketAddress } from 'node:net';
import { plainAddress, type TrustedProxies } from '@countersign/protocol';

/**
 * The caller's address: the peer's, or behind declared proxies the last address in `X-Forwarded-For` that is not one of
 * them. Anything before that was written by the caller itself.
 */
export function sourceAddress(peer: string, rawHeaders: readonly string[], proxies: TrustedProxies): string {
  if (!proxies.trusts(peer)) return peer;
  const hops: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === 'x-forwarded-for') {
      hops.push(...(rawHeaders[i + 1] as string).split(',').map((hop) => hop.trim()));
    }
  }
  for (const hop of hops.reverse()) {
    const address = hopAddress(hop);
    if (address === undefined) return peer;
    if (!proxies.trusts(address)) return address;
  }
  return peer;
}

/** Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:443` (RFC 7239 §6). */
const WITH_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/;

/** What a proxy wrote, in the one spelling that sockets use, without zone; undefined when it is no address. */
function hopAddress(hop: string): string | undefined {
  const [, six, four] = WITH_PORT.exec(hop) ?? [];
  const text = six ?? four ?? hop;
  const family = isIP(text);
  if (family !== 6) return family === 4 ? text : undefined;
  return plainAddress(new SocketAddress({ address: text, family: 'ipv6' }).address);
}
