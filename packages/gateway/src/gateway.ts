// The gateway: file → verifiers → decide → listeners → ready, and the way back.
import {
  addressOf,
  createHttpListener,
  createLogger,
  createOperation,
  type HttpListener,
  type HttpListenerOptions,
  type ListenerConfig,
  tlsFilesOf,
} from '@countersign/daemon';
import { trustedProxies } from '@countersign/protocol';
import { createAuthEndpoint } from './auth/auth-endpoint.ts';
import type { GatewayConfig } from './config/config.ts';
import { createDecide, createDecideStream } from './decision/decide.ts';
import { identityHeaders } from './decision/identity.ts';
import { createCheck } from './envoy/check.ts';
import { createGrpcListener } from './envoy/grpc-listener.ts';
import { createInFlight } from './proxy/in-flight.ts';
import { createProxy } from './proxy/proxy.ts';
import { createUpgrade } from './proxy/upgrade.ts';
import { openUpstream, type Upstream } from './proxy/upstream.ts';
import type { ReadyFile } from './ready-file.ts';
import { routeTable } from './rules/route-table.ts';
import { createLedger, type Ledger, type ListenerName } from './telemetry/ledger.ts';
import { renderMetrics } from './telemetry/metrics.ts';
import { openVerifiers, type Verifiers } from './verifiers.ts';
import { VERSION } from './version.ts';

export interface RunningGateway {
  /** Where it listens. */
  readonly ready: ReadyFile;
  /** Not ready, finish what is in flight, close. */
  stop(): Promise<void>;
}

type Port = Pick<HttpListenerOptions, 'tls' | 'standsForMany' | 'onTurnedAway'>;

/** Headers that callers prove themselves with. */
const CREDENTIALS = ['authorization', 'dpop', 'x-api-key'];

/**
 * Starts a gateway and waits until it can decide: keys and cut-offs of every resource are known. Until then it listens
 * and is not ready.
 * @throws ConfigFault · Error of the system where it cannot listen
 */
export async function startGateway(config: GatewayConfig): Promise<RunningGateway> {
  return await assembleGateway(config).start();
}

/** Makes all that a start needs; nothing listens, and nobody is asked. @throws ConfigFault */
export function assembleGateway(config: GatewayConfig): AssembledGateway {
  const logger = createLogger('gateway', config.logLevel);
  const ledger = createLedger(logger, () => performance.now());
  const verifiers = openVerifiers(config, logger);
  const { limits } = config;
  const upstreams = new Map([...config.upstreams].map(([name, each]) => [name, openUpstream(each, limits)]));
  let ready = false;
  const listeners = createListeners({ config, ledger, verifiers, upstreams, ready: () => ready });
  const close = async (graceMs: number): Promise<void> => {
    await Promise.all([...listeners.values()].map((listener) => listener.drain(graceMs)));
    for (const upstream of upstreams.values()) upstream.close();
    await verifiers.close();
  };
  const start = async (): Promise<RunningGateway> => {
    const addresses: { [name in ListenerName]?: string } = {};
    for (const [name, listener] of listeners) {
      const at = config.listen[name] as ListenerConfig;
      addresses[name] = addressOf(at, await listener.listen(at.host, at.port));
    }
    const readyFile = { pid: process.pid, version: VERSION, ...addresses };
    await verifiers.ready();
    ready = true;
    logger.info({ ...readyFile, routes: config.routes.length }, 'ready');
    return {
      ready: readyFile,
      async stop() {
        ready = false;
        await close(limits.drainTimeout * 1000);
      },
    };
  };
  return {
    start: () =>
      start().catch(async (error: unknown) => {
        await close(0);
        throw error;
      }),
    discard: () => close(0),
  };
}

export interface AssembledGateway {
  start(): Promise<RunningGateway>;
  /** In the place of a start. */
  discard(): Promise<void>;
}

interface ListenerDeps {
  readonly config: GatewayConfig;
  readonly ledger: Ledger;
  readonly verifiers: Verifiers;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly ready: () => boolean;
}

/** Those that the file names; none listens yet. */
function createListeners({
  config,
  ledger,
  verifiers,
  upstreams,
  ready,
}: ListenerDeps): ReadonlyMap<ListenerName, HttpListener> {
  const { listen, limits } = config;
  const identity = identityHeaders(config.identityHeaders);
  const deciding = {
    routes: routeTable(config.routes),
    verifiers: verifiers.byResource,
    identity,
    limits,
  };
  const decide = createDecide(deciding);
  const frontProxies = trustedProxies(config.frontProxies);
  const asking = { decide, identity, credentials: config.passToken ? [] : CREDENTIALS, ledger };
  const inFlight = createInFlight(limits.inFlight);
  const httpLimits = { ...limits, silence: limits.upstreamTimeout + 5 };
  const http =
    (onRequest: HttpListenerOptions['onRequest'], more: Pick<HttpListenerOptions, 'onUpgrade'> = {}) =>
    (port: Port): HttpListener =>
      createHttpListener({ ...port, limits: httpLimits, admits: () => true, onRequest, ...more });
  const namesCertificates = (address: string): boolean =>
    config.certificateHeader !== undefined && frontProxies.trusts(address);
  const forwarding = {
    ...asking,
    namesCertificates,
    decideStream: createDecideStream(deciding),
    upstreams,
    limits,
    inFlight,
  };
  const sources = { ledger, version: VERSION, ready, feeds: verifiers.feeds, inFlight: inFlight.count };
  const makers: { readonly [name in ListenerName]: (port: Port) => HttpListener } = {
    auth: http(createAuthEndpoint({ ...asking, frontProxies })),
    grpc: (port) =>
      createGrpcListener({
        ...port,
        limits,
        admits: (address) => frontProxies.trusts(address),
        check: createCheck(asking),
      }),
    proxy: http(createProxy(forwarding), { onUpgrade: createUpgrade(forwarding) }),
    operation: http(createOperation({ ready, metrics: () => renderMetrics(sources) })),
  };
  return new Map(
    (Object.keys(makers) as ListenerName[]).flatMap((name) => {
      const at = listen[name];
      if (at === undefined) return [];
      const listener = makers[name]({
        tls: tlsFilesOf(at),
        standsForMany: (address) => frontProxies.trusts(address),
        onTurnedAway: (reason, address) => ledger.turnedAway(name, reason, address),
      });
      return [[name, listener] as const];
    }),
  );
}
