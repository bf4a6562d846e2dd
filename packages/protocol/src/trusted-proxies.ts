// Proxies whose word is taken for what they have seen of a caller: RFC 7239 §8.1, RFC 9440 §4.
import { BlockList, isIP } from 'node:net';

/** Whose word about a caller is taken: the proxies that were declared, and nobody else's. */
export interface TrustedProxies {
  trusts(address: string): boolean;
}

/** Throws on text that is not an address or a CIDR block. */
export function trustedProxies(blocks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const block of blocks) {
    const [, address = '', prefix] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(block) ?? [];
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const bits = prefix === undefined ? most : Number(prefix);
    if (family === 0 || bits > most) throw new TypeError(`${block} is not an address or a CIDR block`);
    // Everybody's word would be taken for anybody's address.
    if (bits === 0) throw new TypeError(`${block} declares the whole network a proxy`);
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return {
    trusts(address) {
      const family = blocks.length === 0 ? 0 : isIP(address);
      return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
    },
  };
}

/** `::ffff:192.0.2.1` is 192.0.2.1: one caller has one spelling. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
