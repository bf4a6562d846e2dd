// May this request go on? The whole story; every front, and the proxy itself, asks here.
import {
  type Refusal,
  type RequestHeaders,
  requireScope,
  type Verified,
  type Verifier,
  type Watched,
  watchScope,
} from '@countersign/resource-server';
import { readHost, type RequestHost } from '../rules/host.ts';
import { readTarget, type RequestTarget } from '../rules/request-target.ts';
import type { Route } from '../rules/route.ts';
import type { RouteTable } from '../rules/route-table.ts';
import { type EdgeRequest, headerValues } from './edge-request.ts';
import type { IdentityHeaders } from './identity.ts';
import { overrideOf } from './overrides.ts';
import { type EdgeReason, type Refused, refuseEdge, refuseToken } from './refusal.ts';

/** The request may go on. */
export interface Allowed<Proof extends Verified = Verified> {
  readonly allowed: true;
  readonly route: Route;
  readonly host: RequestHost;
  readonly target: RequestTarget;
  /** What the verifier says; undefined on a public route. */
  readonly verified: Proof | undefined;
  /** Headers that the upstream gets, in the place of whatever the caller wrote there. */
  readonly identity: readonly (readonly [name: string, value: string])[];
  /** For the answer to the caller: the nonce of RFC 9449 §8.2. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Decision = Allowed | Refused;

export type Decide = (request: EdgeRequest) => Promise<Decision>;

/** For a request that begins a connection of any length: what is allowed is watched, and to be stopped at its end. */
export type DecideStream = (request: EdgeRequest) => Promise<Allowed<Watched> | Refused>;

/** What is needed of a verifier. */
export type EdgeVerifier = Pick<Verifier, 'verify' | 'watch' | 'refuse' | 'certificateOf' | 'takesApiKeys'>;

export interface DecideDeps {
  readonly routes: RouteTable;
  readonly verifiers: ReadonlyMap<string, EdgeVerifier>;
  readonly identity: IdentityHeaders;
  readonly limits: { readonly headerBytes: number; readonly headerCount: number };
}

/** RFC 9110 §9.1. Every registered method is in capitals; what takes `post` for POST would get around a rule about POST. */
const METHOD = /^[A-Z][A-Z-]{0,31}$/;

export function createDecide(deps: DecideDeps): Decide {
  return createDeciding(deps, requireScope);
}

export function createDecideStream(deps: DecideDeps): DecideStream {
  return createDeciding(deps, watchScope);
}

/** How the token of a request is looked at, with its scope. */
type Prove<Proof> = (
  verifier: EdgeVerifier,
  request: RequestHeaders,
  scope: readonly string[],
) => Promise<Proof | Refusal>;

function createDeciding<Proof extends Verified>(
  { routes, verifiers, identity, limits }: DecideDeps,
  prove: Prove<Proof>,
): (request: EdgeRequest) => Promise<Allowed<Proof> | Refused> {
  return async (request) => {
    const oversized = sizeFault(request.rawHeaders, limits);
    if (oversized !== undefined) return refuseEdge('headers_too_large', oversized);
    if (!METHOD.test(request.method)) return refuseEdge('method_malformed');
    const host = hostOf(request);
    if (typeof host === 'string') return refuseEdge(host);
    const reading = readTarget(request.target);
    if (!reading.ok) return refuseEdge(reading.fault);
    const { target } = reading;
    const trick =
      overrideOf(request.rawHeaders, request.method) ?? connectionFault(request.rawHeaders, identity);
    if (trick !== undefined) return refuseEdge(trick);
    const route = routes.find({ host: host.name, method: request.method, segments: target.segments });
    if (route === 'no_route') return refuseEdge('no_route');
    if (route === 'ambiguous_case') return refuseEdge('path_ambiguous_case');
    const { requirement, name } = route;
    if (requirement.kind === 'deny') return refuseEdge('route_denies', undefined, name);
    const allowed = { allowed: true, route, host, target } as const;
    if (requirement.kind === 'public') {
      return { ...allowed, verified: undefined, identity: identity.of(undefined), headers: {} };
    }
    const verifier = verifiers.get(requirement.resource);
    if (verifier === undefined) throw new Error(`no verifier for ${requirement.resource}`);
    const verified = await prove(withCertificate(verifier, request), asSent(request), requirement.scope);
    if (!verified.ok) return refuseToken(verified, name);
    const { claims, headers = {} } = verified;
    return { ...allowed, verified, identity: identity.of(claims), headers };
  };
}

/** RFC 9112 §3.2: one Host, and a request with another number of them is bad. */
function hostOf({ hosts }: EdgeRequest): RequestHost | EdgeReason {
  const [host] = hosts;
  if (host === undefined || host === '') return 'host_missing';
  if (hosts.length > 1) return 'host_repeated';
  return readHost(host) ?? 'host_malformed';
}

function sizeFault(
  rawHeaders: readonly string[],
  { headerBytes, headerCount }: DecideDeps['limits'],
): string | undefined {
  if (rawHeaders.length / 2 > headerCount) return `more than ${headerCount} headers`;
  const bytes = rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
  return bytes > headerBytes ? `more than ${headerBytes} bytes of headers` : undefined;
}

/** RFC 9110 §7.6.1: what `Connection` names ends at the next server, which must not be what we add or rely on. */
function connectionFault(rawHeaders: readonly string[], identity: IdentityHeaders): EdgeReason | undefined {
  const names = headerValues(rawHeaders, 'connection').flatMap((value) =>
    value.split(',').map((name) => name.trim()),
  );
  const critical = names.some((name) => identity.owns(name) || CRITICAL.has(name.toLowerCase()));
  return critical ? 'connection_names_identity' : undefined;
}

const CRITICAL: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'authorization',
  'dpop',
  'x-api-key',
]);

function asSent({ method, target, rawHeaders, socket }: EdgeRequest): RequestHeaders {
  return { method, url: target, rawHeaders, headers: {}, socket };
}

function withCertificate(verifier: EdgeVerifier, { certificate }: EdgeRequest): EdgeVerifier {
  if (certificate === undefined) return verifier;
  return {
    verify: (token, request) => verifier.verify(token, request),
    watch: (token, request, options) => verifier.watch(token, request, options),
    refuse: (reason, scheme) => verifier.refuse(reason, scheme),
    certificateOf: () => certificate,
    takesApiKeys: verifier.takesApiKeys,
  };
}
