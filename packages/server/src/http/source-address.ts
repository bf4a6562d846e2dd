import { BlockList, isIP } from 'node:net';

/** Whose word about the caller's address is taken: the proxies that were declared, and nobody else's. */
export interface TrustedProxies {
  trusts(address: string): boolean;
}

/** Throws on text that is not an address or a CIDR block. */
export function trustedProxies(blocks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix] = block.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) {
      throw new TypeError(`${block} is not an address or a CIDR block`);
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return {
    trusts: (address) => blocks.length > 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'),
  };
}

/** `::ffff:192.0.2.1` is 192.0.2.1: one caller has one spelling. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

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
    const address = plainAddress(hop);
    if (isIP(address) === 0) return peer;
    if (!proxies.trusts(address)) return address;
  }
  return peer;
}
