// What the broker sends, packet by packet. A delivery is judged by what its client may receive now: RFC 9431 §3.2.
import { TopicVerdicts } from '../admission/topic-verdicts.ts';
import type { Rights } from '../topics/rights.ts';
import { acknowledgement } from '../wire/answer.ts';
import { type Connack, readConnack, writeConnack } from '../wire/connack.ts';
import { packetOf } from '../wire/data-types.ts';
import { Malformed } from '../wire/malformed.ts';
import type { Verdict } from '../wire/packet-stream.ts';
import {
  CONNACK,
  DISCONNECT,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  UNSUBACK,
  type Version,
} from '../wire/packet-type.ts';
import { PublishHeader, topicText } from '../wire/publish.ts';
import { NOT_AUTHORIZED, PROTOCOL_ERROR, SUCCESS } from '../wire/reason-code.ts';
import { readSuback } from '../wire/subscribe.ts';

export interface FromBrokerDeps {
  readonly version: Version;
  readonly rights: () => Rights;
  /** Acknowledges in the place of the client. */
  readonly acknowledge: (bytes: Buffer) => void;
  readonly withheld: () => void;
  readonly onDisconnect: () => void;
  /** The answer to CONNECT, as the client gets it. */
  readonly onConnack: (connack: Connack) => Connack;
  readonly mergedCodes: (packetId: number, codes: Buffer) => Buffer | undefined;
}

const PASSING: ReadonlySet<number> = new Set([PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK, PINGRESP]);

export class FromBroker {
  readonly #deps: FromBrokerDeps;
  readonly #publish = new PublishHeader();
  readonly #verdicts: TopicVerdicts;
  /** Withheld messages of QoS 2 under MQTT 3.1.1, whose PUBREL is answered here: §4.3.3. */
  readonly #releasing = new Set<number>();
  #connected = false;

  constructor(deps: FromBrokerDeps) {
    this.#deps = deps;
    this.#verdicts = new TopicVerdicts((latin1) => {
      const topic = topicText(latin1);
      return topic === undefined ? undefined : deps.rights().toReceive(topic);
    });
  }

  /** @throws Malformed */
  packet(bytes: Buffer, start: number, body: number, end: number): Verdict {
    const type = (bytes[start] as number) >> 4;
    // MQTT 5.0 §3.2: the first packet of a server, and no later one.
    if ((type === CONNACK) === this.#connected) throw new Malformed('a packet out of place', PROTOCOL_ERROR);
    if (type === PUBLISH) return this.#delivered(bytes, start, body, end);
    if (type === PUBREL && this.#releasing.size > 0) return this.#released(bytes, body, end);
    if (PASSING.has(type)) return true;
    if (type === SUBACK) return this.#subscribed(bytes, body, end);
    if (type === CONNACK) return this.#connack(bytes, body, end);
    if (type !== DISCONNECT) throw new Malformed('a packet out of place', PROTOCOL_ERROR);
    this.#deps.onDisconnect();
    return true;
  }

  rightsChanged(): void {
    this.#verdicts.forget();
  }

  #connack(bytes: Buffer, body: number, end: number): Verdict {
    const { version, onConnack } = this.#deps;
    this.#connected = true;
    return writeConnack(version, onConnack(readConnack(version, bytes, body, end)));
  }

  #delivered(bytes: Buffer, start: number, body: number, end: number): Verdict {
    const { version, acknowledge, withheld } = this.#deps;
    const message = this.#publish;
    message.read(version, bytes, start, body, end);
    // The broker was told of none: MQTT 5.0 §3.1.2.11.5.
    if (message.alias !== 0) throw new Malformed('topic alias', PROTOCOL_ERROR);
    if (this.#verdicts.of(message.topic) !== undefined) return true;
    withheld();
    const { qos, packetId } = message;
    if (qos === 1) acknowledge(acknowledgement(version, PUBACK, packetId, NOT_AUTHORIZED));
    if (qos === 2) {
      if (version === 4) this.#releasing.add(packetId);
      acknowledge(acknowledgement(version, PUBREC, packetId, NOT_AUTHORIZED));
    }
    return false;
  }

  #released(bytes: Buffer, body: number, end: number): Verdict {
    if (end - body < 2) throw new Malformed('PUBREL');
    const packetId = bytes.readUInt16BE(body);
    if (!this.#releasing.delete(packetId)) return true;
    this.#deps.acknowledge(acknowledgement(this.#deps.version, PUBCOMP, packetId, SUCCESS));
    return false;
  }

  #subscribed(bytes: Buffer, body: number, end: number): Verdict {
    const { packetId, head, codes } = readSuback(this.#deps.version, bytes, body, end);
    const merged = this.#deps.mergedCodes(packetId, codes);
    return merged === undefined ? true : packetOf(SUBACK << 4, head, merged);
  }
}
