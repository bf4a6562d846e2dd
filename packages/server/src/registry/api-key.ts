import { parseSecret } from '@countersign/protocol';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Tell } from './change-rules.ts';
import { type NewSecret, type SecretDeps, secretFrom } from './client-secret.ts';
import { type CredentialLimit, limitOf, type StandingFault, standing } from './effective-access.ts';
import type { IdentityFacts, KeyFactsReader } from './facts.ts';
import { addCredential } from './new-credential.ts';
import type { PolicyStores } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';
import type { SecretHash } from './secret-hash.ts';

export interface NewApiKey extends NewSecret {
  /** The only API it opens; undefined: every one that the identity has access to. */
  readonly resourceServer: ResourceServerRecord | undefined;
  /** All it opens at most, of what the identity has; undefined: no limit. */
  readonly scopes: readonly string[] | undefined;
}

/** The key is in the result and nowhere else: what is stored is its digest. */
export async function createApiKey(
  deps: SecretDeps,
  stores: PolicyStores,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewApiKey,
): Promise<{ readonly record: CredentialRecord; readonly secret: string }> {
  requireDefined(asked);
  const { secret, publicId } = secretFrom(deps, 'cak', asked.secret);
  const { resourceServer, scopes } = asked;
  const record = await addCredential(deps, stores, tell, identity, asked, {
    material: {
      type: 'api_key',
      publicId,
      digest: deps.digest(secret),
      ...(resourceServer === undefined ? {} : { resourceServerId: resourceServer.id }),
      ...(scopes === undefined ? {} : { scopes }),
    },
    name: publicId,
  });
  return { record, secret };
}

function requireDefined({ resourceServer, scopes }: NewApiKey): void {
  if (resourceServer === undefined || scopes === undefined) return;
  const unknown = scopes.find((scope) => !resourceServer.scopes.some((defined) => defined.name === scope));
  if (unknown === undefined) return;
  throw new RegistryRefusal('unknown_scope', `${resourceServer.identifier} has no scope ${unknown}`, {
    pointer: '/scopes',
  });
}

/** What an API key stands for: whose it is, what it opens at most, and why it opens nothing now. */
export interface ApiKeyFacts {
  readonly facts: IdentityFacts;
  readonly credential: CredentialRecord;
  readonly limit: CredentialLimit | undefined;
  /** Undefined: identity and key may act now. */
  readonly fault: StandingFault | undefined;
}

/**
 * Reads a key as it was sent, for `now` (epoch ms). Undefined for whatever is no key of ours, all of it alike; a malformed
 * one is not looked up. The caller decides what a stranger is told of `fault`: nothing.
 */
export async function resolveApiKey(
  deps: { readonly facts: Pick<KeyFactsReader, 'byKeyId'>; readonly secretHash: Pick<SecretHash, 'match'> },
  key: string,
  now: number,
): Promise<ApiKeyFacts | undefined> {
  const parsed = parseSecret(key);
  if (parsed?.kind !== 'cak') return undefined;
  const facts = await deps.facts.byKeyId(parsed.publicId);
  const credential = deps.secretHash.match(key, facts?.credentials ?? [], 'api_key');
  if (facts === undefined || credential === undefined) return undefined;
  return { facts, credential, limit: limitOf(credential), fault: standing(facts.identity, credential, now) };
}
