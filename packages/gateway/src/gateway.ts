// The gateway: file → verifiers → decide → listeners → ready, and the way back.
import {
  addressOf,
  createHttpListener,
  createLogger,
  createOperation,
  type HttpListener,
  type HttpListenerOptions,
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
import { openUpstream } from './proxy/upstream.ts';
import type { ReadyFile } from './ready-file.ts';
import { routeTable } from './rules/route-table.ts';
import { createLedger, type ListenerName } from './telemetry/ledger.ts';
import { renderMetrics } from './telemetry/metrics.ts';
import { openVerifiers } from './verifiers.ts';
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
 * @throws VerifierOptionError · ConfigFault where a file cannot be read · Error of the system where it cannot listen
 */
export async function startGateway(config: GatewayConfig): Promise<RunningGateway> {
  const logger = createLogger('gateway', config.logLevel);
  const ledger = createLedger(logger, () => performance.now());
  const verifiers = openVerifiers(config, logger);
  const identity = identityHeaders(config.identityHeaders);
  const deciding = {
    routes: routeTable(config.routes),
    verifiers: verifiers.byResource,
    identity,
    limits: config.limits,
  };
  const decide = createDecide(deciding);
  const { listen, limits } = config;
  const frontProxies = trustedProxies(config.frontProxies);
  const asking = { decide, identity, credentials: config.passToken ? [] : CREDENTIALS, ledger };
  const upstreams = new Map([...config.upstreams].map(([name, each]) => [name, openUpstream(each, limits)]));
  let ready = false;
  const open: HttpListener[] = [];
  const start = async (
    name: ListenerName,
    make: (port: Port) => HttpListener,
  ): Promise<string | undefined> => {
    const at = listen[name];
    if (at === undefined) return undefined;
    const listener = make({
      tls: tlsFilesOf(at),
      standsForMany: (address) => frontProxies.trusts(address),
      onTurnedAway: (reason, address) => ledger.turnedAway(name, reason, address),
    });
    open.push(listener);
    return addressOf(at, await listener.listen(at.host, at.port));
  };
  const httpLimits = { ...limits, silence: limits.upstreamTimeout + 5 };
  const http =
    (onRequest: HttpListenerOptions['onRequest'], more: Pick<HttpListenerOptions, 'onUpgrade'> = {}) =>
    (port: Port): HttpListener =>
      createHttpListener({ ...port, limits: httpLimits, admits: () => true, onRequest, ...more });
  const close = async (graceMs: number): Promise<void> => {
    await Promise.all(open.map((listener) => listener.drain(graceMs)));
    for (const upstream of upstreams.values()) upstream.close();
    await verifiers.close();
  };
  try {
    const auth = await start('auth', http(createAuthEndpoint({ ...asking, frontProxies })));
    const grpc = await start('grpc', (port) =>
      createGrpcListener({
        ...port,
        limits,
        admits: (address) => frontProxies.trusts(address),
        check: createCheck(asking),
      }),
    );
    const inFlight = createInFlight(limits.inFlight);
    const decideStream = createDecideStream(deciding);
    const namesCertificates = (address: string): boolean =>
      config.certificateHeader !== undefined && frontProxies.trusts(address);
    const forwarding = { ...asking, namesCertificates, decideStream, upstreams, limits, inFlight };
    const onUpgrade = createUpgrade(forwarding);
    const proxy = await start('proxy', http(createProxy(forwarding), { onUpgrade }));
    const sources = {
      ledger,
      version: VERSION,
      ready: () => ready,
      feeds: verifiers.feeds,
      inFlight: inFlight.count,
    };
    const operation = await start(
      'operation',
      http(createOperation({ ready: sources.ready, metrics: () => renderMetrics(sources) })),
    );
    const readyFile = {
      pid: process.pid,
      version: VERSION,
      ...(auth && { auth }),
      ...(grpc && { grpc }),
      ...(proxy && { proxy }),
      ...(operation && { operation }),
    };
    await verifiers.ready();
    ready = true;
    logger.info({ ...readyFile, routes: config.routes.length }, 'ready');
    return {
      ready: readyFile,
      async stop() {
        ready = false;
        await close(config.limits.drainTimeout * 1000);
      },
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}
