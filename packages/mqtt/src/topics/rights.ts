// What scopes open: RFC 6749 §3.3, spelled `mqtt.pub:FILTER` and `mqtt.sub:FILTER`; a subset as RFC 9431 §3.3 has it.
import { covers, isTopicName, parseFilter, parseSubscription, type TopicFilter } from './topic.ts';

/** One scope, as this client holds it. */
export interface Right {
  /** As it was granted: this is what use is counted by. */
  readonly scope: string;
  readonly filter: TopicFilter;
}

const PUBLISH = 'mqtt.pub:';
const SUBSCRIBE = 'mqtt.sub:';
const CLIENT = '{client}';

/** Which topics one client may use. */
export class Rights {
  readonly #publish: readonly Right[];
  readonly #subscribe: readonly Right[];

  /** Scopes that are no topic permission, or not one for this client, open nothing. */
  constructor(scopes: readonly string[], client: string) {
    this.#publish = rightsOf(scopes, PUBLISH, client);
    this.#subscribe = rightsOf(scopes, SUBSCRIBE, client);
  }

  get none(): boolean {
    return this.#publish.length === 0 && this.#subscribe.length === 0;
  }

  /** The scope that lets a message to this topic pass. */
  toPublish(topic: string): Right | undefined {
    return isTopicName(topic) ? covering(this.#publish, topic.split('/')) : undefined;
  }

  /** The scope that the whole of a requested filter is within. */
  toSubscribe(filter: string): Right | undefined {
    const wanted = parseSubscription(filter);
    return wanted && covering(this.#subscribe, wanted);
  }

  /** The scope that lets a message of this topic be delivered. */
  toReceive(topic: string): Right | undefined {
    return isTopicName(topic) ? covering(this.#subscribe, topic.split('/')) : undefined;
  }
}

function covering(rights: readonly Right[], levels: readonly string[]): Right | undefined {
  return rights.find(({ filter }) => covers(filter, levels));
}

function rightsOf(scopes: readonly string[], prefix: string, client: string): readonly Right[] {
  return scopes.flatMap((scope) => {
    if (!scope.startsWith(prefix)) return [];
    const template = scope.slice(prefix.length);
    const expanded = expand(template, client);
    // A right to share a subscription is the right to what it delivers: a group is in no scope.
    const filter = expanded === undefined ? undefined : parseFilter(expanded);
    return filter === undefined || filter[0] === '$share' ? [] : [{ scope, filter }];
  });
}

/** A client whose name would be more than one level, or a wildcard, holds no template. */
function expand(template: string, client: string): string | undefined {
  if (!template.includes(CLIENT)) return template;
  return /^[^$/#+\0][^/#+\0]*$/.test(client) ? template.replaceAll(CLIENT, client) : undefined;
}
