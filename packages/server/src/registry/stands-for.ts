// Which clients stand for a resource server, and in what: RFC 7662 §4, RFC 8693 §1.1; docs/decisions/0009-who-may-introspect.md, 0023-what-is-used.md.
import { parseResourceIndicator, type ScopeToken } from '@countersign/protocol';
import { effectiveAccess, limitOf } from './effective-access.ts';
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

/** Whether the client holds that scope at the resource server of one of these identifiers at `now` (epoch ms). */
export function standsFor(
  client: { readonly facts: IdentityFacts; readonly credential: CredentialRecord },
  audience: readonly string[],
  as: keyof typeof STANDING_SCOPES,
  now: number,
): boolean {
  const scopes = [STANDING_SCOPES[as]] as string[] as ScopeToken[];
  return audience.some((identifier) => {
    const resource = parseResourceIndicator(identifier);
    if (resource === undefined) return false;
    return effectiveAccess(client.facts, { resource, scopes }, now, limitOf(client.credential)).ok;
  });
}
