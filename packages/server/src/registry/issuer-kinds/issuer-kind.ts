/** A kind of issuer whose tokens may be trusted: what its claims are worth. */
export interface IssuerKind {
  /**
   * Claims that every rule has to name: together they stand for one subject at this issuer, and never for another one.
   * Names of repositories, groups and accounts are given out again; ids are not.
   */
  readonly pins: readonly string[];
  /** Seconds since `iat`, unless the trusted issuer says otherwise. */
  readonly maxTokenAge: number;
  /** Whether a token is taken once, unless the trusted issuer says otherwise. */
  readonly singleUse: boolean;
}
