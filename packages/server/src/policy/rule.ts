/** Facts of one issuance, as far as rules may know them. Times are epoch ms, lifetimes seconds. */
export interface IssuanceFacts {
  readonly now: number;
  readonly environment: string;
  readonly method: string;
  readonly credentialType: string;
  /** Types of credentials that the deployment does not take, by environment. */
  readonly refusedMethods: ReadonlyMap<string, ReadonlySet<string>>;
  readonly identityExpiresAt: number;
  readonly credentialExpiresAt: number;
  readonly accessExpiresAt: number;
  /** The server's default and ceiling. */
  readonly defaultLifetime: number;
  readonly maximumLifetime: number;
  readonly resourceServerLifetime: number | undefined;
  readonly accessLifetime: number | undefined;
}

export type Verdict =
  | { readonly kind: 'allow' }
  /** Allowed with a token that lives at most so many seconds. */
  | { readonly kind: 'limit'; readonly lifetime: number }
  | { readonly kind: 'refuse'; readonly reason: PolicyReason };

export type PolicyReason = 'method_not_allowed' | 'lifetime_exhausted';

/** One rule: pure, facts in, verdict out. */
export interface Rule {
  /** Its page is docs/parts/<id>.md. */
  readonly id: string;
  evaluate(facts: IssuanceFacts): Verdict;
}
