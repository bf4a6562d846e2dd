// What createVerifier takes: RFC 8414 §2 (issuer), RFC 8707 §2 (audience), RFC 8725 §3.1 (algorithms).
import type { CertificateHeaderDialect, JwsAlgorithm } from '@countersign/protocol';
import type { CutoffAlarm } from './cutoff-alarm.ts';
import type { Introspecting } from './introspecting.ts';
import type { RequestHeaders } from './presented-token.ts';
import type { Refusal } from './refusal.ts';
import type { UsedProofs } from './sender-constraint/used-proofs.ts';
import type { Reporting } from './usage/use-reporter.ts';

/** What to do while the cut-off feed cannot be followed. */
export type OnStale = 'refuse' | 'introspect' | { readonly acceptYoungerThan: number };

/** Who gets the tokens that prove whose verifier this is: a client of `@countersign/client` does. */
export interface TokenSource {
  token(target: { resource: string; scope: string }): Promise<{ readonly accessToken: string }>;
}

export interface CutoffOptions {
  /** Seconds without news from the authority after which the feed counts as stale. Default 10; 2 to 3,600. */
  readonly staleAfter?: number;
  /**
   * `refuse`: every token is answered 503. `{acceptYoungerThan: seconds}`: tokens issued less than that ago are
   * accepted, older ones are answered 503. `introspect`: the authority is asked about each token, with the option
   * `introspect`, at most once in `staleAfter` seconds; what it does not answer is answered 503. Default `refuse`.
   */
  readonly onStale?: OnStale;
  /**
   * Proves whose verifier this is, so that its receipts count: a client of `@countersign/client` whose identity holds
   * `tokens:introspect` of this API. Default: it only says so, and the authority shows its receipts as unproven. `false`: it says
   * nothing of itself, for tools that are no API.
   */
  readonly receipts?: TokenSource | false;
  /** Called when a page of the feed is not believed (forged, replayed, rolled back …), and when the feed goes stale. */
  readonly onAlarm?: (alarm: CutoffAlarm) => void;
}

export interface DpopOptions {
  /**
   * Whether proofs must carry a nonce of this API. `true` makes a key for this process; instances behind one address share
   * `{key}` of 32 bytes or more. Default false.
   */
  readonly nonces?: boolean | { readonly key: Uint8Array };
  /**
   * Where used proofs are remembered: a store that instances share, or how many this process keeps. Default: 100,000 in
   * this process, of one caller at most 72 %; who has more that can still be replayed is answered 503.
   */
  readonly usedProofs?: UsedProofs | { readonly limit: number };
}

export interface ApiKeyOptions {
  /** Whose keys they are; needed where there are several issuers. */
  readonly issuer?: string;
  /**
   * Seconds for which the token of a key is kept: so long a key that is revoked, and not cut off, may go on. Default 60;
   * 1 to 60.
   */
  readonly cacheFor?: number;
}

export interface UsageOptions {
  /** A client of `@countersign/client` whose identity may report for this API. */
  readonly client: Reporting;
  /** The authority that is told; needed where several issuers have a cut-off feed. */
  readonly issuer?: string;
  /** A name of this running copy, for people. Default: the environment's `HOSTNAME`, or a random one. */
  readonly instance?: string;
  /** Told of each report that was not taken. It is sent again by itself. */
  readonly onFailure?: (error: unknown) => void;
}

export interface CertificateHeaderOptions {
  /** How they write: `rfc9440`, `nginx`, `ingress-nginx`, `envoy`, `traefik`, `aws` or `aws-verify`. */
  readonly dialect: CertificateHeaderDialect;
  /** Their addresses or CIDR blocks. The same header from anybody else counts for nothing. */
  readonly proxies: readonly string[];
}

/** One of several issuers. */
export interface IssuerOptions {
  readonly issuer: string;
  readonly jwks?: string | { readonly keys: readonly unknown[] };
  readonly algorithms?: readonly JwsAlgorithm[];
  /** Also take `typ: JWT` or none, for issuers that do not follow RFC 9068. Default false. */
  readonly allowPlainJwt?: boolean;
  /** `false` for issuers that have no cut-off feed. */
  readonly cutoffs?: false;
}

