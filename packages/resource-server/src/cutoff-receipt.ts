// What a follower of the cut-off feed says of itself, so that the authority knows who obeys. Its proof: RFC 6750 §2.1.
import type { CutoffEntry } from '@countersign/protocol/cutoff-feed';
import type { OnStale, TokenSource } from './options.ts';
import { within } from './within.ts';

export interface ReceiptSettings {
  /** Of this running copy. */
  readonly instance: string;
  readonly audience: readonly string[];
  readonly staleAfter: number;
  readonly onStale: OnStale;
  /** Undefined: it only says whose verifier it is. False: not even that. */
  readonly source: TokenSource | false | undefined;
}

/** The scope by which an identity stands for a resource server. */
const STANDING = 'tokens:introspect';
const MOST_RESOURCES = 10;
const MOST_TOLD = 20;
/** Orders of which attempts are counted: of those of people, and of those that clients give by revoking a token. */
const MOST_COUNTED = 500;
/** The feed must not wait for its receipt. */
const TOKEN_WITHIN_MS = 500;
const SAFE_ID = /^[A-Za-z0-9_.~-]{1,200}$/;

/** An order, and how many requests were refused because of it. */
type Attempted = readonly [order: string, count: number];

/** Refused requests by order, since the start: told again and again, so that nothing is counted twice or lost. */
class Attempts {
  readonly #counts = new Map<string, number>();
  readonly #untold = new Set<string>();

  count(order: string): void {
    const count = this.#counts.get(order);
    if (count === undefined && this.#counts.size >= MOST_COUNTED && !this.#forgetOne()) return;
    this.#counts.set(order, (count ?? 0) + 1);
    this.#untold.add(order);
  }

  /** The oldest that was told: who was told of it keeps the highest count. */
  #forgetOne(): boolean {
    for (const order of this.#counts.keys()) if (!this.#untold.has(order)) return this.#counts.delete(order);
    return false;
  }

  untold(most: number): readonly Attempted[] {
    const some: Attempted[] = [];
    for (const order of this.#untold) {
      if (some.length >= most) break;
      some.push([order, this.#counts.get(order) ?? 0]);
    }
    return some;
  }

  told(some: readonly Attempted[]): void {
    for (const [order, count] of some) if (this.#counts.get(order) === count) this.#untold.delete(order);
  }
}

/** Adds to each question what the authority shows of this verifier: instance, setting, and what was tried in vain. */
export class CutoffReceipt {
  readonly #settings: ReceiptSettings;
  /** Apart: who revokes many tokens of its own must not hide what is tried after the orders of people. */
  readonly #byPeople = new Attempts();
  readonly #byClients = new Attempts();

  constructor(settings: ReceiptSettings) {
    this.#settings = settings;
  }

  /** One more request was refused because of this order. */
  count({ kind, id, not_before }: CutoffEntry): void {
    if (!SAFE_ID.test(id)) return;
    (kind === 'token' ? this.#byClients : this.#byPeople).count(`${kind}:${id}:${not_before}`);
  }

  /** Query parameters and headers of a question; `told` when its answer is here. */
  async next(): Promise<{ query: string; headers: Record<string, string>; told: () => void }> {
    const { instance, source } = this.#settings;
    if (source === false) return SILENCE;
    const token = source === undefined ? undefined : await this.#token(source);
    // Rather nobody than somebody who cannot prove it.
    if (source !== undefined && token === undefined) return SILENCE;
    const people = this.#byPeople.untold(MOST_TOLD);
    const clients = this.#byClients.untold(MOST_TOLD - people.length);
    return {
      query: this.#query([...people, ...clients]),
      headers: {
        'countersign-instance': instance,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      told: () => {
        this.#byPeople.told(people);
        this.#byClients.told(clients);
      },
    };
  }

  #query(telling: readonly Attempted[]): string {
    const { audience, staleAfter, onStale } = this.#settings;
    const query = new URLSearchParams();
    for (const resource of audience.slice(0, MOST_RESOURCES)) query.append('resource', resource);
    query.append('stale_after', String(Math.ceil(staleAfter)));
    query.append('on_stale', wordFor(onStale));
    for (const [key, count] of telling) query.append('attempts', `${key}:${count}`);
    return query.toString();
  }

  async #token(source: TokenSource): Promise<string | undefined> {
    const resource = this.#settings.audience[0] as string;
    const token = source.token({ resource, scope: STANDING }).then(
      ({ accessToken }) => accessToken,
      () => undefined,
    );
    return await within(token, TOKEN_WITHIN_MS);
  }
}

const SILENCE: Awaited<ReturnType<CutoffReceipt['next']>> = {
  query: '',
  headers: {},
  told: () => undefined,
};

function wordFor(onStale: OnStale): string {
  return typeof onStale === 'string'
    ? onStale
    : `accept_younger_than:${Math.ceil(onStale.acceptYoungerThan)}`;
}
