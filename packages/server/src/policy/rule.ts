import type { Conditions } from './conditions.ts';
import type { StandingVerdict } from './declared/standing-verdict.ts';
import type { LifetimeLimits } from './limit-table.ts';

/** Facts of one issuance, as far as rules may know them. Times are epoch ms, lifetimes seconds. */
export interface IssuanceFacts {
  readonly now: number;
  readonly environment: string;
  readonly method: string;
  readonly credentialType: string;
  readonly credentialId: string;
  readonly accessId: string;
  /** Types of credentials that the deployment does not take, by environment. */
  readonly refusedMethods: ReadonlyMap<string, ReadonlySet<string>>;
  readonly identityExpiresAt: number;
  readonly credentialExpiresAt: number;
  readonly credentialCreatedAt: number;
  readonly accessExpiresAt: number;
  /** The server's default and ceiling. */
  readonly defaultLifetime: number;
  readonly maximumLifetime: number;
  readonly resourceServerLifetime: number | undefined;
  readonly accessLifetime: number | undefined;
  /** Of the access; undefined: it has none. */
  readonly conditions: Conditions | undefined;
  /** Address of the caller, as far as the server trusts it; undefined: somebody else asks in its place. */
  readonly source: string | undefined;
  /** The proof that the token will be bound to. */
  readonly boundTo: 'dpop' | 'mtls' | 'pop' | undefined;
  /** What the token will hold, and what the resource server says of its scopes. */
  readonly scopes: readonly string[];
  readonly definedScopes: readonly { readonly name: string; readonly sensitivity: number }[];
  /** Undefined: the deployment has none. */
  readonly lifetimeLimits: LifetimeLimits | undefined;
  /** Milliseconds by type of credential and environment; undefined: age is only reported, not enforced. */
  readonly maximumAge: ((type: string, environment: string) => number) | undefined;
  /** What enforced policies say of the identity, found out when its facts were read; undefined: nothing. */
  readonly declared: StandingVerdict | undefined;
}

export type Verdict =
  | { readonly kind: 'allow' }
  /** Allowed with a token that lives at most so many seconds. */
  | { readonly kind: 'limit'; readonly lifetime: number }
  | {
      readonly kind: 'refuse';
      readonly reason: PolicyReason;
      /** For the operator, as JSON has it. */
      readonly evidence?: Readonly<Record<string, string>>;
    };

export type PolicyReason =
  | 'method_not_allowed'
  | 'credential_too_old'
  | 'lifetime_exhausted'
  | 'network_not_allowed'
  | 'outside_time_window'
  | 'binding_required'
  | 'policy_enforced';

/** One rule: pure, facts in, verdict out. */
export interface Rule {
  /** Its page is docs/parts/<id>.md. */
  readonly id: string;
  evaluate(facts: IssuanceFacts): Verdict;
}
