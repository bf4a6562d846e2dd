// How a client proves itself at the token endpoint: RFC 6749 §2.3. One file per method beside this one.
import type { AuthorityClock } from '../authority-clock.ts';
import type { Issuer } from '@countersign/protocol';
import type { Signer } from '../signing-key.ts';

/** What a method adds to a token request. */
export interface ClientAuthentication {
  readonly headers: { readonly [name: string]: string };
  readonly form: readonly (readonly [name: string, value: string])[];
}

/** Who proves itself, and what it has to do so. */
export interface ProvingClient {
  readonly clientId: string;
  readonly issuer: Issuer;
  /** Empty where it has none. */
  readonly clientSecret: string;
  /** Undefined where it has no key. */
  readonly signer: Signer | undefined;
  /** What the authority calls the key; undefined: what the key calls itself, if anything. */
  readonly keyId: string | undefined;
  /** RFC 7638 thumbprint of the key that may take the place of the one that proves it; undefined: none may. */
  readonly newKey?: string | undefined;
  /** What the proof is dated with. */
  readonly authorityClock: Pick<AuthorityClock, 'now'>;
}

/** `name` is the registered one; `prove` adds the proof, a new one each time, and nothing else. */
export interface ClientAuthMethod {
  readonly name: string;
  prove(client: ProvingClient): ClientAuthentication | Promise<ClientAuthentication>;
}