export interface VerifierOptions {
  /** The one authority to trust. Either this or `issuers`. */
  readonly issuer?: string;
  /** Several authorities. A token is checked with the keys of the one it names and no other. */
  readonly issuers?: readonly (string | IssuerOptions)[];
  /** This API's resource identifier. With several, a token for any of them is taken. */
  readonly audience: string | readonly string[];
  /** The address of a JWK set, or the set itself. Default: found through the issuer's metadata. */
  readonly jwks?: string | { readonly keys: readonly unknown[] };
  /** Algorithms to take. Default: every one that this package knows; a key is used for its own only. */
  readonly algorithms?: readonly JwsAlgorithm[];
  /** Epoch seconds. Default: the machine's clock. */
  readonly clock?: () => number;
  /** Seconds that clocks may differ. Default 5; at most 60. */
  readonly leeway?: number;
  /**
   * Whether tokens must be bound to their sender: `none` takes both kinds, `any` only bound ones, `dpop` only
   * those bound to a key, `mtls` only those bound to the caller's certificate. A bound token without its proof is refused in any case. Default `none`.
   */
  readonly senderConstraint?: 'none' | 'any' | 'dpop' | 'mtls';
  /**
   * Where callers reach this API, when that is not its audience: scheme, host, and the path that a proxy takes away. Proofs
   * name the address they are for, and a `Host` header is not believed. Default: the origin of each audience that is a
   * web address.
   */
  readonly publicUrl?: string;
  /**
   * Proxies that take TLS off before this API and name the certificate of their caller in a header (RFC 9440), for tokens
   * that are bound to one. Default: only the certificate of the connection itself counts.
   */
  readonly certificateHeader?: CertificateHeaderOptions;
  /** How DPoP proofs are checked (RFC 9449). */
  readonly dpop?: DpopOptions;
  /**
   * How many tokens are remembered once their signature was verified, so that using one again costs a look-up. Time, key,
   * cut-offs, proof and scope are checked every time. Default 5,000, which takes up to 50 MB; 0 turns it off.
   */
  readonly remember?: number;
  /** How cut-offs are followed; `false` turns that off, and then a token lives until it expires. */
  readonly cutoffs?: false | CutoffOptions;
  /**
   * Asks about opaque tokens, which nobody but the authority can read: a client of `@countersign/client` whose identity
   * holds `tokens:introspect` of this API. Answers are kept for a minute at most. Only with one issuer.
   */
  readonly introspect?: false | Introspecting;
  /**
   * Whether callers may come with an API key (`X-API-Key`, or as bearer) in the place of a token. It is exchanged once at the
   * token endpoint, and its token is kept for a short while. Default false.
   */
  readonly apiKeys?: boolean | ApiKeyOptions;
  /**
   * Tells the authority what is used: about once a minute, by credential, access and the scope that `verify` was asked for,
   * refusals apart. A client of `@countersign/client` whose identity holds `usage:write` of the admin API and of this API.
   */
  readonly usage?: false | Reporting | UsageOptions;
  /**
   * Called by `requireScope` and the guards of the frameworks with each refusal and its request, for your log: `reason` and `detail` say what
   * the caller is not told. What it throws changes nothing. Of the end of a stream tells its signal.
   */
  readonly onRefusal?: (refusal: Refusal, request: RequestHeaders) => void;
  /** Default: the global fetch. `fetchTrusting(ca)` for an authority with its own certificate authority. */
  readonly fetch?: typeof globalThis.fetch;
  /** Publishes RFC 9728 metadata about this API: the challenge names its address, the frameworks serve it. */
  readonly metadata?: {
    readonly scopes?: readonly string[];
    readonly name?: string;
    readonly documentation?: string;
  };
}

export type VerifierOptionFault = 'missing_option' | 'bad_option';

/** Thrown by createVerifier. `option` is the name of the option that must change. */
export class VerifierOptionError extends TypeError {
  readonly code: VerifierOptionFault;
  readonly option: string;

  constructor(code: VerifierOptionFault, option: string, fix: string) {
    super(`${option}: ${fix}`);
    this.name = 'VerifierOptionError';
    this.code = code;
    this.option = option;
  }
}

/** @throws VerifierOptionError for what would never be called */
export function optionalFunction<T>(option: string, value: T): T {
  if (value === undefined || typeof value === 'function') return value;
  throw badOption(option, 'give a function');
}

/** What is left when every option that is known was taken: a name that was misspelt, and would say nothing. @param prefix of the names */
export function refuseUnknown(left: object, prefix = ''): void {
  for (const name of Object.keys(left)) throw badOption(prefix + name, 'is no option');
}

/** A value that cannot be: what most mistakes in options are. */
export function badOption(option: string, fix: string): VerifierOptionError {
  return new VerifierOptionError('bad_option', option, fix);
}
