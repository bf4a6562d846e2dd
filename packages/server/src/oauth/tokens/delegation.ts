// What a token that acts for another still opens: RFC 8693 §1.1, §4.1; docs/decisions/0016-what-may-be-exchanged.md.
import {
  type AccessTokenClaims,
  type ExchangedToken,
  parseResourceIndicator,
  type ScopeToken,
} from '@countersign/protocol';
import {
  effectiveAccess,
  type EffectiveAccessResult,
  limitOf,
  standing,
} from '../../registry/effective-access.ts';
import type { FactsReader } from '../../registry/facts.ts';
import type { HeldBySubject } from './authorization.ts';

/** Somebody a token was issued to before it was exchanged, with that token. */
export interface Party {
  readonly clientId: string;
  readonly token: ExchangedToken;
}

/** All whom a token comes from, the latest first and its subject last; empty for one that was not exchanged. */
export function partiesOf({ sub, act, via = [] }: AccessTokenClaims): readonly Party[] | undefined {
  const names: string[] = [];
  for (let actor = act?.act; actor !== undefined; actor = actor.act) names.push(actor.sub);
  if (act !== undefined) names.push(sub);
  // Each exchange adds one actor and one token. What does not add up was not made by one of ours.
  if (names.length !== via.length) return undefined;
  return via.map((token, i) => ({ clientId: names[i] as string, token }));
}

/** The subject, with what it may have of what was asked. */
export interface SubjectAccess extends Omit<HeldBySubject, 'held'> {
  readonly held: EffectiveAccessResult;
}

/**
 * What the subject, the last of `parties`, may have of `asked` itself at `now` (epoch ms), or undefined when one of them, or
 * the credential its token was issued on, may not act any more, or has nothing left of what that token opened: nobody
 * acts for somebody who could not.
 */
export async function subjectAccess(
  { facts: reader }: { readonly facts: FactsReader },
  parties: readonly Party[],
  asked: { readonly resource: string; readonly scopes: readonly string[] },
  now: number,
): Promise<SubjectAccess | undefined> {
  let subject: SubjectAccess | undefined;
  for (const { clientId, token } of parties) {
    const facts = await reader.byClientId(clientId);
    const credential = facts?.credentials.find((each) => each.id === token.crd);
    if (facts === undefined || credential === undefined) return undefined;
    if (standing(facts.identity, credential, now) !== undefined) return undefined;
    const may = (at: string, scopes: readonly string[]): EffectiveAccessResult =>
      effectiveAccess(
        facts,
        { resource: parseResourceIndicator(at), scopes: scopes as readonly ScopeToken[] },
        now,
        limitOf(credential),
      );
    if (!may(token.aud, token.scope.split(' ')).ok) return undefined;
    subject = { facts, credential, held: may(asked.resource, asked.scopes) };
  }
  return subject;
}
