import { ADMIN_SCOPE_NAMES, ADMIN_SCOPES } from '@countersign/admin-api';
import type { Actor, Changes } from '../../audit/change.ts';
import { type AccessEnds, createAccess } from '../../registry/access.ts';
import type { ApprovalDeps } from '../../registry/approval/request.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { createClientSecret, type SecretDeps } from '../../registry/client-secret.ts';
import { revokeCredential } from '../../registry/credential.ts';
import { createIdentity } from '../../registry/identity.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { createResourceServer, type NewResourceServer } from '../../registry/resource-server.ts';
import { accessView, identityView, resourceServerView } from '../../registry/views.ts';
import type { AccessRecord } from '../../storage/access.ts';
import { StorageError } from '../../storage/errors.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ResourceServerRecord, ScopeDefinition } from '../../storage/resource-servers.ts';
import type { Stores } from '../../storage/storage.ts';

export interface AdminIdentityDeps extends SecretDeps, ApprovalDeps {
  readonly changes: Changes;
  /** Identifier of the admin API: `${issuer}/v1`. */
  readonly resource: string;
}

export interface AdminAccount {
  readonly clientId: string;
  /** Only when this call made it: it is shown nowhere else. */
  readonly secret: string | undefined;
}

/** Who acts when nobody asked: the first start, the host's own admin. */
export const AUTHORITY: Actor = { identity: 'countersign' };

const CLIENT_ID = 'admin';
const IDENTITY_SETTING = 'built_in_identity';
/** `yes`: the start that made the admin failed before it could tell the secret. */
const UNTOLD_SETTING = 'built_in_secret_untold';
const FIRST_START = 'first start';
const RESOURCE_SERVER_SETTING = 'built_in_resource_server';
const SCOPES: readonly ScopeDefinition[] = ADMIN_SCOPE_NAMES.map((name) => ({ name, ...ADMIN_SCOPES[name] }));
/** Ten years, and nothing of the authority is an exception to "everything expires". */
const LIFE_MS = 3652 * 86_400_000;

/**
 * On an empty database: the admin API as a resource server, the identity `admin`, its secret, its access to every scope.
 * Later: brings identifier and scopes to what this version and this issuer say, and gives the admin the scopes that are
 * new; what people have taken from it since stays taken. Safe on every start, on every node.
 */
export async function ensureAdmin(deps: AdminIdentityDeps): Promise<AdminAccount> {
  try {
    return await ensure(deps);
  } catch (error) {
    // Another node began at the same moment and was faster: what it made is there now.
    if (!isTaken(error)) throw error;
    return await ensure(deps);
  }
}

async function ensure(deps: AdminIdentityDeps): Promise<AdminAccount> {
  return await deps.changes.run(AUTHORITY, async (stores, tell) => {
    const known = await builtIn(stores);
    if (known === undefined) return { clientId: CLIENT_ID, secret: await begin(deps, stores, tell) };
    const { identity, resourceServer } = known;
    const renewed = await renewResourceServer(deps, stores, tell, resourceServer);
    const defined = new Set(resourceServer.scopes.map((scope) => scope.name));
    const added = ADMIN_SCOPE_NAMES.filter((name) => !defined.has(name));
    const access = await accessOf(stores, identity, renewed);
    if (access !== undefined && added.length > 0) {
      const scopes = [...new Set([...access.scopes, ...added])];
      await replaceAccess(deps, stores, tell, { identity, resourceServer: renewed }, access, {
        ...access,
        scopes,
      });
    }
    return { clientId: identity.clientId, secret: await secretInPlaceOfUntold(deps, stores, tell, identity) };
  });
}

export async function markAdminUntold({ settings }: Pick<Stores, 'settings'>): Promise<void> {
  await settings.set(UNTOLD_SETTING, 'yes');
}

