/**
 * What declared policies know and say. Rules here are pure, and know no clock: each breach carries the instants between
 * which it is one, so that a verdict is made once, kept with the facts it came from, and held against the clock.
 */

/** What becomes of a breach: nothing · a finding · also a warning to who writes it · a refusal. */
export const POLICY_MODES = ['off', 'report', 'warn', 'enforce'] as const;
export type PolicyMode = (typeof POLICY_MODES)[number];

/**
 * Where a rule acts. `write`: what would newly break it is refused. `issuance`: no token while it is broken. `round`:
 * findings, and what the rule's file says beside them.
 */
export type Place = 'write' | 'issuance' | 'round';

export interface HolderFacts {
  readonly id: string;
  readonly clientId: string;
  readonly kind: string;
  readonly environment: string;
  readonly sensitivity: number;
  readonly person: string;
  readonly backup: string | undefined;
  readonly team: string | undefined;
  /** Milliseconds between two uses that its cadence explains; undefined: it may be quiet for ever. */
  readonly pauseMs: number | undefined;
}

export interface CredentialFacts {
  readonly id: string;
  readonly type: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface HeldScope {
  readonly name: string;
  readonly sensitivity: number;
}

export interface AccessHeld {
  readonly id: string;
  /** Identifier. */
  readonly resourceServer: string;
  readonly scopes: readonly HeldScope[];
  /** Seconds; undefined: it states none. */
  readonly tokenLifetime: number | undefined;
  /** Undefined: from everywhere. */
  readonly networks: readonly string[] | undefined;
  /** What its tokens are bound to in any case, by the access or by the API. */
  readonly binding: 'dpop' | 'mtls' | 'any' | undefined;
  /** When somebody last decided that it may be so. */
  readonly decidedAt: number;
  readonly expiresAt: number;
}

/** What another identity of the same owner holds. */
export interface HeldElsewhere {
  readonly clientId: string;
  readonly resourceServer: string;
  readonly scopes: readonly string[];
}

/** One identity, as far as policies may know it. Times are epoch ms. */
export interface PolicyFacts {
  readonly identity: HolderFacts;
  /** Those that work, or will. */
  readonly credentials: readonly CredentialFacts[];
  readonly access: readonly AccessHeld[];
  /** Undefined: nobody looked, which says nothing. */
  readonly elsewhere?: readonly HeldElsewhere[] | undefined;
  /** Since when it is known to be without use; undefined: it is not known. */
  readonly quietSince?: number | undefined;
}

/** Something that a policy does not allow. */
export interface Breach {
  readonly subject: 'identity' | 'credential' | 'access';
  readonly subjectId: string;
  /** What is wrong, for people. The same as long as the same is wrong. */
  readonly why: string;
  /** It is one from here on; undefined: as long as the facts are these. */
  readonly from?: number | undefined;
  /** And no longer from here on. */
  readonly until?: number | undefined;
  /** Only tokens with one of these scopes are concerned; undefined: all. */
  readonly scopes?: readonly string[] | undefined;
  /** A token that is bound so is not concerned. */
  readonly unlessBound?: 'dpop' | 'mtls' | 'any' | undefined;
}

export interface PolicyRule<Parameters> {
  readonly actsAt: readonly Place[];
  /** Facts that are missing are never a breach. */
  breaches(facts: PolicyFacts, parameters: Parameters): readonly Breach[];
  /** Seconds that tokens of this identity may live at most; undefined: it does not say. */
  tokenCeiling?(parameters: Parameters): number | undefined;
  /** It looks at scopes from this sensitivity on. Who calls one less sensitive loosens it: registry/lowered-scopes.ts. */
  leastSensitivity?(parameters: Parameters): number;
}

export function holdsAt({ from, until }: Pick<Breach, 'from' | 'until'>, at: number): boolean {
  return (from === undefined || from <= at) && (until === undefined || at < until);
}
