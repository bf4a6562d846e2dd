// CIDR blocks: RFC 4632 §3.1, RFC 4291 §2.3. Pure, and without the platform's lists: compared as numbers.

/** A block of addresses: the bits of its first one, and how many of them count. */
export interface Network {
  readonly bits: bigint;
  readonly prefix: number;
  readonly width: 32 | 128;
}

/** Undefined when it is neither a CIDR block nor an address. */
export function parseNetwork(block: string): Network | undefined {
  const [, text = '', digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(block) ?? [];
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  if (digits === undefined) return { ...address, prefix: address.width };
  // The block of an IPv4 address inside IPv6 counts the 96 bits before it.
  const prefix = Number(digits) - (address.width === 32 && text.includes(':') ? 96 : 0);
  return prefix < 0 || prefix > address.width ? undefined : { ...address, prefix };
}

/** Whether the first holds every address of the second. */
export function holds(outer: Network, inner: Network): boolean {
  if (outer.width !== inner.width || outer.prefix > inner.prefix) return false;
  const rest = BigInt(outer.width - outer.prefix);
  return outer.bits >> rest === inner.bits >> rest;
}

export function contains({ bits, prefix, width }: Network, address: Address): boolean {
  if (width !== address.width) return false;
  const rest = BigInt(width - prefix);
  return bits >> rest === address.bits >> rest;
}

export interface Address {
  readonly bits: bigint;
  readonly width: 32 | 128;
}

const MAPPED = 0xffffn;

/** Undefined when it is none. An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is that IPv4 address: one caller has one spelling. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const bits = parseIpv4(text);
    return bits === undefined ? undefined : { bits, width: 32 };
  }
  const bits = parseIpv6(text);
  if (bits === undefined) return undefined;
  return bits >> 32n === MAPPED ? { bits: bits & 0xffff_ffffn, width: 32 } : { bits, width: 128 };
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
}

/** RFC 4291 §2.2: eight groups, `::` once for a run of zeros, the last 32 bits also as IPv4. */
function parseIpv6(text: string): bigint | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const given = head.length + (tail?.length ?? 0);
  if (halves.length === 1 ? given !== 8 : given > 7) return undefined;
  const groups = [...head, ...Array<bigint>(8 - given).fill(0n), ...(tail ?? [])];
  return groups.reduce((bits, group) => (bits << 16n) | group, 0n);
}

function groupsOf(half: string): bigint[] | undefined {
  if (half === '') return [];
  const found: bigint[] = [];
  const parts = half.split(':');
  for (const [place, part] of parts.entries()) {
    const four = place === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (four !== undefined) found.push(four >> 16n, four & 0xffffn);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) found.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return found;
}
