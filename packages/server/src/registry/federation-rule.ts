// Rules about the claims of other issuers' tokens: exact texts, found by what names the subject for ever.
import { createHash } from 'node:crypto';
import type { TrustedIssuerKind, TrustedIssuerRecord } from '../storage/trusted-issuers.ts';
import { githubActions } from './issuer-kinds/github-actions.ts';
import { gitlab } from './issuer-kinds/gitlab.ts';
import type { IssuerKind } from './issuer-kinds/issuer-kind.ts';
import { kubernetesServiceAccount } from './issuer-kinds/kubernetes-service-account.ts';
import { oidc } from './issuer-kinds/oidc.ts';
import { people } from './issuer-kinds/people.ts';

export const ISSUER_KINDS: { readonly [kind in TrustedIssuerKind]: IssuerKind } = {
  generic: oidc,
  github_actions: githubActions,
  gitlab,
  kubernetes: kubernetesServiceAccount,
  people,
};

export type Conditions = Readonly<Record<string, string>>;

/** Pins of the kind that the conditions leave open. */
export function missingPins(kind: TrustedIssuerKind, conditions: Conditions): readonly string[] {
  return ISSUER_KINDS[kind].pins.filter((pin) => !Object.hasOwn(conditions, pin));
}

/** By what rules are found: one value for the issuer and its pinned claims, for `value` gives each of them. */
export function subjectKey(
  { id, kind }: Pick<TrustedIssuerRecord, 'id' | 'kind'>,
  value: (claim: string) => string,
): string {
  const pins = ISSUER_KINDS[kind].pins.map(value);
  return createHash('sha256')
    .update(JSON.stringify([id, ...pins]))
    .digest('base64url');
}

/** A claim by its name, or by a JSON Pointer (RFC 6901) that begins with `/`. Undefined: not there. */
export function claimAt(claims: unknown, claim: string): unknown {
  const steps = claim.startsWith('/')
    ? claim
        .slice(1)
        .split('/')
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [claim];
  let value = claims;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}

/** The first condition that the claims do not meet. */
export interface ConditionNotMet {
  readonly claim: string;
  readonly expected: string;
  /** Undefined: the claim is not there. What is not text is written as JSON, and never equal. */
  readonly actual: string | undefined;
}

const MOST_CHARS = 200;

/** Every condition is one exact text. */
export function firstNotMet(conditions: Conditions, claims: unknown): ConditionNotMet | undefined {
  for (const [claim, expected] of Object.entries(conditions)) {
    const actual = claimAt(claims, claim);
    if (actual === expected) continue;
    if (actual === undefined) return { claim, expected, actual };
    const told = typeof actual === 'string' ? actual : `${JSON.stringify(actual)} (not text)`;
    return { claim, expected, actual: told.slice(0, MOST_CHARS) };
  }
  return undefined;
}
