import { parseSecret } from '@countersign/protocol';
import { newId } from '../ids.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Stores } from '../storage/storage.ts';
import { narrowEnd, type Tell } from './change-rules.ts';
import { type CredentialDeps, latestEnd, requireOpen, requireRoom, secretFrom } from './credential.ts';
import { type CredentialLimit, limitOf, type StandingFault, standing } from './effective-access.ts';
import type { IdentityFacts, KeyFactsReader } from './facts.ts';
import { RegistryRefusal } from './refusal.ts';
import type { SecretHash } from './secret-hash.ts';
import { credentialView } from './views.ts';

export interface NewApiKey {
  /** To tell credentials apart; made from the public id when undefined. */
  readonly label: string | undefined;
  /** Narrowed to what is allowed, which is also the default. */
  readonly expiresAt: number | undefined;
  /** The only API it opens; undefined: every one that the identity has access to. */
  readonly resourceServer: ResourceServerRecord | undefined;
  /** All it opens at most, of what the identity has; undefined: no limit. */
  readonly scopes: readonly string[] | undefined;
  /** One that exists already and that the caller has checked to be well-formed; made when undefined. */
  readonly secret?: string | undefined;
}

/** The key is in the result and nowhere else: what is stored is its digest. */
export async function createApiKey(
  deps: CredentialDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewApiKey,
): Promise<{ readonly record: CredentialRecord; readonly secret: string }> {
  const now = deps.clock.now();
  requireOpen(identity);
  requireDefined(asked);
  await requireRoom(stores, identity);
  const { secret, publicId } = secretFrom(deps, 'cak', asked.secret);
  const latest = latestEnd(deps, identity, 'api_key', now);
  const { resourceServer, scopes } = asked;
  const record: CredentialRecord = {
    id: newId('crd', deps.random),
    identityId: identity.id,
    label: asked.label ?? `api_key ${publicId}`,
    state: 'active',
    material: {
      type: 'api_key',
      publicId,
      digest: deps.digest(secret),
      ...(resourceServer === undefined ? {} : { resourceServerId: resourceServer.id }),
      ...(scopes === undefined ? {} : { scopes }),
    },
    notBeforeAt: now,
    expiresAt: narrowEnd(now, asked.expiresAt ?? latest, latest),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.credentials.insert(record);
  tell({ type: 'credential.created', resource: record.id, after: credentialView(record, identity.clientId) });
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
