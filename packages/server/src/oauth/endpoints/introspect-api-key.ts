// Introspection of an API key (RFC 7662 §2.2): what a token for the asking API would hold if the key were exchanged now.
import { parseResourceIndicator } from '@countersign/protocol';
import { type ApiKeyFacts, resolveApiKey } from '../../registry/api-key.ts';
import { type EffectiveAccess, effectiveAccess } from '../../registry/effective-access.ts';
import type { SecretHash } from '../../registry/secret-hash.ts';
import type { CredentialInstances } from '../../registry/use/credential-instances.ts';
import type { CredentialUses } from '../../registry/use/credential-uses.ts';
import type { AuthenticateDeps } from '../client-auth/authenticate.ts';
import { Refusal } from '../refusal.ts';
import { type PolicyDeps, requirePolicy } from './require-policy.ts';

export interface IntrospectApiKeyDeps extends AuthenticateDeps, PolicyDeps {
  readonly secretHash: Pick<SecretHash, 'match'>;
  readonly issuer: string;
  readonly uses: CredentialUses;
  readonly instances?: Pick<CredentialInstances, 'saw'> | undefined;
}

/** Members of the answer beside `active`; `exp` is when the key, its identity or its access ends, epoch seconds. */
export interface ApiKeyClaims {
  readonly iss: string;
  readonly sub: string;
  readonly client_id: string;
  readonly aud: string;
  readonly scope: string;
  readonly exp: number;
  readonly crd: string;
  readonly acs: string;
}

/**
 * What an API is told at `now` (epoch ms) of a key that was sent to it. Undefined for whatever is no key, opens nothing
 * now, or opens nothing at an API that it stands for; and where it stands for several that the key opens, because
 * scopes of two APIs in one answer would be taken for each other's.
 */
export async function introspectApiKey(
  deps: IntrospectApiKeyDeps,
  standsFor: (identifier: string) => boolean,
  key: string,
  now: number,
): Promise<ApiKeyClaims | undefined> {
  const found = await resolveApiKey(deps, key, now);
  if (found === undefined || found.fault !== undefined) return undefined;
  const held = found.facts.access
    .map(({ resourceServer }) => resourceServer.identifier)
    .filter(standsFor)
    .flatMap((identifier) => wouldHold(deps, found, identifier, now) ?? []);
  const [only] = held;
  if (only === undefined || held.length > 1) return undefined;
  // A key that APIs ask about is used, though no token is ever issued on it: who has only that is not inactive.
  deps.uses.issued(found.credential.id, now);
  // The API asks, and not the caller: which copy that is, and from where it comes, is not seen here.
  deps.instances?.saw(found.credential, undefined, '', now);
  return claimsOf(deps.issuer, found, only);
}

/** As the token endpoint would decide (token.ts); an API that wants bound tokens takes no key. */
function wouldHold(
  deps: IntrospectApiKeyDeps,
  { facts, credential, limit }: ApiKeyFacts,
  identifier: string,
  now: number,
): EffectiveAccess | undefined {
  const resource = parseResourceIndicator(identifier);
  const result = effectiveAccess(facts, { resource, scopes: undefined }, now, limit);
  if (!result.ok || result.resourceServer.senderConstraint !== 'none') return undefined;
  try {
    // From where the caller comes is not seen here either.
    const how = { source: undefined, confirmation: undefined };
    requirePolicy(deps, { facts, credential, method: 'api_key' }, result, how, now);
    return result;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function claimsOf(
  iss: string,
  { facts: { identity }, credential }: ApiKeyFacts,
  { access, resourceServer, scopes }: EffectiveAccess,
): ApiKeyClaims {
  const endsAt = Math.min(credential.expiresAt, identity.expiresAt, access.expiresAt);
  return {
    iss,
    sub: identity.clientId,
    client_id: identity.clientId,
    aud: resourceServer.identifier,
    scope: scopes.join(' '),
    exp: Math.floor(endsAt / 1000),
    crd: credential.id,
    acs: access.id,
  };
}
