// Which addresses a connection may go to: the special-purpose registries of RFC 6890, RFC 6598 §7, RFC 4193, RFC 4291 §2.4.
import { BlockList, isIP } from 'node:net';

const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Of IPv6 only global unicast is public, without what tunnels to IPv4 and what is for documents. */
const GLOBAL_IPV6 = ['2000::', 3] as const;
const SPECIAL_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** Never meant by a name: this host, its link (where clouds keep their instance metadata), groups. */
const NEVER_BY_NAME: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['::', 128],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['ff00::', 8],
];

const special = blocks([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
const global = blocks([GLOBAL_IPV6]);
const neverByName = blocks(NEVER_BY_NAME);
const loopback = blocks([
  ['127.0.0.0', 8],
  ['::1', 128],
]);

/** Whether anybody on the internet could be reached there. An IPv6 address that maps an IPv4 address is not public. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return false;
  return !within(special, address) && (family === 4 || within(global, address));
}

export function isLoopback(address: string): boolean {
  return within(loopback, address);
}

/** What the operator lets through beside public addresses on port 443. */
export interface OutboundAllow {
  readonly hosts: ReadonlySet<string>;
  readonly blocks: BlockList;
}

/** A host name, an address, or a CIDR block. `entry` is the first that is none. */
export function parseOutboundAllow(
  entries: readonly string[],
): { readonly ok: true; readonly allow: OutboundAllow } | { readonly ok: false; readonly entry: string } {
  const hosts = new Set<string>();
  const allowed = new BlockList();
  for (const entry of entries) {
    const [address = '', length, ...rest] = entry.split('/');
    const family = isIP(address);
    const bits =
      length === undefined ? (family === 4 ? 32 : 128) : /^\d{1,3}$/.test(length) ? Number(length) : -1;
    if (family !== 0 && rest.length === 0 && bits >= 0 && bits <= (family === 4 ? 32 : 128)) {
      allowed.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
    } else if (length === undefined && isHostName(entry)) hosts.add(entry.toLowerCase());
    else return { ok: false, entry };
  }
  return { ok: true, allow: { hosts, blocks: allowed } };
}

/** Whether a connection for `host` (lower case, no trailing dot) may go to `address`, and on any port. */
export function isAllowedAddress(
  { hosts, blocks: allowed }: OutboundAllow,
  host: string,
  address: string,
): boolean {
  if (address.includes('%')) return false;
  return within(allowed, address) || (hosts.has(host) && !within(neverByName, address));
}

/** Not one that a URL would read as a number: RFC 1123 §2.1, and its last label has a letter. */
function isHostName(text: string): boolean {
  return (
    text.length <= 253 &&
    /^(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})*$/i.test(text) &&
    /(?:^|\.)[a-z][a-z0-9-]*$/i.test(text)
  );
}

function blocks(list: readonly (readonly [string, number])[]): BlockList {
  const made = new BlockList();
  for (const [address, bits] of list) made.addSubnet(address, bits, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  return made;
}

function within(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