/** Whoever starts next would have an authority that nobody can administer: they are told another one. */
async function secretInPlaceOfUntold(
  deps: AdminIdentityDeps,
  stores: Stores,
  tell: Tell,
  identity: IdentityRecord,
): Promise<string | undefined> {
  if ((await stores.settings.get(UNTOLD_SETTING)) !== 'yes') return undefined;
  await stores.settings.set(UNTOLD_SETTING, 'no');
  for (const credential of await stores.credentials.ofIdentity(identity.id)) {
    if (credential.label === FIRST_START) await revokeCredential(deps, stores, tell, identity, credential);
  }
  const made = { label: FIRST_START, expiresAt: undefined };
  return (await createClientSecret(deps, stores, tell, identity, made)).secret;
}

function isTaken(error: unknown): boolean {
  if (error instanceof RegistryRefusal) return error.reason === 'already_exists';
  return error instanceof StorageError && error.fault !== 'unavailable';
}

/**
 * For the host's own hands when the admin is locked out: a new secret, the old ones revoked, the identity active, its
 * access whole and its end far again.
 */
export async function resetAdmin(deps: AdminIdentityDeps): Promise<AdminAccount> {
  return await deps.changes.run(AUTHORITY, async (stores, tell) => {
    const known = await builtIn(stores);
    if (known === undefined) return { clientId: CLIENT_ID, secret: await begin(deps, stores, tell) };
    const identity = await revive(deps, stores, tell, known.identity);
    await stores.settings.set(UNTOLD_SETTING, 'no');
    for (const credential of await stores.credentials.ofIdentity(identity.id)) {
      await revokeCredential(deps, stores, tell, identity, credential);
    }
    const { secret } = await createClientSecret(deps, stores, tell, identity, {
      label: 'admin reset',
      expiresAt: undefined,
    });
    // The host may not have said under which issuer: the identifier is what the last start made it.
    const resource = known.resourceServer.identifier;
    const resourceServer = await renewResourceServer(
      { ...deps, resource },
      stores,
      tell,
      known.resourceServer,
    );
    const ends = { identity, resourceServer };
    const access = await accessOf(stores, identity, resourceServer);
    if (access === undefined) await giveAccess(deps, stores, tell, ends);
    else {
      const { expiresAt } = identity;
      await replaceAccess(deps, stores, tell, ends, access, {
        ...access,
        scopes: ADMIN_SCOPE_NAMES,
        expiresAt,
      });
    }
    return { clientId: identity.clientId, secret };
  });
}

interface BuiltIn {
  readonly identity: IdentityRecord;
  readonly resourceServer: ResourceServerRecord;
}

/** The authority's own API and its first administrator; undefined before the first start has made them. */
export async function builtIn(
  stores: Pick<Stores, 'settings' | 'identities' | 'resourceServers'>,
): Promise<BuiltIn | undefined> {
  const identityId = await stores.settings.get(IDENTITY_SETTING);
  const resourceServerId = await stores.settings.get(RESOURCE_SERVER_SETTING);
  if (identityId === undefined || resourceServerId === undefined) return undefined;
  const identity = await stores.identities.byId(identityId);
  const resourceServer = await stores.resourceServers.byId(resourceServerId);
  if (identity === undefined || resourceServer === undefined) {
    throw new Error('the database names a built-in admin that it does not hold');
  }
  return { identity, resourceServer };
}

/** The algorithm of the admin API is the one that always has a key. */
const hasOne = (): Promise<void> => Promise.resolve();

/** The authority makes its own API, whatever was there before. */
const byItself = (): void => undefined;

