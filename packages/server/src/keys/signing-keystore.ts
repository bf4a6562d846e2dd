import type { Clock } from '../clock.ts';
import type { SigningAlgorithm } from '../storage/resource-servers.ts';
import {
  OPAQUE_TOKEN_ALGORITHM,
  type SigningKeyRecord,
  type SigningKeyStore,
} from '../storage/signing-keys.ts';
import { backToBack } from './back-to-back.ts';
import type { Keystore, PublishedKey, SealingKey } from './keystore.ts';
import { openSealingKeys, type SealingKeys } from './sealing-keys.ts';
import type { Signer, SigningHandle } from './signer.ts';

export interface SigningKeystore extends Keystore {
  /** Reads the keys anew: after a rotation here or on another node. */
  reload(): Promise<void>;
}

export interface SigningKeystoreDeps {
  readonly keys: Pick<SigningKeyStore, 'live'>;
  readonly signer: Signer;
  readonly clock: Clock;
}

interface Job {
  readonly key: ActiveKey;
  readonly typ: string;
  readonly payload: string;
}

interface BytesJob {
  readonly key: ActiveKey;
  readonly write: (kid: string) => Uint8Array;
}

interface ActiveKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly handle: SigningHandle;
  /** Header segments by `typ`, encoded once. */
  readonly headers: Map<string, string>;
}

/** Keys of the database, opened once, signing in batches. */
export async function createSigningKeystore(deps: SigningKeystoreDeps): Promise<SigningKeystore> {
  const keystore = new BatchingKeystore(deps);
  await keystore.reload();
  return keystore;
}

class BatchingKeystore implements SigningKeystore {
  readonly #deps: SigningKeystoreDeps;
  #active = new Map<SigningAlgorithm, ActiveKey>();
  #published = new Map<string, PublishedKey>();
  #sealing: SealingKeys = { active: undefined, byTag: new Map() };
  #document: { readonly keys: readonly Readonly<Record<string, string>>[] } = { keys: [] };
  readonly #sign = backToBack(signed);
  readonly #signBytes = backToBack(signedBytes);
  /** Readings begun, and the latest of them that was taken over: one that began earlier and ends later is old news. */
  #begun = 0;
  #taken = 0;

  constructor(deps: SigningKeystoreDeps) {
    this.#deps = deps;
  }

  async reload(): Promise<void> {
    const turn = ++this.#begun;
    const live = (await this.#deps.keys.live()).filter((key) => key.state !== 'compromised');
    if (turn < this.#taken) return;
    const active = new Map<SigningAlgorithm, ActiveKey>();
    const published = new Map<string, PublishedKey>();
    for (const key of live) {
      if (!isSigning(key)) continue;
      published.set(key.kid, this.#published.get(key.kid) ?? this.#publish(key));
      if (key.state === 'active') active.set(key.alg, this.#open(key));
    }
    this.#taken = turn;
    this.#active = active;
    this.#published = published;
    this.#sealing = openSealingKeys(this.#deps.signer, live, this.#sealing);
    this.#document = { keys: live.filter(isSigning).map(toJwk) };
  }

  #publish(key: SignatureKey): PublishedKey {
    return { kid: key.kid, alg: key.alg, publicKey: this.#deps.signer.publicKey(key.publicJwk) };
  }

  #open(key: SignatureKey): ActiveKey {
    const current = this.#active.get(key.alg);
    if (current?.kid === key.kid) return current;
    const handle = this.#deps.signer.open(key.alg, key.kid, key.sealedPrivateKey);
    return { kid: key.kid, alg: key.alg, handle, headers: new Map() };
  }

  sign(alg: SigningAlgorithm, typ: string, payload: string): Promise<string> {
    const key = this.#active.get(alg);
    if (key === undefined) return this.#signAnew(alg, typ, payload);
    return this.#sign({ key, typ, payload });
  }

  /** The key may be younger than the last reading: a resource server asked for its algorithm a moment ago. */
  async #signAnew(alg: SigningAlgorithm, typ: string, payload: string): Promise<string> {
    await this.reload();
    if (!this.#active.has(alg)) throw new Error(`no active signing key for ${alg}`);
    return await this.sign(alg, typ, payload);
  }

  async signBytes(alg: SigningAlgorithm, write: (kid: string) => Uint8Array): Promise<Uint8Array> {
    if (!this.#active.has(alg)) await this.reload();
    const key = this.#active.get(alg);
    if (key === undefined) throw new Error(`no active signing key for ${alg}`);
    return await this.#signBytes({ key, write });
  }

  verificationKey(kid: string): PublishedKey | undefined {
    return this.#published.get(kid);
  }

  sealingKey(): SealingKey | Promise<SealingKey> {
    return this.#sealing.active ?? this.#sealingKeyAnew();
  }

  async #sealingKeyAnew(): Promise<SealingKey> {
    await this.reload();
    if (this.#sealing.active === undefined) throw new Error('no active key for opaque tokens');
    return this.#sealing.active;
  }

  openingKey(tag: number): SealingKey | undefined {
    return this.#sealing.byTag.get(tag);
  }

  openingKeys(): readonly SealingKey[] {
    return [...this.#sealing.byTag.values()];
  }

  jwks(): { readonly keys: readonly Readonly<Record<string, string>>[] } {
    return this.#document;
  }
}

type SignatureKey = SigningKeyRecord & { readonly alg: SigningAlgorithm };

/** RFC 7517 §9.2: what is secret as a whole is in no JWKS, and verifies nothing that others show. */
function isSigning(key: SigningKeyRecord): key is SignatureKey {
  return key.alg !== OPAQUE_TOKEN_ALGORITHM;
}

function signed({ key, typ, payload }: Job): string {
  const input = `${headerOf(key, typ)}.${encoded(payload)}`;
  return `${input}.${key.handle.sign(input)}`;
}

/** A signer takes text of one byte a character, which any bytes can be written as. */
function signedBytes({ key, write }: BytesJob): Uint8Array {
  return Buffer.from(key.handle.sign(Buffer.from(write(key.kid)).toString('latin1')), 'base64url');
}

/** Used and left within one call; a longer payload gets a buffer of its own. */
const scratch: Buffer = Buffer.allocUnsafeSlow(8192);
const MOST_BYTES_A_UNIT = 3;

function encoded(payload: string): string {
  if (payload.length * MOST_BYTES_A_UNIT > scratch.length) return Buffer.from(payload).toString('base64url');
  return scratch.toString('base64url', 0, scratch.write(payload));
}

function headerOf(key: ActiveKey, typ: string): string {
  let header = key.headers.get(typ);
  if (header === undefined) {
    header = Buffer.from(JSON.stringify({ alg: key.alg, typ, kid: key.kid })).toString('base64url');
    key.headers.set(typ, header);
  }
  return header;
}

function toJwk(key: SignatureKey): Readonly<Record<string, string>> {
  return { ...key.publicJwk, use: 'sig', alg: key.alg, kid: key.kid };
}
