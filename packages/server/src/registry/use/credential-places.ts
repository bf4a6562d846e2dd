import { type ClientAgent, clientAgent } from './client-agent.ts';

/** Kind of client → networks that it came from, of one credential. */
export type Places = ReadonlyMap<ClientAgent, ReadonlySet<string>>;

/** From where, and by what kind of client, credentials prove themselves at this process. In memory only, and bounded. */
export interface CredentialPlaces {
  /** Called once a token: for the caller that was there last it compares two texts. */
  saw(credentialId: string, source: string, userAgent: string | undefined): void;
  /** What was seen since the last call, and begins anew. */
  take(): ReadonlyMap<string, Places>;
}

interface Seen {
  source: string;
  userAgent: string | undefined;
  readonly agents: Map<ClientAgent, Set<string>>;
  count: number;
}

/** Credentials looked at between two rounds; of more, some are not. About 20 MB when all are busy. */
const MOST_CREDENTIALS = 50_000;
/** Pairs of kind and network that are told apart of one: enough to know that there are many. */
const MOST_PAIRS = 16;

export function createCredentialPlaces(mostCredentials: number = MOST_CREDENTIALS): CredentialPlaces {
  let seen = new Map<string, Seen>();
  return {
    saw(credentialId, source, userAgent) {
      const known = seen.get(credentialId);
      if (known !== undefined) {
        if (known.source === source && known.userAgent === userAgent) return;
        known.source = source;
        known.userAgent = userAgent;
        add(known, source, userAgent);
      } else if (seen.size < mostCredentials) {
        const first: Seen = { source, userAgent, agents: new Map(), count: 0 };
        add(first, source, userAgent);
        seen.set(credentialId, first);
      }
    },
    take() {
      const taken = new Map([...seen].map(([id, { agents }]) => [id, agents]));
      seen = new Map();
      return taken;
    },
  };
}

function add(seen: Seen, source: string, userAgent: string | undefined): void {
  if (seen.count >= MOST_PAIRS) return;
  const agent = clientAgent(userAgent);
  const networks = seen.agents.get(agent) ?? new Set();
  const before = networks.size;
  networks.add(neighbourhoodOf(source));
  seen.agents.set(agent, networks);
  seen.count += networks.size - before;
}

/** The neighbourhood of an address: /16 of IPv4, /32 of IPv6. Replicas of one workload move about within it. */
export function neighbourhoodOf(address: string): string {
  const v4 = /(?:^|:)(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(address);
  if (v4 !== null) return `${v4[1]}.${v4[2]}.0.0/16`;
  const [first = '', second = ''] = address.toLowerCase().split(':');
  return `${first || '0'}:${second || '0'}::/32`;
}