/** Of two nodes that begin at once the unique identifier and client_id let one through. */
async function begin(deps: AdminIdentityDeps, stores: Stores, tell: Tell): Promise<string> {
  const expiresAt = deps.clock.now() + LIFE_MS;
  const { resource: adminResource } = deps;
  const serverDeps = { ...deps, adminResource, requireSigningKey: hasOne, lifetimeLimits: undefined };
  const ownApi: NewResourceServer = {
    identifier: adminResource,
    name: 'Countersign admin API',
    scopes: SCOPES,
    token: { format: 'jwt', lifetime: undefined, signingAlg: 'ES256', typ: 'at+jwt' },
    senderConstraint: 'none',
    builtIn: true,
  };
  const resourceServer = await createResourceServer(serverDeps, stores, tell, ownApi, byItself);
  const identity = await createIdentity(deps, stores, tell, {
    name: 'Countersign admin',
    kind: 'service',
    environment: 'prod',
    purpose: 'Administers this authority',
    owner: { person: 'host', backup: undefined, team: undefined },
    sensitivity: 3,
    cadence: 'on_demand',
    clientId: CLIENT_ID,
    expiresAt,
    state: 'active',
    builtIn: true,
    by: AUTHORITY,
  });
  const { secret } = await createClientSecret(deps, stores, tell, identity, {
    label: FIRST_START,
    expiresAt: undefined,
  });
  await giveAccess(deps, stores, tell, { identity, resourceServer });
  await stores.settings.set(IDENTITY_SETTING, identity.id);
  await stores.settings.set(RESOURCE_SERVER_SETTING, resourceServer.id);
  return secret;
}

async function giveAccess(
  deps: AdminIdentityDeps,
  stores: Stores,
  tell: Tell,
  ends: AccessEnds,
): Promise<void> {
  await createAccess(deps, stores, tell, ends, {
    scopes: ADMIN_SCOPE_NAMES,
    justification: 'The first admin of this authority',
    tokenLifetime: undefined,
    conditions: undefined,
    expiresAt: ends.identity.expiresAt,
    by: AUTHORITY,
  });
}

async function accessOf(
  stores: Stores,
  identity: IdentityRecord,
  resourceServer: ResourceServerRecord,
): Promise<AccessRecord | undefined> {
  const filter = { identityId: identity.id, resourceServerId: resourceServer.id, state: 'active' } as const;
  return (await stores.access.list(filter, { limit: 1 })).items[0];
}

async function replaceAccess(
  deps: AdminIdentityDeps,
  stores: Stores,
  tell: Tell,
  { identity, resourceServer }: AccessEnds,
  before: AccessRecord,
  after: AccessRecord,
): Promise<void> {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.access.replace(next);
  const view = (each: AccessRecord): unknown =>
    accessView(each, identity.clientId, resourceServer.identifier);
  tell({ type: 'access.updated', resource: before.id, before: view(before), after: view(next) });
}

async function renewResourceServer(
  deps: AdminIdentityDeps,
  stores: Stores,
  tell: Tell,
  record: ResourceServerRecord,
): Promise<ResourceServerRecord> {
  const stale =
    record.identifier !== deps.resource || JSON.stringify(record.scopes) !== JSON.stringify(SCOPES);
  if (!stale) return record;
  const taken = await stores.resourceServers.byIdentifier(deps.resource);
  if (taken !== undefined && taken.id !== record.id) {
    throw new Error(
      `resource server ${taken.id} already has the identifier ${deps.resource}, which the admin API takes under ` +
        'this issuer: start under the issuer of before and delete it, or choose another issuer',
    );
  }
  const next = {
    ...record,
    identifier: deps.resource,
    scopes: SCOPES,
    updatedAt: deps.clock.now(),
    version: record.version + 1,
  };
  await stores.resourceServers.replace(next);
  tell({
    type: 'resource_server.updated',
    resource: record.id,
    reason: 'brought to this version and issuer',
    before: resourceServerView(record),
    after: resourceServerView(next),
  });
  return next;
}

async function revive(
  deps: AdminIdentityDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
): Promise<IdentityRecord> {
  const now = deps.clock.now();
  const next: IdentityRecord = {
    ...record,
    state: 'active',
    stateReason: 'reset on the host',
    securityStop: false,
    expiresAt: now + LIFE_MS,
    updatedAt: now,
    version: record.version + 1,
  };
  await stores.identities.replace(next);
  tell({
    type: 'identity.reset',
    resource: record.id,
    before: identityView(record),
    after: identityView(next),
  });
  return next;
}
