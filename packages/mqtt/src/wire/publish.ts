// PUBLISH: MQTT 5.0 §3.3, MQTT 3.1.1 §3.3. Read as far as a decision needs; runs once for every message.
import { isUtf8 } from 'node:buffer';
import { Cursor } from './data-types.ts';
import { Malformed } from './malformed.ts';
import type { Version } from './packet-type.ts';
import { numberProperty, readProperties, TOPIC_ALIAS } from './property.ts';
import { TOPIC_ALIAS_INVALID } from './reason-code.ts';

/** One for a session: nothing is allocated for a message but the name of its topic. */
export class PublishHeader {
  /** Its bytes as latin1: the same for the same bytes, and cheaper than UTF-8. */
  topic = '';
  qos = 0;
  /** 0 where QoS is 0. */
  packetId = 0;
  /** 0: none. */
  alias = 0;

  /** @throws Malformed */
  read(version: Version, bytes: Buffer, start: number, body: number, end: number): void {
    this.qos = ((bytes[start] as number) >> 1) & 3;
    if (this.qos === 3 || body + 2 > end) throw new Malformed('PUBLISH');
    const topicAt = body + 2;
    let at = topicAt + (((bytes[body] as number) << 8) | (bytes[body + 1] as number));
    if (at > end) throw new Malformed('PUBLISH');
    this.topic = bytes.toString('latin1', topicAt, at);
    this.packetId = 0;
    if (this.qos > 0) {
      if (at + 2 > end) throw new Malformed('PUBLISH');
      this.packetId = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      if (this.packetId === 0) throw new Malformed('PUBLISH without an identifier');
      at += 2;
    }
    this.alias = 0;
    if (version === 5 && bytes[at] !== 0) this.#readAlias(bytes, at, end);
    else if (version === 5 && at >= end) throw new Malformed('PUBLISH');
  }

  #readAlias(bytes: Buffer, at: number, end: number): void {
    const alias = numberProperty(readProperties(new Cursor(bytes, at, end)), TOPIC_ALIAS);
    // §3.3.2.3.4.
    if (alias === 0) throw new Malformed('topic alias 0', TOPIC_ALIAS_INVALID);
    this.alias = alias ?? 0;
  }
}

/** A topic as text, from what `PublishHeader` has of it. MQTT 5.0 §1.5.4: what is no text is no topic. */
export function topicText(latin1: string): string | undefined {
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}
