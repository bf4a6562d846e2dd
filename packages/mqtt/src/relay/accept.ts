// A connection from its first byte to a session: CONNECT → token → rights → name → Will → broker. RFC 9431 §2.2, §3.
import type { Socket } from 'node:net';
import { endLingering } from '@countersign/daemon';
import { certificateCredential, type Verifier } from '@countersign/resource-server';
import type { Ledger } from '../telemetry/ledger.ts';
import { belongsTo, identifierFor, identityOf } from '../topics/client-id.ts';
import { Rights } from '../topics/rights.ts';
import { writeConnack } from '../wire/connack.ts';
import { type Connect, writeConnect } from '../wire/connect.ts';
import { Malformed } from '../wire/malformed.ts';
import type { Version } from '../wire/packet-type.ts';
import {
  AUTHENTICATION_DATA,
  AUTHENTICATION_METHOD,
  TOPIC_ALIAS_MAXIMUM,
  USER_PROPERTY,
  writePair,
} from '../wire/property.ts';
import { CONNACK_3, UNSUPPORTED_VERSION } from '../wire/reason-code.ts';
import type { Broker } from './broker.ts';
import { credentialsOf } from './credentials.ts';
import { receiveConnect } from './receive-connect.ts';
import { answerTo, type Reason } from './reasons.ts';
import { Session } from './session.ts';

export interface AcceptDeps {
  readonly verifier: Pick<Verifier, 'watch'>;
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly places: Places;
  readonly limits: { readonly packetBytes: number; readonly connectTimeout: number };
  /** What a client without a token is told to get one: RFC 9431 §2.2.6. */
  readonly hint: string;
  /** Whether a certificate may stand in the place of a token. */
  readonly certificates: boolean;
  /** For names that clients leave to the server. */
  readonly random: () => string;
  readonly sessions: Set<Session>;
}

/** How many connections one identity has. */
export interface Places {
  take(client: string): boolean;
  leave(client: string): void;
}

interface Refused {
  readonly reason: Reason;
  readonly detail?: string | undefined;
}

/** Never rejects. @param chain DER of what the client showed in its TLS handshake, leaf first */
export async function accept(deps: AcceptDeps, client: Socket, chain: readonly Uint8Array[]): Promise<void> {
  client.on('error', () => client.destroy());
  try {
    const { connect, ahead } = await receiveConnect(client, deps.limits);
    const refused = await open(deps, { client, chain, connect, ahead });
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

async function open(deps: AcceptDeps, arrival: Arrival): Promise<Refused | undefined> {
  const { client, chain, connect } = arrival;
  const [certificate] = chain;
  const credentials = credentialsOf(connect);
  if ('reason' in credentials) return credentials;
  const token = credentials.token ?? (deps.certificates ? certificateFor(connect, chain) : undefined);
  const watched = await deps.verifier.watch(token, { certificate });
  if (!watched.ok) return watched;
  const identity = watched.claims.client_id;
  const rights = new Rights(watched.scopes, identity);
  const reason = whyNot(connect, rights, identity);
  if (reason !== undefined || !deps.places.take(identity)) {
    watched.stop();
    return { reason: reason ?? 'too_many_connections' };
  }
  const assigned = connect.clientId === '';
  const forBroker = forwarded(
    deps,
    connect,
    assigned ? identifierFor(identity, deps.random()) : connect.clientId,
  );
  const broker = await deps.broker.open();
  if (broker === undefined || client.destroyed) {
    broker?.destroy();
    watched.stop();
    deps.places.leave(identity);
    return { reason: 'broker_unavailable' };
  }
  const session: Session = new Session({
    client,
    broker,
    connect: forBroker,
    assigned,
    method: credentials.method,
    certificate,
    watched,
    rights,
    maxPacketBytes: deps.limits.packetBytes,
    figures: deps.ledger,
    onEnd(how) {
      deps.places.leave(identity);
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

/** What the authority is asked about where there is no token: the name says whose the certificate shall be. */
function certificateFor({ clientId }: Connect, chain: readonly Uint8Array[]): string | undefined {
  if (clientId === '' || chain.length === 0) return undefined;
  return certificateCredential({ clientId: identityOf(clientId), chain });
}

/** What a genuine token is not enough for. */
function whyNot({ clientId, will }: Connect, rights: Rights, identity: string): Reason | undefined {
  if (rights.none) return 'no_topics';
  if (clientId !== '' && !belongsTo(clientId, identity)) return 'client_id_of_another';
  if (will !== undefined && rights.toPublish(will.topic) === undefined) return 'will_not_allowed';
  return undefined;
}

/** Never handed on: what the client proved itself with, and an alias in the other direction, which nobody here would know. */
const KEPT_HERE: ReadonlySet<number> = new Set([
  AUTHENTICATION_METHOD,
  AUTHENTICATION_DATA,
  TOPIC_ALIAS_MAXIMUM,
]);

function forwarded({ broker: { login } }: AcceptDeps, connect: Connect, clientId: string): Connect {
  const properties = connect.properties.filter(({ id }) => !KEPT_HERE.has(id));
  return { ...connect, clientId, properties, username: login?.username, password: login?.password };
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
