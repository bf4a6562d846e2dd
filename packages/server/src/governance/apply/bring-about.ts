import { changeAccess, createAccess } from '../../registry/access.ts';
import type { Actor } from '../../audit/change.ts';
import { narrowEnd, type Tell } from '../../registry/change-rules.ts';
import {
  type CredentialDeps,
  changeCredential,
  createClientSecret,
  revokeCredential,
} from '../../registry/credential.ts';
import { changeIdentity, createIdentity, hasEnded } from '../../registry/identity.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';
import { type Ceiling, requireMayActAs, requireWithin } from '../../registry/own-access.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import {
  changeResourceServer,
  createResourceServer,
  type ResourceServerDeps,
} from '../../registry/resource-server.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { Stores } from '../../storage/storage.ts';
import {
  type Declared,
  type DeclaredAccess,
  type DeclaredCredential,
  type DeclaredIdentity,
  type DeclaredResourceServer,
  endAt,
  fixedEnd,
} from './declared.ts';

/** One application of documents: what every object of it shares. */
export interface Application {
  readonly deps: CredentialDeps & ResourceServerDeps;
  readonly actor: Actor;
  readonly ceiling: Ceiling;
  /** One instant for all, so that equal spans give equal ends. */
  readonly now: number;
}

/** A secret that was made, to be shown once. */
export interface MadeSecret {
  readonly name: string;
  /** As the document names it. */
  readonly identity: string;
  readonly secret: string;
}

/** Makes one object as declared, in the caller's transaction: created, changed, or left alone when it is so already. */
export async function bringAbout(
  application: Application,
  stores: Stores,
  tell: Tell,
  object: Declared,
): Promise<MadeSecret | undefined> {
  switch (object.kind) {
    case 'ResourceServer':
      await bringResourceServer(application, stores, tell, object);
      return undefined;
    case 'Identity':
      await bringIdentity(application, stores, tell, object);
      return undefined;
    case 'Credential':
      return await bringCredential(application, stores, tell, object);
    case 'Access':
      await bringAccess(application, stores, tell, object);
      return undefined;
  }
}

async function bringResourceServer(
  { deps }: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredResourceServer,
): Promise<void> {
  const { identifier, title: name, scopes, token, senderConstraint } = declared;
  const record = await stores.resourceServers.byIdentifier(identifier);
  if (record === undefined) {
    await createResourceServer(deps, stores, tell, { identifier, name, scopes, token, senderConstraint });
  } else await changeResourceServer(deps, stores, tell, record, { name, scopes, token, senderConstraint });
}

async function bringIdentity(
  { deps, actor, now }: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredIdentity,
): Promise<void> {
  const { title: name, environment, purpose, owner, sensitivity, cadence } = declared;
  const members = { name, environment, purpose, owner, sensitivity, cadence };
  const record = await stores.identities.byClientId(declared.clientId);
  if (record === undefined) {
    const made = await createIdentity(deps, stores, tell, {
      ...members,
      kind: declared.identityKind,
      clientId: declared.clientId,
      state: declared.state === 'draft' ? 'draft' : 'active',
      expiresAt: endAt(declared.end, now),
    });
    if (declared.state === 'suspended') {
      const moving = { move: 'suspend', reason: 'declared as suspended', actor } as const;
      await moveIdentity(deps, stores, tell, made, moving);
    }
    return;
  }
  if (hasEnded(record) || record.state === 'decommissioning') {
    throw new RegistryRefusal(
      'illegal_transition',
      `it is ${record.state}, and its client_id is never given out again`,
    );
  }
  if (record.kind !== declared.identityKind) {
    throw new RegistryRefusal('illegal_transition', `it is of kind ${record.kind}, which does not change`, {
      pointer: '/kind',
    });
  }
  await changeIdentity(deps, stores, tell, record, { ...members, expiresAt: fixedEnd(declared.end) });
}

