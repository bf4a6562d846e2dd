// What a follower of the cut-off feed says of itself, so that the authority knows who obeys. Its proof: RFC 6750 §2.1.
import type { CutoffEntry } from '@countersign/protocol/cutoff-feed';
import type { OnStale, TokenSource } from './options.ts';

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
const MOST_COUNTED = 1000;
/** The feed must not wait for its receipt. */
const TOKEN_WITHIN_MS = 500;
const SAFE_ID = /^[A-Za-z0-9_.~-]{1,200}$/;

/** Adds to each question what the authority shows of this verifier: instance, setting, and what was tried in vain. */
export class CutoffReceipt {
  readonly #settings: ReceiptSettings;
  /** Refused requests by order, since the start: told again and again, so that nothing is counted twice or lost. */
  readonly #attempts = new Map<string, number>();
  readonly #untold = new Set<string>();

  constructor(settings: ReceiptSettings) {
    this.#settings = settings;
  }

  /** One more request was refused because of this order. */
  count({ kind, id, not_before }: CutoffEntry): void {
    if (!SAFE_ID.test(id)) return;
    const key = `${kind}:${id}:${not_before}`;
    const count = this.#attempts.get(key);
    if (count === undefined && this.#attempts.size >= MOST_COUNTED) return;
    this.#attempts.set(key, (count ?? 0) + 1);
    this.#untold.add(key);
  }

  /** Query parameters and headers of a question; `told` when its answer is here. */
  async next(): Promise<{ query: string; headers: Record<string, string>; told: () => void }> {
    const { instance, source } = this.#settings;
    if (source === false) return SILENCE;
    const token = source === undefined ? undefined : await this.#token(source);
    // Rather nobody than somebody who cannot prove it.
    if (source !== undefined && token === undefined) return SILENCE;
    const telling = [...this.#untold]
      .slice(0, MOST_TOLD)
      .map((key) => [key, this.#attempts.get(key)] as const);
    return {
      query: this.#query(telling),
      headers: {
        'countersign-instance': instance,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      told: () => {
        for (const [key, count] of telling) if (this.#attempts.get(key) === count) this.#untold.delete(key);
      },
    };
  }

  #query(telling: readonly (readonly [string, number | undefined])[]): string {
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
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), TOKEN_WITHIN_MS);
    });
    const token = source.token({ resource, scope: STANDING }).then(
      ({ accessToken }) => accessToken,
      () => undefined,
    );
    return await Promise.race([token, late]).finally(() => clearTimeout(timer));
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
