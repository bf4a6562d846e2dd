// What a client sends, packet by packet: MQTT 5.0 §3.3 (PUBLISH), §3.8 (SUBSCRIBE); RFC 9431 §3.
import { TopicVerdicts } from '../admission/topic-verdicts.ts';
import type { Right, Rights } from '../topics/rights.ts';
import { acknowledgement, suback } from '../wire/answer.ts';
import { Malformed } from '../wire/malformed.ts';
import type { Verdict } from '../wire/packet-stream.ts';
import {
  AUTH,
  DISCONNECT,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBSCRIBE,
  UNSUBSCRIBE,
  type Version,
} from '../wire/packet-type.ts';
import { PublishHeader, topicText } from '../wire/publish.ts';
import {
  FAILURE,
  NOT_AUTHORIZED,
  PROTOCOL_ERROR,
  QUOTA_EXCEEDED,
  TOPIC_ALIAS_INVALID,
  TOPIC_NAME_INVALID,
} from '../wire/reason-code.ts';
import { readSubscribe, writeSubscribe } from '../wire/subscribe.ts';

/** What a session does for the packets of its client. */
export interface FromClientDeps {
  readonly version: Version;
  readonly rights: () => Rights;
  /** Counts what a right let pass, or what none let pass. */
  readonly used: (right: Right | undefined) => void;
  readonly answer: (bytes: Buffer) => void;
  /** A denied message that cannot be answered: the connection ends. */
  readonly endDenied: () => void;
  readonly onAuth: (bytes: Buffer, body: number, end: number) => void;
  readonly onDisconnect: () => void;
}

/** SUBSCRIBEs of one client that wait for the broker's answer to some of their filters. */
export const MOST_PENDING = 32;

const PASSING: ReadonlySet<number> = new Set([PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBSCRIBE, PINGREQ]);

export class FromClient {
  readonly #deps: FromClientDeps;
  readonly #publish = new PublishHeader();
  readonly #verdicts: TopicVerdicts;
  /** Topics by alias: MQTT 5.0 §3.3.2.3.4. Only of messages that the broker got too. */
  readonly #aliases = new Map<number, string>();
  /** By packet identifier: which filters of a SUBSCRIBE went on. */
  readonly #pending = new Map<number, readonly boolean[]>();
  /** What the broker takes; known from its CONNACK. */
  aliasMaximum = 0;

  constructor(deps: FromClientDeps) {
    this.#deps = deps;
    this.#verdicts = new TopicVerdicts((latin1) => {
      const topic = topicText(latin1);
      return topic === undefined ? undefined : deps.rights().toPublish(topic);
    });
  }

  /** @throws Malformed */
  packet(bytes: Buffer, start: number, body: number, end: number): Verdict {
    const type = (bytes[start] as number) >> 4;
    if (type === PUBLISH) return this.#published(bytes, start, body, end);
    if (PASSING.has(type)) return true;
    if (type === SUBSCRIBE) return this.#subscribed(bytes, body, end);
    if (type === DISCONNECT) {
      this.#deps.onDisconnect();
      return true;
    }
    if (type !== AUTH || this.#deps.version !== 5)
      throw new Malformed('a packet out of place', PROTOCOL_ERROR);
    this.#deps.onAuth(bytes, body, end);
    return false;
  }

  rightsChanged(): void {
    this.#verdicts.forget();
  }

  #published(bytes: Buffer, start: number, body: number, end: number): Verdict {
    const { version, used } = this.#deps;
    const message = this.#publish;
    message.read(version, bytes, start, body, end);
    const { alias } = message;
    if (alias > this.aliasMaximum) throw new Malformed('topic alias', TOPIC_ALIAS_INVALID);
    const topic = message.topic === '' ? this.#aliased(alias) : message.topic;
    const right = this.#verdicts.of(topic);
    used(right);
    if (right === undefined) return this.#denied(message);
    if (alias !== 0) this.#aliases.set(alias, topic);
    return true;
  }

  #aliased(alias: number): string {
    if (alias === 0) throw new Malformed('PUBLISH without a topic', TOPIC_NAME_INVALID);
    const topic = this.#aliases.get(alias);
    if (topic === undefined) throw new Malformed('topic alias', TOPIC_ALIAS_INVALID);
    return topic;
  }

  /** RFC 9431 §3.1: by the acknowledgement where there is one. MQTT 3.1.1 §3.3.5: there is none that says no. */
  #denied({ qos, packetId }: PublishHeader): Verdict {
    const { version, answer, endDenied } = this.#deps;
    if (version !== 5 || qos === 0) endDenied();
    else answer(acknowledgement(version, qos === 1 ? PUBACK : PUBREC, packetId, NOT_AUTHORIZED));
    return false;
  }

  #subscribed(bytes: Buffer, body: number, end: number): Verdict {
    const { version, rights, used, answer } = this.#deps;
    const asked = readSubscribe(version, bytes, body, end);
    const granted = asked.wanted.map(({ filter }) => {
      const right = rights().toSubscribe(filter);
      used(right);
      return right !== undefined;
    });
    if (!granted.includes(false)) return true;
    if (!granted.includes(true)) {
      answer(
        suback(
          version,
          asked.packetId,
          granted.map(() => refused(version)),
        ),
      );
      return false;
    }
    if (this.#pending.size >= MOST_PENDING) throw new Malformed('too many at once', QUOTA_EXCEEDED);
    this.#pending.set(asked.packetId, granted);
    return writeSubscribe(
      asked,
      asked.wanted.filter((_, at) => granted[at]),
    );
  }

  /** The broker's codes and ours, in the order of what was asked for. Undefined where nothing was taken out. */
  mergedCodes(packetId: number, codes: Buffer): Buffer | undefined {
    const granted = this.#pending.get(packetId);
    if (granted === undefined) return undefined;
    this.#pending.delete(packetId);
    let next = 0;
    const { version } = this.#deps;
    return Buffer.from(granted.map((went) => (went ? (codes[next++] ?? FAILURE) : refused(version))));
  }
}

/** RFC 9431 §3.3; MQTT 3.1.1 §3.9.3. */
function refused(version: Version): number {
  return version === 5 ? NOT_AUTHORIZED : FAILURE;
}
