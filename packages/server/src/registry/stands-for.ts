// Which clients stand for a resource server, and in what: RFC 7662 §4, RFC 8693 §1.1; docs/decisions/0009-who-may-introspect.md, 0023-what-is-used.md.
import { parseResourceIndicator, type ScopeToken } from '@countersign/protocol';
import { type UnmetCondition, unmetCondition } from '../policy/access-conditions.ts';
import { type EffectiveAccess, effectiveAccess, limitOf } from './effective-access.ts';
import type { IdentityFacts } from './facts.ts';
import type { CredentialRecord } from '../storage/credentials.ts';

/** Scopes that a resource server defines so that identities can stand for it. */
export const STANDING_SCOPES = {
  /** May ask about the tokens for it. */
  introspect: 'tokens:introspect',
  /** May exchange the tokens for it, and then acts for their subjects. */
  exchange: 'tokens:exchange',
  /** May tell what of it is used. */
  report: 'usage:write',
  /** May have the keys from which the keys of its clients are derived (RFC 9202 §3.3.1). */
  derive: 'tokens:derive',
} as const;

export type StandingAs = keyof typeof STANDING_SCOPES;

export interface StandingClient {
  readonly facts: IdentityFacts;
  readonly credential: CredentialRecord;
}

/** How a client calls in whose place nothing is issued: the conditions of its access are held against this call. */
export interface StandingCall {
  /** Address of the caller, as far as the server trusts it. */
  readonly source: string | undefined;
  /** By which proof of possession, where it shows one. */
  readonly boundTo: 'dpop' | 'mtls' | undefined;
  /** Epoch ms. */
  readonly now: number;
}

/** Whether the client stands so for one of these resource servers, by an access whose conditions hold for its call. */
export function standsFor(
  client: StandingClient,
  audience: readonly string[],
  as: StandingAs,
  call: StandingCall,
): boolean {
  return standingAt(client, audience, as, call.now).some(
    ({ access }) => unmetCondition(access.conditions, call) === undefined,
  );
}

/** Where a client stands for none of them: the access by which it would, and which of its conditions does not hold. */
export function unmetStanding(
  client: StandingClient,
  audience: readonly string[],
  as: StandingAs,
  call: StandingCall,
): { readonly held: EffectiveAccess; readonly reason: UnmetCondition } | undefined {
  const [held] = standingAt(client, audience, as, call.now);
  const reason = held && unmetCondition(held.access.conditions, call);
  return reason === undefined || held === undefined ? undefined : { held, reason };
}

/** What the client holds at these resource servers with which it stands for them, whatever the conditions: ask for those, too. */
export function standingAt(
  client: StandingClient,
  audience: readonly string[],
  as: StandingAs,
  now: number,
): readonly EffectiveAccess[] {
  const scopes = [STANDING_SCOPES[as]] as string[] as ScopeToken[];
  return audience.flatMap((identifier) => {
    const resource = parseResourceIndicator(identifier);
    if (resource === undefined) return [];
    const held = effectiveAccess(client.facts, { resource, scopes }, now, limitOf(client.credential));
    return held.ok ? [held] : [];
  });
}
