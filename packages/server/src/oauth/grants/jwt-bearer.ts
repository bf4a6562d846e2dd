// JWT bearer grant: RFC 7523 §2.1, RFC 7521 §4.1. The assertion of a trusted issuer says who asks.
import { type Form, JWT_BEARER } from '@countersign/protocol';
import { standing } from '../../registry/effective-access.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import type { FirstProof } from '../../registry/first-proof.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import { markedUntil, type UsedOnceStore } from '../../storage/used-once.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import {
  type ForeignAssertion,
  type ForeignAssertionDeps,
  readForeignAssertion,
} from '../federation/foreign-assertion.ts';
import { type MatchDeps, matchRules, type RuleOutcome } from '../federation/match-rules.ts';
import { vouchedFor } from '../federation/vouched-for.ts';
import { Refusal } from '../refusal.ts';
import { NotStanding } from '../tokens/not-standing.ts';
import { readAccessAsked } from './access-asked.ts';
import type { Grant } from './grant.ts';

export interface JwtBearerDeps extends ForeignAssertionDeps, MatchDeps {
  readonly usedOnce: Pick<UsedOnceStore, 'claim'>;
  /** As for who proves itself in another way: client-auth/authenticate.ts. */
  readonly firstProof?: FirstProof | undefined;
}

export function jwtBearer(deps: JwtBearerDeps): Grant {
  async function identify(form: Form, now: number): Promise<AuthenticatedClient> {
    const text = form.get('assertion');
    if (text === undefined) throw new Refusal('assertion_missing');
    const { facts, credential, recheck } = await identifyByAssertion(deps, text, form, now);
    return { facts, credential, method: JWT_BEARER, recheck };
  }

  return {
    type: JWT_BEARER,
    identify: (_request, form, now) => identify(form, now),

    async authorize(form, client, now) {
      // RFC 7521 §4.1: a client may prove itself beside the assertion; two who are one get no more than either.
      if (client.method !== JWT_BEARER) {
        const { facts } = await identify(form, now);
        if (facts.identity.id !== client.facts.identity.id) {
          throw new Refusal('assertion_of_another_client', undefined, { identity: facts.identity.clientId });
        }
      }
      return readAccessAsked(form);
    },
  };
}

/** Whose an assertion is, and until when at most (epoch seconds) it speaks for it. */
export interface IdentifiedByAssertion extends Pick<AuthenticatedClient, 'facts' | 'credential'> {
  readonly endsAt: number;
  /** Throws `Refusal` when its issuer is not trusted any more, or no longer with that key. */
  readonly recheck: () => Promise<undefined>;
}

/** Reads an assertion and uses it up, where its issuer's are for one use. Throws `Refusal` of the kind `assertion_…`. */
export async function identifyByAssertion(
  deps: JwtBearerDeps,
  text: string,
  form: Form,
  now: number,
): Promise<IdentifiedByAssertion> {
  const assertion = await readForeignAssertion(deps, text, now);
  const found = await vouchedFor(assertion.trustedIssuer, assertion.claims, () =>
    identifyByRule(deps, assertion, form, now),
  );
  return {
    ...found,
    async recheck() {
      const { issuer, version } = assertion.trustedIssuer;
      const present = await deps.trustedIssuers.byIssuer(issuer);
      if (present?.version !== version) await readForeignAssertion(deps, text, now);
      return undefined;
    },
  };
}

async function identifyByRule(
  deps: JwtBearerDeps,
  assertion: ForeignAssertion,
  form: Form,
  now: number,
): Promise<Omit<IdentifiedByAssertion, 'recheck'>> {
  const { outcome } = await matchRules(deps, assertion, now);
  if (!outcome.ok) {
    const { reason, evidence, proved } = outcome;
    throw proved === undefined
      ? new Refusal(reason, undefined, evidence)
      : new NotStanding(reason, proved, evidence);
  }
  const { credential } = outcome;
  let { facts } = outcome;
  const named = form.get('client_id');
  // RFC 7521 §4.1: optional, and then the same.
  if (named !== undefined && named !== facts.identity.clientId) {
    throw new Refusal('assertion_of_another_client', undefined, { identity: facts.identity.clientId });
  }
  await requireFirstUse(deps, assertion, facts.identity.clientId);
  if (facts.identity.state === 'approved') facts = await begun(deps, facts, credential, now);
  return { facts, credential, endsAt: Math.min(assertion.endsAt, Number(assertion.claims['exp'])) };
}

/** What was approved to begin with its first proof is put to work. */
async function begun(
  deps: JwtBearerDeps,
  { identity: { clientId } }: IdentityFacts,
  { id }: CredentialRecord,
  now: number,
): Promise<IdentityFacts> {
  await deps.firstProof?.(clientId, id);
  const facts = await deps.facts.byClientId(clientId);
  const credential = facts?.credentials.find((each) => each.id === id);
  if (facts === undefined || credential === undefined) throw new Refusal('client_unknown');
  const fault = standing(facts.identity, credential, now);
  if (fault !== undefined) throw new NotStanding(fault, facts);
  return facts;
}

/** RFC 7523 §3, 7: once on every node, for as long as it would be taken. An unreachable store rejects. */
async function requireFirstUse(
  deps: JwtBearerDeps,
  assertion: ForeignAssertion,
  holder: string,
): Promise<void> {
  const { trustedIssuer, replayId, endsAt } = assertion;
  if (!trustedIssuer.singleUse) return;
  if (await deps.usedOnce.claim('jwt-bearer', replayId, markedUntil(endsAt + 1), holder)) return;
  throw new Refusal('assertion_replayed', undefined, { trusted_issuer: trustedIssuer.id });
}

/** What this grant would make of an assertion, for an operator who asks: nothing is used up. */
export interface AssertionTest {
  readonly reason: string | undefined;
  readonly trustedIssuer: string | undefined;
  readonly clientId: string | undefined;
  readonly rules: readonly {
    readonly credential: string;
    readonly clientId: string;
    readonly notMet: RuleOutcome['notMet'];
  }[];
}

export async function testAssertion(
  deps: ForeignAssertionDeps & MatchDeps,
  text: string,
  now: number,
): Promise<AssertionTest> {
  const none = { trustedIssuer: undefined, clientId: undefined, rules: [] };
  let assertion: ForeignAssertion;
  try {
    assertion = await readForeignAssertion(deps, text, now);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...none, reason: error.reason };
  }
  const { rules, outcome } = await matchRules(deps, assertion, now);
  return {
    reason: outcome.ok ? undefined : outcome.reason,
    trustedIssuer: assertion.trustedIssuer.id,
    clientId: outcome.ok ? outcome.facts.identity.clientId : undefined,
    rules: rules.map(({ credential, facts, notMet }) => ({
      credential: credential.id,
      clientId: facts.identity.clientId,
      notMet,
    })),
  };
}
