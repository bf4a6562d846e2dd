// Whether a token is still good: RFC 7662 §2.2 ("active"), RFC 7009 §2.
import { isCutOff } from '@countersign/protocol';
import type { CutoffLedger } from '../../cutoff/ledger.ts';
import { standing } from '../../registry/effective-access.ts';
import type { FactsReader } from '../../registry/facts.ts';
import { partiesOf, subjectAccess } from './delegation.ts';
import type { OwnToken } from './own-token.ts';

export interface TokenStateDeps {
  readonly facts: FactsReader;
  readonly ledger: Pick<CutoffLedger, 'current'>;
}

/**
 * The scopes that a token still opens at `now` (epoch ms), none when it is dead: expired, cut off, or its identity,
 * credential or access is no longer what it was issued on. The very array of its claims while nothing was taken away.
 */
export async function liveScopes(
  deps: TokenStateDeps,
  { claims, kid }: OwnToken,
  now: number,
): Promise<readonly string[]> {
  if (claims.exp * 1000 <= now) return NONE;
  const { index } = await deps.ledger.current();
  if (isCutOff(index, claims, kid)) return NONE;
  const reading = deps.facts.byClientId(claims.client_id);
  const facts = reading instanceof Promise ? await reading : reading;
  const credential = facts?.credentials.find((each) => each.id === claims.crd);
  if (facts === undefined || credential === undefined) return NONE;
  if (standing(facts.identity, credential, now) !== undefined) return NONE;
  const held = facts.access.find((each) => each.access.id === claims.acs);
  if (held === undefined || held.access.state !== 'active' || held.access.expiresAt <= now) return NONE;
  const { access, resourceServer } = held;
  if (resourceServer.state !== 'active' || !claims.aud.includes(resourceServer.identifier)) return NONE;
  const opens = (scope: string): boolean =>
    access.scopes.includes(scope) && resourceServer.scopes.some((defined) => defined.name === scope);
  const open = claims.scope.every(opens) ? claims.scope : claims.scope.filter(opens);
  if (claims.sub === claims.client_id && claims.act === undefined && claims.via === undefined) return open;
  return ofSubject(deps, claims, resourceServer.identifier, open, now);
}

/** RFC 8693 §4.1: a token in the name of another opens what both may have. */
async function ofSubject(
  deps: TokenStateDeps,
  claims: OwnToken['claims'],
  resource: string,
  open: readonly string[],
  now: number,
): Promise<readonly string[]> {
  const parties = partiesOf(claims);
  if (parties === undefined) return NONE;
  const subject = await subjectAccess(deps, parties, { resource, scopes: open }, now);
  if (subject?.held.ok !== true) return NONE;
  const { held } = subject;
  return held.scopes.length === claims.scope.length ? claims.scope : held.scopes;
}

const NONE: readonly string[] = [];
