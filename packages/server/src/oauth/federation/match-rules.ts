// Whose a trusted token is: RFC 7521 §4.1, RFC 7523 §3, 2. Rules are federated credentials; every condition is exact.
import { standing, type StandingFault } from '../../registry/effective-access.ts';
import { awaitsFirstProof } from '../../registry/first-proof.ts';
import type { FactsReader, IdentityFacts } from '../../registry/facts.ts';
import {
  claimAt,
  type ConditionNotMet,
  firstNotMet,
  subjectKey,
  ISSUER_KINDS,
} from '../../registry/federation-rule.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { Storage } from '../../storage/storage.ts';
import type { RefusalReason } from '../refusal.ts';
import type { ForeignAssertion } from './foreign-assertion.ts';

export interface MatchDeps {
  readonly storage: Pick<Storage, 'credentials' | 'identities'>;
  readonly facts: FactsReader;
}

/** One rule for the subject of the token, and what came of it. */
export interface RuleOutcome {
  readonly credential: CredentialRecord;
  readonly facts: IdentityFacts;
  /** Undefined: every condition is met. */
  readonly notMet: ConditionNotMet | undefined;
  /** Why it does not count though it is met. */
  readonly fault: StandingFault | undefined;
}

export interface RuleMatch {
  /** Those that are not revoked, newest first. */
  readonly rules: readonly RuleOutcome[];
  readonly outcome:
    | { readonly ok: true; readonly facts: IdentityFacts; readonly credential: CredentialRecord }
    | {
        readonly ok: false;
        readonly reason: Extract<RefusalReason, `assertion_${string}`>;
        readonly evidence: Readonly<Record<string, unknown>>;
        /** Whose rule was met, and cannot be used now. */
        readonly proved: IdentityFacts | undefined;
      };
}

/** The identity that has a rule which the claims meet at `now` (epoch ms); none where several have. */
export async function matchRules(
  deps: MatchDeps,
  { trustedIssuer, claims }: ForeignAssertion,
  now: number,
): Promise<RuleMatch> {
  const pins = Object.fromEntries(
    ISSUER_KINDS[trustedIssuer.kind].pins.map((pin) => [pin, textAt(claims, pin)]),
  );
  const evidence = { trusted_issuer: trustedIssuer.id, subject: pins };
  if (Object.values(pins).includes(null)) return refused([], 'assertion_no_rule', evidence);
  const found = await deps.storage.credentials.bySubjectKey(
    subjectKey(trustedIssuer, (pin) => pins[pin] ?? ''),
  );
  const rules: RuleOutcome[] = [];
  for (const credential of found) {
    const outcome =
      credential.state === 'revoked' ? undefined : await outcomeOf(deps, credential, claims, now);
    if (outcome !== undefined) rules.push(outcome);
  }
  if (rules.length === 0) return refused(rules, 'assertion_no_rule', evidence);
  const met = rules.filter(({ notMet }) => notMet === undefined);
  if (met.length === 0)
    return refused(rules, 'assertion_condition_not_met', { ...evidence, rules: differences(rules) });
  const usable = met.filter(({ fault }) => fault === undefined);
  const [first] = usable;
  if (first === undefined) {
    const faults = met.map(({ credential, fault }) => ({ credential: credential.id, fault }));
    const told = { ...evidence, rules: faults.slice(0, MOST_TOLD) };
    return refused(rules, 'assertion_rule_not_usable', told, met[0]?.facts);
  }
  const owners = new Set(usable.map(({ facts }) => facts.identity.clientId));
  if (owners.size > 1) {
    return refused(rules, 'assertion_ambiguous', {
      ...evidence,
      identities: [...owners].slice(0, MOST_TOLD),
    });
  }
  return { rules, outcome: { ok: true, facts: first.facts, credential: first.credential } };
}

/** Rules that an event tells of; the dry run tells of all. */
const MOST_TOLD = 10;

function refused(
  rules: readonly RuleOutcome[],
  reason: Extract<RefusalReason, `assertion_${string}`>,
  evidence: Readonly<Record<string, unknown>>,
  proved?: IdentityFacts,
): RuleMatch {
  return { rules, outcome: { ok: false, reason, evidence, proved } };
}

async function outcomeOf(
  deps: MatchDeps,
  { id, identityId, material }: CredentialRecord,
  claims: ForeignAssertion['claims'],
  now: number,
): Promise<RuleOutcome | undefined> {
  if (material.type !== 'federated') return undefined;
  const identity = await deps.storage.identities.byId(identityId);
  const facts = identity === undefined ? undefined : await deps.facts.byClientId(identity.clientId);
  // As the rest of the request will see it.
  const credential = facts?.credentials.find((each) => each.id === id);
  if (facts === undefined || credential === undefined) return undefined;
  return {
    credential,
    facts,
    notMet: firstNotMet(material.conditions, claims),
    // What was approved to begin with its first proof begins with this one.
    fault: awaitsFirstProof(facts.identity, credential, now)
      ? undefined
      : standing(facts.identity, credential, now),
  };
}

function differences(rules: readonly RuleOutcome[]): readonly object[] {
  return rules.slice(0, MOST_TOLD).map(({ credential, facts, notMet }) => ({
    credential: credential.id,
    identity: facts.identity.clientId,
    claim: notMet?.claim ?? null,
    expected: notMet?.expected ?? null,
    actual: notMet?.actual ?? null,
  }));
}

/** A pinned claim that is not text names nobody. */
function textAt(claims: ForeignAssertion['claims'], claim: string): string | null {
  const value = claimAt(claims, claim);
  return typeof value === 'string' && value !== '' ? value.slice(0, 1000) : null;
}
