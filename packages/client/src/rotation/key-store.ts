import { type PrivateKey } from '../signing-key.ts';

/** The keys of a client that rotates its own, as its store has them. */
export interface StoredKeys {
  /** The one in use, and since when (epoch seconds). Undefined: none is stored yet, and `privateKey` is in use. */
  readonly current: { readonly key: PrivateKey; readonly since: number } | undefined;
  /** The one that its copies have agreed on to come next. */
  readonly next: string | undefined;
}

/**
 * Where a client keeps the keys that it makes for itself. All copies of a client share one, or they would part ways: whoever is
 * first proposes a key, and all others take that one. Keys are PEM (PKCS #8). `keyFile` is one for copies that share a folder.
 */
export interface KeyStore {
  /** Asked before each token request. */
  read(): Promise<StoredKeys>;
  /** Keeps `key` as the next one, unless there is a next one already, and says which it is. Durable before it resolves. */
  propose(key: string): Promise<string>;
  /** `key` works: it is the current one from now on. Nothing when it is not the next one any more. */
  promote(key: string): Promise<void>;
  /** `key` will never work: there is no next one. Nothing when it is not the next one any more. */
  discard(key: string): Promise<void>;
}
