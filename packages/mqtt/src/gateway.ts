// The gateway: file → verifier → listener → sessions, and the way back.
import { randomBytes } from 'node:crypto';
import {
  addressOf,
  Arrivals,
  createConfiguredVerifier,
  createHttpListener,
  createLogger,
  createOperation,
  type HttpListener,
  type HttpListenerOptions,
  openAuthorityLink,
  tlsFilesOf,
  usualShares,
} from '@countersign/daemon';
import type { BrokerConfig, MqttConfig } from './config/config.ts';
import { createMqttListener } from './listener.ts';
import { createPlaces } from './admission/places.ts';
import { accept } from './relay/accept.ts';
import { type BrokerOptions, openBroker } from './relay/broker.ts';
import type { Session } from './relay/session.ts';
import { WaitingBytes } from './relay/waiting-bytes.ts';
import { createLedger } from './telemetry/ledger.ts';
import { renderMetrics } from './telemetry/metrics.ts';
import { VERSION } from './version.ts';

/** What the ready file says. */
export interface ReadyFile {
  readonly pid: number;
  readonly version: string;
  /** `mqtt://` or `mqtts://`. */
  readonly mqtt: string;
  readonly operation?: string;
}

export interface RunningMqttGateway {
  readonly ready: ReadyFile;
  /** Tells every client that this is the end, and closes. */
  stop(): Promise<void>;
}

/** Of the port for health and metrics; nobody sends much there. */
const OPERATION_LIMITS = {
  ...usualShares(100),
  headerBytes: 16_384,
  headersTimeout: 10,
  requestTimeout: 30,
  keepAliveTimeout: 65,
  silence: 65,
} as const;

/**
 * Starts a gateway and waits until it can decide: keys and cut-offs are known. Clients are taken from then on.
 * @throws ConfigFault · Error of the system where it cannot listen
 */
export async function startMqttGateway(config: MqttConfig): Promise<RunningMqttGateway> {
  return await assembleMqttGateway(config).start();
}

export interface AssembledMqttGateway {
  start(): Promise<RunningMqttGateway>;
  /** In the place of a start. */
  discard(): Promise<void>;
}

/** Makes all that a start needs; nothing listens, and nobody is asked. @throws ConfigFault */
export function assembleMqttGateway(config: MqttConfig): AssembledMqttGateway {
  const { listen, limits, audience, issuer } = config;
  const logger = createLogger('mqtt', config.logLevel);
  const ledger = createLedger(logger, () => performance.now());
  // Asked about certificates in the way in which it is asked about opaque tokens.
  const opaqueTokens = config.opaqueTokens || config.certificates;
  const link = openAuthorityLink({ ...config, opaqueTokens }, logger);
  const verifier = createConfiguredVerifier(
    {
      ...link.verifying,
      audience,
      senderConstraint: config.senderConstraint,
      apiKeys: config.apiKeys,
      ...(config.leeway !== undefined && { leeway: config.leeway }),
    },
    config.inFile,
  );
  const sessions = new Set<Session>();
  const accepting = {
    verifier,
    broker: openBroker(brokerOptions(config.broker, limits.brokerTimeout)),
    ledger,
    places: createPlaces(limits.connectionsPerIdentity),
    limits,
    waiting: new WaitingBytes(),
    connects: new Arrivals({ most: limits.connectsWaiting, mostOfOne: limits.connectsWaitingPerAddress }),
    certificates: config.certificates,
    hint: JSON.stringify({ AS: issuer, audience }),
    random: () => randomBytes(12).toString('base64url'),
    sessions,
  };
  const mqtt = createMqttListener({
    tls: tlsFilesOf(listen.mqtt),
    limits,
    arrivals: new Arrivals({ most: limits.handshakes, mostOfOne: limits.handshakesPerAddress }),
    onClient: (client) => void accept(accepting, client),
    onTurnedAway: (address) => ledger.refused('too_many_handshakes', address, undefined),
  });
  let ready = false;
  const operation = listen.operation && operationOf(tlsFilesOf(listen.operation));
  const close = async (): Promise<void> => {
    mqtt.close();
    for (const session of sessions) session.end('stopping');
    await operation?.drain(0);
    link.stopWaiting();
    await verifier.close();
    await link.close();
  };
  const start = async (): Promise<RunningMqttGateway> => {
    const operationAt = listen.operation;
    const operationPort = operationAt && (await operation?.listen(operationAt.host, operationAt.port));
    await link.untilReady(audience, verifier);
    const port = await mqtt.listen(listen.mqtt.host, listen.mqtt.port);
    ready = true;
    const readyFile = {
      pid: process.pid,
      version: VERSION,
      mqtt: addressOf(listen.mqtt, port, ['mqtt', 'mqtts']),
      ...(operationAt && operationPort && { operation: addressOf(operationAt, operationPort) }),
    };
    logger.info(readyFile, 'ready');
    return {
      ready: readyFile,
      async stop() {
        ready = false;
        await close();
      },
    };
  };
  return {
    start: () =>
      start().catch(async (error: unknown) => {
        await close();
        throw error;
      }),
    discard: close,
  };

  function operationOf(tls: HttpListenerOptions['tls']): HttpListener {
    const sources = {
      ledger,
      version: VERSION,
      ready: () => ready,
      feeds: () => verifier.feeds().map(({ stale, age }) => ({ resource: audience, stale, age })),
      sessions: () => sessions.size,
    };
    return createHttpListener({
      limits: OPERATION_LIMITS,
      tls,
      admits: () => true,
      standsForMany: () => false,
      onTurnedAway: (reason, address) => ledger.refused(reason, address, undefined),
      onRequest: createOperation({ ready: sources.ready, metrics: () => renderMetrics(sources) }),
    });
  }
}

function brokerOptions(
  { host, port, secure, ca, username, passwordFile }: BrokerConfig,
  connectTimeout: number,
): BrokerOptions {
  const login =
    username === undefined || passwordFile === undefined
      ? undefined
      : { username, password: Buffer.from(passwordFile.text()) };
  const tls = secure ? { ca: ca?.text() } : undefined;
  return { host, port, tls, login, connectTimeout };
}
