// Tokens for a broker made with aedes: the hooks that it asks, MQTT 3.1.1. What they decide with is the gateway's: admission/, topics/.
import { randomBytes } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { Refusal, Verifier } from '@countersign/resource-server';
import { admit } from '../admission/admit.ts';
import { chainOf } from '../admission/certificate-chain.ts';
import { createPlaces } from '../admission/places.ts';
import { type Answer, answerTo, type Reason } from '../admission/reasons.ts';
import { identifierFor } from '../topics/client-id.ts';
import type { AedesClient, AedesConnect, AedesHooks, AuthenticationError } from './aedes.ts';
import { AedesSession } from './aedes-session.ts';
import type { AedesEvent } from './aedes-event.ts';

export type { Reason } from '../admission/reasons.ts';
export type { AedesClient, AedesConnect, AedesHooks, AedesMessage, AuthenticationError } from './aedes.ts';
export type { AedesEvent } from './aedes-event.ts';

export interface AedesHooksOptions {
  /** Its audience is the broker's resource identifier. Closing it closes every connection. */
  readonly verifier: Pick<Verifier, 'watch'>;
  /**
   * Whether a client certificate that the authority knows may stand in the place of a token. Needs a verifier with `introspect`, and
   * a TLS server with `requestCert`. Default: false.
   */
  readonly certificates?: boolean;
  /** Of one identity; a further one is refused with 3. Default: 100. */
  readonly connectionsPerIdentity?: number;
  /** For logs and metrics. What it throws is ignored. */
  readonly onEvent?: (event: AedesEvent) => void;
}

/** Why a client was refused or a message was denied, as aedes tells it in `clientError`. Never sent. */
export class AedesRefusal extends Error {
  readonly reason: Reason;
  readonly detail: string | undefined;

  constructor(reason: Reason, detail?: string) {
    super(reason);
    this.name = 'AedesRefusal';
    this.reason = reason;
    this.detail = detail;
  }
}

/** A connection that sent CONNECT. */
interface Arrival {
  readonly connect: AedesConnect;
  gone: boolean;
  session?: AedesSession;
}

/**
 * Hooks for `Aedes.createBroker`. All of them belong together: without `preConnect` nobody is let in.
 *
 * A client shows its token as password. It is called as its identity is, or that, a colon and a name of its own; what it may publish
 * to, subscribe to and receive, its scopes say. Its connection closes within a second when the token expires or is cut off.
 */
export function aedesHooks(options: AedesHooksOptions): AedesHooks {
  const { verifier, certificates = false, connectionsPerIdentity = 100 } = options;
  const deps = { verifier, certificates, places: createPlaces(connectionsPerIdentity) };
  const arrivals = new WeakMap<AedesClient, Arrival>();
  const sessionOf = (client: AedesClient): AedesSession | undefined => arrivals.get(client)?.session;

  function tell(event: AedesEvent): void {
    try {
      options.onEvent?.(event);
    } catch {
      // Whether a client gets in is not for a log to decide.
    }
  }

  async function open(
    client: AedesClient,
    password: Buffer | undefined,
  ): Promise<'in' | 'gone' | AuthenticationError> {
    const arrival = arrivals.get(client);
    if (arrival === undefined) return refusalOf('hook_missing');
    const { clientId, clean = true, will } = arrival.connect;
    const refuse = (reason: Reason, detail?: string): AuthenticationError => {
      tell({ type: 'refused', clientId, reason, detail });
      return refusalOf(reason, detail);
    };
    // MQTT 3.1.1 §3.1.3.1.
    if (clientId === '' && !clean) return refuse('client_id_missing');
    const admitted = await admit(deps, {
      token: password?.toString('utf8'),
      chain: chainShownBy(client),
      clientId,
      willTopic: will?.topic,
    });
    if (!admitted.ok) return refuse(admitted.reason, admitted.detail);
    if (arrival.gone) {
      admitted.leave();
      return 'gone';
    }
    if (clientId === '') client.id = identifierFor(admitted.identity, randomBytes(12).toString('base64url'));
    const session = new AedesSession(admitted, client, will, tell);
    const { signal } = admitted.watched;
    const end = (): void => session.end((signal.reason as Refusal).reason);
    if (signal.aborted) {
      admitted.leave();
      return refuse((signal.reason as Refusal).reason);
    }
    signal.addEventListener('abort', end, { once: true });
    arrival.session = session;
    tell({ type: 'accepted', clientId: client.id, identity: admitted.identity });
    return 'in';
  }

  /** Never rejects, unless aedes throws. */
  async function answer(
    client: AedesClient,
    password: Buffer | undefined,
    callback: Parameters<AedesHooks['authenticate']>[3],
  ): Promise<void> {
    const outcome = await open(client, password).catch((fault: unknown) =>
      // A bug here is no fault of the client's.
      answered(fault instanceof Error ? fault : new Error(String(fault)), answerTo('hook_missing')),
    );
    if (outcome === 'in') callback(null, true);
    // For a connection that is gone aedes would keep a client for ever.
    else if (outcome !== 'gone') callback(outcome, false);
  }

  return {
    preConnect(client, connect, callback) {
      const arrival: Arrival = { connect, gone: false };
      arrivals.set(client, arrival);
      client.conn.once('close', () => {
        arrival.gone = true;
        arrival.session?.left();
      });
      callback(null, true);
    },
    authenticate: (client, _username, password, callback) => void answer(client, password, callback),
    authorizePublish(client, packet, callback) {
      // Without a client: the Will of a broker that is gone, of a client that was let in there.
      const may = client === null || (sessionOf(client)?.mayPublish(packet) ?? false);
      callback(may ? null : new AedesRefusal('publish_denied'));
    },
    authorizeSubscribe(client, subscription, callback) {
      const may = sessionOf(client)?.maySubscribe(subscription.topic) ?? false;
      // MQTT 3.1.1 §3.9.3: 0x80 for that one.
      callback(null, may ? subscription : null);
    },
    authorizeForward: (client, packet) => (sessionOf(client)?.mayReceive(packet.topic) ? packet : null),
  };
}

function refusalOf(reason: Reason, detail?: string): AuthenticationError {
  return answered(new AedesRefusal(reason, detail), answerTo(reason));
}

/** MQTT 3.1.1 §3.2.2.3, as aedes takes it. */
function answered(error: Error, { code3: returnCode }: Answer): AuthenticationError {
  return Object.assign(error, { returnCode });
}

/** Nothing where TLS ends before the broker does: what is told about a certificate is no proof of it. */
function chainShownBy({ conn, req }: AedesClient): readonly Uint8Array[] {
  const socket = req?.socket ?? conn;
  return socket instanceof TLSSocket ? chainOf(socket) : [];
}
