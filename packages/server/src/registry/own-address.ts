import { RegistryRefusal } from './refusal.ts';

/** Below the issuer, what the authority answers itself (docs/operate/promises.md, endpoints). */
const OWN_PATHS = ['/v1', '/oauth', '/audit', '/console', '/.well-known'];
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * A token is for an audience by its exact text, but people and gateways read addresses: what they would take for this
 * authority is no other resource server's name. Other paths of its host may be, as behind one proxy.
 */
export function requireNotOwn(adminResource: string, identifier: string): void {
  const own = plainForm(adminResource);
  const asked = plainForm(identifier);
  if (own === undefined || asked === undefined || asked.host !== own.host) return;
  const base = own.path.slice(0, -'/v1'.length);
  const reserved =
    asked.path === base || OWN_PATHS.some((path) => `${asked.path}/`.startsWith(`${base}${path}/`));
  if (!reserved) return;
  throw new RegistryRefusal('built_in', 'that is an address of the authority itself, in whatever spelling', {
    pointer: '/identifier',
  });
}

interface PlainForm {
  readonly host: string;
  readonly path: string;
}

/**
 * All spellings of an address as one: RFC 3986 §6.2.2 and §6.2.3, and what else is overlooked: user names, the dot at a
 * host's end, doubled slashes, the case of a path, the scheme, and ports, except on loopback, where they tell servers apart.
 */
function plainForm(identifier: string): PlainForm | undefined {
  const { protocol, hostname, port, pathname } = new URL(identifier);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  const host = withoutDots(hostname);
  const path = new URL(decoded(pathname), 'https://x').pathname
    .toLowerCase()
    .replaceAll(/\/+/g, '/')
    .replace(/\/$/, '');
  return { host: LOOPBACK.has(host) ? `localhost:${port}` : host, path };
}

function withoutDots(hostname: string): string {
  let end = hostname.length;
  while (hostname[end - 1] === '.') end--;
  return hostname.slice(0, end);
}

/** As the last of many readers might see it. `//` at the start must not become a host. */
function decoded(path: string): string {
  let text = path;
  for (let round = 0; round < 3; round++) {
    try {
      text = decodeURIComponent(text);
    } catch {
      break;
    }
  }
  return text.replaceAll('\\', '/').replaceAll(/\/+/g, '/');
}
