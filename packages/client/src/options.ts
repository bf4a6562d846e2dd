import type { ShownCertificate } from '@countersign/protocol/fetch-trusting';
import type { DpopKey } from './dpop.ts';
import type { RotateOptions } from './rotation/key-rotation.ts';
import type { PrivateKey } from './signing-key.ts';
import type { SubjectTokenSource } from './subject-token/source.ts';

/** What `createClient` takes; read in settings.ts. */
export interface ClientOptions {
  /** The authority; its endpoints are found through its metadata. */
  readonly issuer: string;
  /** May be left out with a `subjectToken`, which says it by itself. */
  readonly clientId?: string | undefined;
  /** Either this, `privateKey`, a `subjectToken`, or a `certificate` alone. */
  readonly clientSecret?: string | undefined;
  /**
   * Either this or `clientSecret`: the client signs an assertion for each token request (private_key_jwt), and the key never
   * leaves it. P-256, P-384, Ed25519, or RSA from 2048 bits, which signs PS256 unless a JWK's `alg` says otherwise.
   */
  readonly privateKey?: PrivateKey | undefined;
  /**
   * Shown to the authority and to every API over TLS (RFC 8705). Alone it proves who the client is; beside a secret or a
   * private key it is what tokens are bound to. It brings a `fetch` of its own: `ca` takes the place of `fetchTrusting`.
   */
  readonly certificate?: ShownCertificate | undefined;
  /**
   * The client replaces its own key now and then: it makes a new pair, has it registered by a proof of the old one, and moves
   * over; the private half never leaves it. `privateKey` is the first one, until the store has another.
   */
  readonly rotate?: RotateOptions | undefined;
  /** `kid` of `privateKey`. Default: what its JWK says, or none. */
  readonly keyId?: string | undefined;
  /** Of a secret. Default: `client_secret_basic`, or what the authority offers instead. */
  readonly clientAuthMethod?: 'client_secret_basic' | 'client_secret_post';
  /** The API to call, when `token` names none. Without one, the authority takes the only one there is. */
  readonly resource?: string;
  /** The scopes to ask for, when `token` names none. Without any, everything held. */
  readonly scope?: string;
  /**
   * Binds tokens to a key and proves it in every call (RFC 9449): `true` makes a key for this client, which then dies with
   * it. Default: bearer tokens.
   */
  readonly dpop?: true | DpopKey | undefined;
  /** Default: the global fetch. `fetchTrusting(ca)` for an authority with its own certificate authority. */
  readonly fetch?: typeof globalThis.fetch;
  /** Epoch seconds. Default: the machine's clock. */
  readonly clock?: () => number;
  /** Random bytes, for the boot id and to spread refreshes. Default: the platform's. */
  readonly random?: (bytes: number) => Uint8Array;
  /** Lets `fetch` send tokens over plain http beyond loopback, where something below encrypts. Default false. */
  readonly allowPlainHttp?: boolean;
  /**
   * The token of a trusted issuer that this workload comes with, in the place of a secret (RFC 7523 §2.1): text, or a source
   * that is asked for each token request (`githubActionsToken()`, `kubernetesToken()`, `subjectTokenFile(path)`, your own).
   * All of its tokens must speak of one workload: what is issued for them is kept per resource and scope.
   */
  readonly subjectToken?: string | SubjectTokenSource | undefined;
}