async function bringCredential(
  { deps, ceiling, now }: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredCredential,
): Promise<MadeSecret | undefined> {
  const identity = await identityOf(stores, declared.identity);
  const record = await liveSecret(stores, identity, declared.name, now);
  const unchanged = declared.secret === undefined || isSecretOf(deps, record, declared.secret);
  if (record !== undefined && unchanged) {
    const expiresAt = fixedEnd(declared.end);
    if (expiresAt !== undefined && expiresAt !== record.expiresAt) {
      await requireMayActAs(ceiling, stores, identity.id);
    }
    await changeCredential(deps, stores, tell, identity, record, { expiresAt });
    return undefined;
  }
  await requireMayActAs(ceiling, stores, identity.id);
  const { secret } = await createClientSecret(deps, stores, tell, identity, {
    label: declared.name,
    expiresAt: declared.end && endAt(declared.end, now),
    secret: declared.secret,
  });
  // Another secret is declared under the same label: it takes the place of the one before.
  if (record !== undefined) await revokeCredential(deps, stores, tell, identity, record);
  return declared.secret === undefined
    ? { name: declared.name, identity: declared.identity, secret }
    : undefined;
}

/** Whether this label of this identity (its id or client_id) has a secret already. Changes nothing. */
export async function hasLiveSecret(
  stores: Pick<Stores, 'identities' | 'credentials'>,
  identity: string,
  label: string,
  now: number,
): Promise<boolean> {
  const record = (await stores.identities.byId(identity)) ?? (await stores.identities.byClientId(identity));
  return record !== undefined && (await liveSecret(stores, record, label, now)) !== undefined;
}

async function liveSecret(
  stores: Pick<Stores, 'credentials'>,
  identity: IdentityRecord,
  label: string,
  now: number,
): Promise<CredentialRecord | undefined> {
  for (const state of ['active', 'suspended'] as const) {
    const filter = { identityId: identity.id, type: 'client_secret', state } as const;
    const { items } = await stores.credentials.list(filter, { limit: 1000 });
    const found = items.findLast((each) => each.label === label && each.expiresAt > now);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isSecretOf(deps: CredentialDeps, record: CredentialRecord | undefined, secret: string): boolean {
  return record?.material.type === 'client_secret' && record.material.digest === deps.digest(secret);
}

async function bringAccess(
  { deps, actor, ceiling, now }: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredAccess,
): Promise<void> {
  const identity = await identityOf(stores, declared.identity);
  const resourceServer = await resourceServerOf(stores, declared.resourceServer);
  if (resourceServer.builtIn) requireWithin(ceiling, declared.scopes);
  const ends = { identity, resourceServer };
  const filter = { identityId: identity.id, resourceServerId: resourceServer.id, state: 'active' } as const;
  const record = (await stores.access.list(filter, { limit: 1 })).items[0];
  const { justification, tokenLifetime } = declared;
  if (record === undefined) {
    const wished = endAt(declared.end, now);
    await createAccess(deps, stores, tell, ends, {
      scopes: declared.scopes,
      justification,
      tokenLifetime,
      expiresAt: 'at' in declared.end ? wished : narrowEnd(now, wished, identity.expiresAt),
      requestedBy: actor.identity,
    });
    return;
  }
  await changeAccess(deps, stores, tell, ends, record, {
    // In another order they are the same scopes.
    scopes: sameMembers(declared.scopes, record.scopes) ? record.scopes : declared.scopes,
    justification,
    tokenLifetime: tokenLifetime ?? null,
    expiresAt: fixedEnd(declared.end),
  });
}

function sameMembers(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((each) => right.includes(each));
}

async function identityOf(stores: Stores, ref: string): Promise<IdentityRecord> {
  const record = (await stores.identities.byId(ref)) ?? (await stores.identities.byClientId(ref));
  if (record !== undefined) return record;
  throw new RegistryRefusal('unknown_reference', `there is no identity ${ref}`, { pointer: '/identity' });
}

async function resourceServerOf(stores: Stores, ref: string): Promise<ResourceServerRecord> {
  const byIdentifier = await stores.resourceServers.byIdentifier(ref);
  if (byIdentifier !== undefined) return byIdentifier;
  const byId = await stores.resourceServers.byId(ref);
  if (byId?.state === 'active') return byId;
  throw new RegistryRefusal('unknown_reference', `there is no resource server ${ref}`, {
    pointer: '/resource_server',
  });
}
