// Whether a token may still leave when it is signed: the access of RFC 6749 §3.3, asked for a second time.
import {
  type AccessAsked,
  type EffectiveAccess,
  effectiveAccess,
  limitOf,
  standing,
} from '../../registry/effective-access.ts';
import type { AuthenticateDeps } from '../client-auth/authenticate.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import { type AskedHow, type PolicyDeps, requirePolicy } from './require-policy.ts';
import { NotStanding } from '../tokens/not-standing.ts';

/** How a token was asked for, and for how many seconds it was made. */
export interface Rechecked {
  readonly how: AskedHow;
  readonly lifetime: number;
}

/**
 * Signing waited for a turn of the event loop, and somebody may have been suspended in it: nothing that was decided on
 * facts which are no longer true is issued. In the usual case the very same facts are there, at no cost.
 */
export function recheck(
  deps: Pick<AuthenticateDeps, 'facts'> & PolicyDeps,
  client: AuthenticatedClient,
  held: EffectiveAccess,
  asked: Rechecked,
  now: number,
): Promise<void> | undefined {
  const current = deps.facts.byClientId(client.facts.identity.clientId);
  return current === client.facts ? undefined : requireStillHeld(deps, current, client, held, asked, now);
}

async function requireStillHeld(
  deps: PolicyDeps,
  current: ReturnType<AuthenticateDeps['facts']['byClientId']>,
  client: AuthenticatedClient,
  held: EffectiveAccess,
  { how, lifetime }: Rechecked,
  now: number,
): Promise<void> {
  const facts = await current;
  const credential = facts?.credentials.find((each) => each.id === client.credential.id);
  if (facts === undefined || credential === undefined) throw new Refusal('client_unknown');
  const fault = standing(facts.identity, credential, now);
  if (fault !== undefined) throw new NotStanding(fault, facts);
  const again = effectiveAccess(facts, sameAgain(held), now, limitOf(credential));
  if (!again.ok) throw new Refusal(again.fault);
  if (again.access.id !== held.access.id || again.scopes.length < held.scopes.length) {
    throw new Refusal('access_missing');
  }
  requireNoShorter(requirePolicy(deps, { ...client, facts, credential }, again, how, now), lifetime);
}

/** What was signed may live longer than what is allowed by now: asking again gives a shorter one. */
export function requireNoShorter(allowed: number, lifetime: number): void {
  if (allowed < lifetime) throw new Refusal('policy_enforced', undefined, SHORTENED);
}

const SHORTENED = {
  policy: '(any)',
  rule: 'lifetime',
  why: 'what limits its lifetime changed while the token was made; the next one is shorter',
};

function sameAgain({ resourceServer, scopes }: EffectiveAccess): AccessAsked {
  return { resource: resourceServer.identifier, scopes } as AccessAsked;
}
