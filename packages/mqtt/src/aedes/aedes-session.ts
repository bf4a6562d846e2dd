// One client of a broker, let in: what it may use, until its token ends. RFC 9431 §3; MQTT 3.1.1 has no code that says no to a message.
import type { Admitted } from '../admission/admit.ts';
import type { End } from '../admission/reasons.ts';
import { TopicVerdicts } from '../admission/topic-verdicts.ts';
import type { AedesClient, AedesMessage } from './aedes.ts';
import type { AedesEvent, Tell } from './aedes-event.ts';

/** Topics of the broker's own. Others tell it whom to throw out, so nobody writes there, whatever their scopes. */
const OF_THE_BROKER = '$SYS/';
/** MQTT 3.1.1 knows no shared subscriptions, and aedes would take the whole for a topic. */
const SHARED = '$share/';

export class AedesSession {
  readonly #admitted: Admitted;
  readonly #client: AedesClient;
  /** The object that the broker holds. */
  readonly #will: AedesMessage | undefined;
  readonly #tell: Tell;
  readonly #publish: TopicVerdicts;
  readonly #receive: TopicVerdicts;
  #ended: End | undefined;
  /** A message was denied, and the broker closes the connection. */
  #denied = false;

  constructor(admitted: Admitted, client: AedesClient, will: AedesMessage | undefined, tell: Tell) {
    this.#admitted = admitted;
    this.#client = client;
    this.#will = will;
    this.#tell = tell;
    const { rights } = admitted;
    this.#publish = new TopicVerdicts((topic) => rights.toPublish(topic));
    this.#receive = new TopicVerdicts((topic) => rights.toReceive(topic));
  }

  /** Whether a message may pass. A connection that sent one that may not is over: MQTT 3.1.1 §3.3.5. */
  mayPublish(packet: AedesMessage): boolean {
    const right = packet.topic.startsWith(OF_THE_BROKER) ? undefined : this.#publish.of(packet.topic);
    // The broker asks when it publishes the Will too, which is when the session has ended. Who was cut off has no last word.
    if (packet === this.#will) return right !== undefined && this.#ended !== 'cut_off';
    if (this.#ended !== undefined) return false;
    this.#used(right?.scope, right !== undefined);
    if (right === undefined) this.#denied = true;
    return right !== undefined;
  }

  maySubscribe(filter: string): boolean {
    if (this.#ended !== undefined) return false;
    const right = filter.startsWith(SHARED) ? undefined : this.#admitted.rights.toSubscribe(filter);
    // What a session of before subscribed to is asked for again by the broker, not by the client.
    if (!this.#client.connecting) this.#used(right?.scope, right !== undefined);
    return right !== undefined;
  }

  /** A subscription may be older than the token. */
  mayReceive(topic: string): boolean {
    if (this.#ended !== undefined) return false;
    if (this.#receive.of(topic) !== undefined) return true;
    this.#say('withheld');
    return false;
  }

  /** The token no longer counts: the connection closes, after CONNACK where that is still under way. */
  end(reason: End): void {
    if (!this.#over(reason)) return;
    const client = this.#client;
    // Aedes registers a client that was closed before, and never lets go of it.
    if (client.connecting) client.once('connected', () => client.close());
    else client.close();
  }

  /** The connection is gone. To be called once. */
  left(): void {
    this.#over(this.#denied ? 'publish_denied' : 'left');
    this.#admitted.leave();
  }

  #over(reason: End): boolean {
    if (this.#ended !== undefined) return false;
    this.#ended = reason;
    this.#say('ended', reason);
    return true;
  }

  #used(scope: string | undefined, ok: boolean): void {
    this.#admitted.watched.used(scope, ok);
    if (!ok) this.#say('denied');
  }

  #say(type: AedesEvent['type'], reason?: End): void {
    this.#tell({ type, clientId: this.#client.id, identity: this.#admitted.identity, reason });
  }
}
