// A connection from its first byte to a session: CONNECT → token → rights → name → Will → broker. RFC 9431 §2.2, §3.
import type { Socket } from 'node:net';
import type { Arrivals } from '@countersign/daemon';
import { endLingering } from '@countersign/protocol/linger';
import { admit, type AdmitDeps, type Refused } from '../admission/admit.ts';
import { answerTo } from '../admission/reasons.ts';
import type { ArrivedClient } from '../listener.ts';
import type { Ledger } from '../telemetry/ledger.ts';
import { identifierFor } from '../topics/client-id.ts';
import { writeConnack } from '../wire/connack.ts';
import { type Connect, type Will, writeConnect } from '../wire/connect.ts';
import { Malformed } from '../wire/malformed.ts';
import type { Version } from '../wire/packet-type.ts';
import {
  AUTHENTICATION_DATA,
  AUTHENTICATION_METHOD,
  numberProperty,
  TOPIC_ALIAS_MAXIMUM,
  USER_PROPERTY,
  WILL_DELAY_INTERVAL,
  writeFourBytes,
  writePair,
} from '../wire/property.ts';
import { CONNACK_3, UNSUPPORTED_VERSION } from '../wire/reason-code.ts';
import type { Broker } from './broker.ts';
import { credentialsOf } from './credentials.ts';
import { receiveConnect } from './receive-connect.ts';
import { Session } from './session.ts';
import type { WaitingBytes } from './waiting-bytes.ts';

export interface AcceptDeps extends AdmitDeps {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly limits: {
    readonly packetBytes: number;
    readonly connectTimeout: number;
    /** Seconds. */
    readonly willDelay: number;
  };
  readonly waiting: WaitingBytes;
  /** Of those whose CONNECT is there, and who are not let in yet. */
  readonly connects: Arrivals;
  /** What a client without a token is told to get one: RFC 9431 §2.2.6. */
  readonly hint: string;
  /** For names that clients leave to the server. */
  readonly random: () => string;
  readonly sessions: Set<Session>;
}

/** Never rejects. */
export async function accept(deps: AcceptDeps, arrived: ArrivedClient): Promise<void> {
  const { socket: client, chain, address } = arrived;
  client.on('error', () => client.destroy());
  try {
    const { connect, ahead } = await receiveConnect(client, deps.limits, deps.waiting);
    const leave = deps.connects.take({ address });
    arrived.arrived();
    if (leave === undefined) {
      deps.ledger.refused('too_many_waiting', address, connect.clientId);
      client.destroy();
      return;
    }
    const refused = await openAndLeave(deps, { client, chain, connect, ahead }, leave);
    if (refused === undefined) return;
    deps.ledger.refused(refused.reason, refused.detail, connect.clientId);
    refuse(client, connect.version, answerTo(refused.reason), deps.hint);
  } catch (error) {
    if (!(error instanceof Malformed)) deps.ledger.bug(error);
    else {
      deps.ledger.refused('malformed', error.message, undefined);
      if (error.code === UNSUPPORTED_VERSION) {
        const code = CONNACK_3.version;
        endLingering(client, writeConnack(4, { sessionPresent: 0, code, properties: [] }));
        return;
      }
    }
    client.destroy();
  }
}

interface Arrival {
  readonly client: Socket;
  readonly chain: readonly Uint8Array[];
  readonly connect: Connect;
  readonly ahead: Buffer;
}

/**
 * Its place is kept until it is decided, also where its client has hung up, for what it sent is held and asked about until then; and by
 * who is refused until its connection is closed.
 */
async function openAndLeave(
  deps: AcceptDeps,
  arrival: Arrival,
  leave: () => void,
): Promise<Refused | undefined> {
  try {
    const refused = await open(deps, arrival);
    if (refused === undefined) leave();
    return refused;
  } finally {
    if (arrival.client.closed) leave();
    else arrival.client.once('close', leave);
  }
}

async function open(deps: AcceptDeps, arrival: Arrival): Promise<Refused | undefined> {
  const { client, chain, connect } = arrival;
  const { clientId, will } = connect;
  const credentials = credentialsOf(connect);
  if ('reason' in credentials) return { ok: false, ...credentials };
  const { token, method } = credentials;
  const admitted = await admit(deps, { token, chain, clientId, willTopic: will?.topic });
  if (!admitted.ok) return admitted;
  const { identity, watched, rights } = admitted;
  const assigned = clientId === '';
  const forBroker = forwarded(deps, connect, assigned ? identifierFor(identity, deps.random()) : clientId);
  const broker = await deps.broker.open();
  if (broker === undefined || client.destroyed) {
    broker?.destroy();
    admitted.leave();
    return { ok: false, reason: 'broker_unavailable' };
  }
  const session: Session = new Session({
    client,
    broker,
    connect: forBroker,
    assigned,
    method,
    certificate: chain[0],
    watched,
    rights,
    maxPacketBytes: deps.limits.packetBytes,
    figures: deps.ledger,
    onEnd(how) {
      admitted.leave();
      deps.sessions.delete(session);
      deps.ledger.ended(how, identity);
    },
  });
  deps.sessions.add(session);
  deps.ledger.accepted();
  broker.write(writeConnect(forBroker));
  session.start(arrival.ahead);
  return undefined;
}

/** Never handed on: what the client proved itself with, and an alias in the other direction, which nobody here would know. */
const KEPT_HERE: ReadonlySet<number> = new Set([
  AUTHENTICATION_METHOD,
  AUTHENTICATION_DATA,
  TOPIC_ALIAS_MAXIMUM,
]);

function forwarded({ broker: { login }, limits }: AcceptDeps, connect: Connect, clientId: string): Connect {
  const properties = connect.properties.filter(({ id }) => !KEPT_HERE.has(id));
  const will = connect.will && soonPublished(connect.will, limits.willDelay);
  return { ...connect, clientId, properties, will, username: login?.username, password: login?.password };
}

/**
 * MQTT 5.0 §3.1.3.2.2: the broker publishes it so long after its client is gone, and nobody is left then who could take it back when
 * the client is cut off meanwhile.
 */
function soonPublished(will: Will, longest: number): Will {
  const asked = numberProperty(will.properties, WILL_DELAY_INTERVAL) ?? 0;
  if (asked <= longest) return will;
  const others = will.properties.filter(({ id }) => id !== WILL_DELAY_INTERVAL);
  const shortened = longest === 0 ? [] : [writeFourBytes(WILL_DELAY_INTERVAL, longest)];
  return { ...will, properties: [...others, ...shortened] };
}

function refuse(
  client: Socket,
  version: Version,
  { code, code3 }: { readonly code: number; readonly code3: number },
  hint: string,
): void {
  const properties = version === 5 ? [writePair(USER_PROPERTY, 'ace_as_hint', hint)] : [];
  endLingering(
    client,
    writeConnack(version, { sessionPresent: 0, code: version === 5 ? code : code3, properties }),
  );
}
