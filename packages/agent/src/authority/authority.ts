// What the agent asks its authority, with its own token: /v1/svids of the admin API.

/** A workload that the agent may serve, as it was registered. */
export interface Registration {
  readonly id: string;
  readonly spiffeId: string;
  /** All of them must hold for a caller. */
  readonly selectors: readonly string[];
  /** Tells the identities of one caller apart; may be empty. */
  readonly hint: string;
}

/** Everything that the agent may serve, at one instant. */
export interface Served {
  /** Name of the trust domain. */
  readonly trustDomain: string;
  /** Oldest first: the first one of a caller is its default identity. */
  readonly registrations: readonly Registration[];
  /** JWKS by name of the trust domain, its own and those that are trusted beside it. */
  readonly jwtBundles: ReadonlyMap<string, string>;
  /** The same, DER. */
  readonly x509Bundles: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Authorities whose X.509-SVIDs count, DER; undefined where the authority does not say. */
  readonly issuers: readonly Uint8Array[] | undefined;
  /** DER. */
  readonly crl: readonly Uint8Array[];
  /** Of what the lists say: nodes of an authority make lists of their own, which are as good as each other while it is the same. */
  readonly crlContent: string;
}

export interface MintedJwtSvid {
  readonly svid: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface MintedX509Svid {
  /** DER, the leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** Each rejects with `AuthorityRefused` or `AuthorityUnreachable`. */
export interface Authority {
  served(signal: AbortSignal): Promise<Served>;
  jwtSvid(registration: Registration, audience: readonly string[]): Promise<MintedJwtSvid>;
  /** @param csr PKCS #10, PEM */
  x509Svid(registration: Registration, csr: string): Promise<MintedX509Svid>;
}

/** The authority answered, and says no: to this agent, or to what it asks for. */
export class AuthorityRefused extends Error {}

/** There was no answer, or none that says anything. What was there before holds on. */
export class AuthorityUnreachable extends Error {}
