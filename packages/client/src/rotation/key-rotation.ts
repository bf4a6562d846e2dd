import { type Signer, signerOf } from '../signing-key.ts';
import type { KeyStore, StoredKeys } from './key-store.ts';
import { makeKey } from './new-key.ts';

/** What `rotate` of `createClient` takes. */
export interface RotateOptions {
  /** Shared by all copies of the client. */
  readonly store: KeyStore;
  /** Seconds after which a key is replaced. Default: 30 days. */
  readonly every?: number | undefined;
  /** Told of each rotation that was tried by itself; for the log. Never a key. */
  readonly onRotation?: ((outcome: RotationOutcome) => void) | undefined;
}

export type RotationOutcome =
  | { readonly ok: true; readonly rotated: RotatedKey }
  /** The key that was there goes on being used; a rotation is tried again in an hour. */
  | { readonly ok: false; readonly error: unknown };

/** What the authority says of a key that it has taken. */
export interface RotatedKey {
  /** Id of the new credential. */
  readonly credential: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** Until then at most the old key works; it ends earlier once every copy has moved. */
  readonly predecessorEndsAt: string;
}

/** A key to prove oneself with. */
export interface KeyInUse {
  readonly signer: Signer;
  /** Undefined: what the key says of itself. */
  readonly keyId: string | undefined;
}

/** Has the next key registered, proved by the present one. @throws TokenError */
export type RegisterKey = (present: KeyInUse, next: string) => Promise<RotatedKey>;

export interface KeyRotationDeps {
  readonly options: RotateOptions;
  readonly first: KeyInUse;
  /** Epoch seconds. */
  readonly clock: () => number;
}

const NOTHING_KEPT: StoredKeys = { current: undefined, next: undefined };
const DEFAULT_EVERY = 30 * 86_400;
/** Seconds between two tries. */
const AGAIN_AFTER = 3600;

/**
 * Which key a client proves itself with, and when it makes the next one: agreed on with its other copies first (KeyStore), then
 * registered, then used once, and only then the current one. Whatever fails, the key that worked goes on being used.
 */
export class KeyRotation {
  readonly #deps: KeyRotationDeps;
  readonly #signers = new Map<string, KeyInUse>();
  /** The next key, once the authority has taken it. */
  #registered: string | undefined;
  #tryAfter = 0;
  #startedAt: number;
  #trying: Promise<RotatedKey> | undefined;
  /** For as long as the store cannot be read. */
  #last: KeyInUse;

  constructor(deps: KeyRotationDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock();
    this.#last = deps.first;
  }

  /** The key for a request now. Begins a rotation where one is due, and waits for none. */
  async key(register: RegisterKey): Promise<KeyInUse> {
    try {
      this.#last = await this.#keyNow(register);
    } catch (error) {
      this.#tell({ ok: false, error });
    }
    return this.#last;
  }

  async #keyNow(register: RegisterKey): Promise<KeyInUse> {
    const { current, next } = await this.#deps.options.store.read();
    if (next !== undefined && next === this.#registered) return this.#inUse(next);
    const now = this.#deps.clock();
    const since = current?.since ?? this.#startedAt;
    if (now - since >= (this.#deps.options.every ?? DEFAULT_EVERY) && now >= this.#tryAfter) {
      this.#tryAfter = now + AGAIN_AFTER;
      this.rotate(register).then(
        (rotated) => this.#tell({ ok: true, rotated }),
        (error: unknown) => this.#tell({ ok: false, error }),
      );
    }
    return current === undefined ? this.#deps.first : this.#inUse(current.key);
  }

  /** The authority took a request that this key proved. */
  async worked(key: KeyInUse): Promise<void> {
    const next = this.#registered;
    if (next === undefined || key !== this.#signers.get(next)) return;
    try {
      await this.#deps.options.store.promote(next);
      this.#registered = undefined;
    } catch (error) {
      // It works all the same, and is promoted with the next request that it proves.
      this.#tell({ ok: false, error });
    }
  }

  /** The authority did not take it: another key to try at once, where there is one. */
  async refused(key: KeyInUse): Promise<KeyInUse | undefined> {
    const next = this.#registered;
    if (next !== undefined && key === this.#signers.get(next)) this.#registered = undefined;
    const { current } = await this.#deps.options.store.read().catch(() => NOTHING_KEPT);
    const other = current === undefined ? this.#deps.first : this.#inUse(current.key);
    return other === key ? undefined : other;
  }

  /** Has the next key taken by the authority; the next request uses it. @throws TokenError and what the store throws */
  rotate(register: RegisterKey): Promise<RotatedKey> {
    this.#trying ??= this.#rotate(register).finally(() => {
      this.#trying = undefined;
    });
    return this.#trying;
  }

  async #rotate(register: RegisterKey): Promise<RotatedKey> {
    const { store } = this.#deps.options;
    const { current, next: proposed } = await store.read();
    const present = current === undefined ? this.#deps.first : this.#inUse(current.key);
    const next = proposed ?? (await store.propose(await makeKey()));
    try {
      const rotated = await register(present, next);
      this.#registered = next;
      return rotated;
    } catch (error) {
      // Whatever stands against it stands against this key: it must not be in the way of another one.
      if (isRefusal(error)) await store.discard(next);
      throw error;
    }
  }

  #inUse(key: Parameters<typeof signerOf>[0]): KeyInUse {
    const known = typeof key === 'string' ? this.#signers.get(key) : undefined;
    if (known !== undefined) return known;
    const signer = signerOf(key);
    if (signer === undefined) throw new TypeError('the key store gave something that is no private key');
    const inUse = { signer, keyId: undefined };
    if (typeof key === 'string') {
      // The present one and the next one: those of earlier rotations leave.
      if (this.#signers.size >= 4) this.#signers.clear();
      this.#signers.set(key, inUse);
    }
    return inUse;
  }

  #tell(outcome: RotationOutcome): void {
    try {
      this.#deps.options.onRotation?.(outcome);
    } catch {
      // Its trouble is its own.
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'refused';
}
