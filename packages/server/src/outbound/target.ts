// Where a request may go: the URL read in one way, its name resolved once, and every address that it has checked (address.ts).
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { isAllowedAddress, isLoopback, isPublicAddress, type OutboundAllow } from './address.ts';
import { type OutboundReason, OutboundRefusal } from './outbound-refusal.ts';

/** What may be reached. */
export interface Reach {
  readonly allow: OutboundAllow;
  /** http to loopback addresses that are allowed: for `dev` and tests on one machine. */
  readonly plainLoopback: boolean;
}

/** Every address of a name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export interface Target {
  readonly url: URL;
  /** Lower case, without brackets or trailing dot. */
  readonly host: string;
}

/**
 * Why nothing would ever be sent to a URL: it is none, or an address that may not be reached. What a name may reach is
 * known only when it is resolved.
 */
export function urlFault(reach: Reach, text: string): OutboundReason | undefined {
  try {
    const target = readTarget(text);
    if (target.url.protocol === 'http:' && !reach.plainLoopback) return 'scheme_not_allowed';
    if (isIP(target.host) !== 0) requireReachable(reach, target, [target.host]);
    return undefined;
  } catch (error) {
    if (error instanceof OutboundRefusal) return error.reason;
    throw error;
  }
}

/** @throws OutboundRefusal */
export function readTarget(text: string): Target {
  if (text.length > 2048 || !URL.canParse(text)) throw new OutboundRefusal('url_malformed', '?');
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new OutboundRefusal('scheme_not_allowed', host);
  if (host === '' || url.username !== '' || url.password !== '' || text.includes('#')) {
    throw new OutboundRefusal('url_malformed', host);
  }
  return { url, host };
}

/**
 * The addresses of the target, each of which passed. The parser of URLs has turned every spelling of an address (decimal, hex,
 * octal, short) into the plain one. @throws OutboundRefusal
 */
export async function reachableAddresses(
  reach: Reach,
  target: Target,
  resolve: Resolve,
): Promise<readonly string[]> {
  const addresses = await resolved(resolve, target.host);
  requireReachable(reach, target, addresses);
  return addresses;
}

async function resolved(resolve: Resolve, host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  let addresses: readonly string[];
  try {
    addresses = await resolve(host);
  } catch (error) {
    throw new OutboundRefusal('name_not_resolved', host, error);
  }
  if (addresses.length === 0) throw new OutboundRefusal('name_not_resolved', host);
  return addresses;
}

/** The platform's, with its hosts file and search domains. */
export const resolveAll: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** Every address has to pass: a name that has one good and one bad address is a trick or a mistake. */
function requireReachable(reach: Reach, { url, host }: Target, addresses: readonly string[]): void {
  for (const address of addresses) {
    const allowed = isAllowedAddress(reach.allow, host, address);
    if (!allowed && !isPublicAddress(address)) throw new OutboundRefusal('address_not_allowed', host);
    if (url.protocol === 'http:' && !(allowed && reach.plainLoopback && isLoopback(address))) {
      throw new OutboundRefusal('scheme_not_allowed', host);
    }
    if (!allowed && url.port !== '') throw new OutboundRefusal('port_not_allowed', host);
  }
}

/** The connection goes to the addresses that were checked; the name is not resolved a second time. */
export function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first = { address: '', family: 0 }] = all;
  return (_host, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, first.address, first.family);
  };
}

const CERTIFICATE_FAILURE =
  /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|INVALID_CA|HOSTNAME_MISMATCH|PATH_LENGTH|INVALID_PURPOSE)/;

/** Why a connection came to nothing. */
export function failureOf(error: Error & { readonly code?: string }): OutboundReason {
  if (error.name === 'AbortError') return 'timed_out';
  return CERTIFICATE_FAILURE.test(error.code ?? '') ? 'certificate_not_trusted' : 'connection_failed';
}
