// How each front proxy says which request it asks about.
import type { IncomingMessage } from 'node:http';
import { type EdgeRequest, headerValues } from '../decision/edge-request.ts';
import type { EdgeReason } from '../decision/refusal.ts';

/** A kind of front proxy, by the path of the endpoint that it asks. */
export interface Front {
  readonly name: 'nginx' | 'forward' | 'envoy';
  read(message: IncomingMessage): EdgeRequest | EdgeReason;
  /**
   * `auth_request` of nginx knows 401 and 403 and makes all else a 500: it gets one of them, and what is meant in
   * `Countersign-Status` and `Countersign-Body`.
   */
  readonly onlyUnauthorizedAndForbidden: boolean;
  /** Of some versions (Caddy 2.9 to 2.11.1): what the caller wrote stays where our header of that name is empty. */
  readonly leavesWhereEmpty?: true;
  /** Takes away what this header lists, before the request goes on. */
  readonly removalHeader?: string;
}

const ENVOY = '/auth/envoy';

const FRONTS: Readonly<Record<string, Front>> = {
  '/auth/nginx': {
    name: 'nginx',
    read: (message) => fromHeaders(message, 'x-original-method', 'x-original-uri', 'x-original-host'),
    onlyUnauthorizedAndForbidden: true,
  },
  '/auth/forward': {
    name: 'forward',
    read: (message) => fromHeaders(message, 'x-forwarded-method', 'x-forwarded-uri', 'x-forwarded-host'),
    onlyUnauthorizedAndForbidden: false,
    leavesWhereEmpty: true,
  },
  [ENVOY]: {
    name: 'envoy',
    read: fromItself,
    onlyUnauthorizedAndForbidden: false,
    removalHeader: 'X-Envoy-Auth-Headers-To-Remove',
  },
};

/** The front that asks at this request target. Caddy leaves the query of the request that it asks about there. */
export function frontOf(target: string): Front | undefined {
  if (target.startsWith(`${ENVOY}/`)) return FRONTS[ENVOY];
  const [path = ''] = target.split('?');
  return path !== ENVOY && Object.hasOwn(FRONTS, path) ? FRONTS[path] : undefined;
}

/** The request asked about is described in three headers, which the proxy writes in the place of its caller's. */
function fromHeaders(message: IncomingMessage, ...names: [string, string, string]): EdgeRequest | EdgeReason {
  const { rawHeaders, socket } = message;
  const [methods, targets, hosts] = names.map((name) => headerValues(rawHeaders, name)) as [
    Values,
    Values,
    Values,
  ];
  if ([methods, targets, hosts].some(({ length }) => length > 1)) return 'front_proxy_repeats';
  const [[method = ''], [target = '']] = [methods, targets];
  if (method === '' || target === '' || hosts.length === 0) return 'front_proxy_incomplete';
  return { method, target, hosts, rawHeaders: callersOwn(rawHeaders, names), socket };
}

type Values = readonly string[];

/** The request asked about is this one, below a path of ours. */
function fromItself({ method = '', url = '', rawHeaders, socket }: IncomingMessage): EdgeRequest {
  const hosts = headerValues(rawHeaders, 'host');
  return { method, target: url.slice(ENVOY.length), hosts, rawHeaders: callersOwn(rawHeaders, []), socket };
}

/** What belongs to the connection between the front proxy and us says nothing about the caller. */
function callersOwn(rawHeaders: readonly string[], written: readonly string[]): readonly string[] {
  const own = ['host', 'connection', 'content-length', 'transfer-encoding', ...written];
  return rawHeaders.filter((_, i) => !own.includes((rawHeaders[i - (i % 2)] as string).toLowerCase()));
}
