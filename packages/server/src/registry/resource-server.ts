import { newId } from '../ids.ts';
import type { LifetimeLimits } from '../policy/limit-table.ts';
import type { ResourceServerRecord, ScopeDefinition, TokenSettings } from '../storage/resource-servers.ts';
import type { Position } from '../storage/page.ts';
import { type KeyAlgorithm, OPAQUE_TOKEN_ALGORITHM } from '../storage/signing-keys.ts';
import type { Stores } from '../storage/storage.ts';
import { type RuleDeps, same, type Tell } from './change-rules.ts';
import { requireMayLower } from './lowered-scopes.ts';
import { requireNotOwn } from './own-address.ts';
import { RegistryRefusal } from './refusal.ts';
import { resourceServerView } from './views.ts';

export interface ResourceServerDeps extends RuleDeps {
  /** Identifier of the admin API: nothing that looks like an address of this authority is another's. */
  readonly adminResource: string;
  /** Sees to it that there is a key for this algorithm, in the caller's transaction (keys/rotation.ts). */
  readonly requireSigningKey: (stores: Stores, alg: KeyAlgorithm, tell: Tell) => Promise<unknown>;
  /** What tokens live by what their scopes are called. */
  readonly lifetimeLimits: LifetimeLimits | undefined;
}

export interface NewResourceServer {
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly ScopeDefinition[];
  readonly token: TokenSettings;
  readonly senderConstraint: ResourceServerRecord['senderConstraint'];
  readonly builtIn?: boolean;
}

/** `requireAdmin` throws unless a person with the role admin asks. */
export async function createResourceServer(
  deps: ResourceServerDeps,
  stores: Stores,
  tell: Tell,
  asked: NewResourceServer,
  requireAdmin: () => void,
): Promise<ResourceServerRecord> {
  const now = deps.clock.now();
  if (asked.builtIn !== true) requireNotOwn(deps.adminResource, asked.identifier);
  const taken = await stores.resourceServers.byIdentifier(asked.identifier);
  if (taken !== undefined) {
    throw new RegistryRefusal('already_exists', `${asked.identifier} is registered already`, {
      pointer: '/identifier',
      existing: taken.id,
    });
  }
  const record: ResourceServerRecord = {
    id: newId('rsv', deps.random),
    identifier: asked.identifier,
    name: asked.name,
    scopes: asked.scopes,
    token: asked.token,
    senderConstraint: asked.senderConstraint,
    state: 'active',
    builtIn: asked.builtIn ?? false,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  requireSettingsOfFormat(record);
  await requireMayLower(stores, deps.lifetimeLimits, [], record, requireAdmin);
  await deps.requireSigningKey(stores, algorithmOf(record.token), tell);
  await stores.resourceServers.insert(record);
  tell({ type: 'resource_server.created', resource: record.id, after: resourceServerView(record) });
  return record;
}

export interface ResourceServerChange {
  readonly name?: string | undefined;
  readonly scopes?: readonly ScopeDefinition[] | undefined;
  readonly token?: TokenSettings | undefined;
  readonly senderConstraint?: ResourceServerRecord['senderConstraint'] | undefined;
}

/**
 * The record with the change made; the same record, and no event, when there is nothing to change. `requireAdmin` throws unless a
 * person with the role admin asks.
 */
export async function changeResourceServer(
  deps: ResourceServerDeps,
  stores: Stores,
  tell: Tell,
  record: ResourceServerRecord,
  change: ResourceServerChange,
  requireAdmin: () => void,
): Promise<ResourceServerRecord> {
  const changed: ResourceServerRecord = {
    ...record,
    name: change.name ?? record.name,
    scopes: change.scopes ?? record.scopes,
    token: change.token ?? record.token,
    senderConstraint: change.senderConstraint ?? record.senderConstraint,
  };
  if (same(changed, record)) return record;
  refuseBuiltIn(record);
  requireSettingsOfFormat(changed);
  await requireMayLower(stores, deps.lifetimeLimits, record.scopes, changed, requireAdmin);
  // The keys of the algorithm that was stay published: tokens that they signed are alive.
  await deps.requireSigningKey(stores, algorithmOf(changed.token), tell);
  const left = new Set(changed.scopes.map((scope) => scope.name));
  for (const { name } of record.scopes) {
    if (!left.has(name)) await requireUnheld(deps, stores, record, name);
  }
  return await replace(deps, stores, tell, record, changed, 'resource_server.updated');
}

/** Its identifier is free again. The same record, and no event, when it is deleted already. */
export async function deleteResourceServer(
  deps: RuleDeps,
  stores: Pick<Stores, 'resourceServers' | 'access'>,
  tell: Tell,
  record: ResourceServerRecord,
): Promise<ResourceServerRecord> {
  if (record.state === 'deleted') return record;
  refuseBuiltIn(record);
  await requireUnheld(deps, stores, record, undefined);
  return await replace(
    deps,
    stores,
    tell,
    record,
    { ...record, state: 'deleted' },
    'resource_server.deleted',
  );
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'resourceServers'>,
  tell: Tell,
  before: ResourceServerRecord,
  after: ResourceServerRecord,
  type: string,
): Promise<ResourceServerRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.resourceServers.replace(next);
  tell({
    type,
    resource: before.id,
    before: resourceServerView(before),
    after: resourceServerView(next),
  });
  return next;
}

function refuseBuiltIn(record: ResourceServerRecord): void {
  if (record.builtIn) {
    throw new RegistryRefusal('built_in', 'this resource server is the admin API of the authority itself');
  }
}

/**
 * An opaque token is sealed, whatever the resource server's JWTs would be signed with. The key of a CBOR token's client is
 * derived from the same kind of secret; that for ES256 is there always.
 */
function algorithmOf({ format, signingAlg }: TokenSettings): KeyAlgorithm {
  return format === 'jwt' ? signingAlg : OPAQUE_TOKEN_ALGORITHM;
}

/** RFC 9202 §3.3: such a token is bound to a symmetric key of its own, and to nothing else. */
function requireSettingsOfFormat({ token, senderConstraint }: ResourceServerRecord): void {
  if (token.format !== 'cwt') return;
  const fault =
    token.signingAlg !== 'ES256'
      ? ['/token/signing_alg', 'CBOR tokens are signed with ES256']
      : token.statusList === true
        ? ['/token/status_list', 'CBOR tokens are in no status list']
        : senderConstraint !== 'none'
          ? ['/sender_constraint', 'CBOR tokens are bound to a key of their own: none is what goes with them']
          : undefined;
  if (fault === undefined) return;
  const [pointer, message] = fault as [string, string];
  throw new RegistryRefusal('unfitting_settings', message, { pointer });
}

/** What somebody may use is not taken away behind their back: narrow or revoke the access first. */
async function requireUnheld(
  deps: RuleDeps,
  stores: Pick<Stores, 'access'>,
  record: ResourceServerRecord,
  scope: string | undefined,
): Promise<void> {
  const now = deps.clock.now();
  for (const state of ['active', 'requested', 'suspended'] as const) {
    let after: Position | undefined;
    do {
      const page = await stores.access.list(
        { resourceServerId: record.id, scope, state },
        { limit: 200, after },
      );
      const holder = page.items.find((access) => access.expiresAt > now);
      if (holder !== undefined) {
        throw new RegistryRefusal(
          'still_in_use',
          scope === undefined
            ? 'identities have access to it'
            : `identities have access to its scope ${scope}`,
          { existing: holder.id, ...(scope === undefined ? {} : { pointer: '/scopes' }) },
        );
      }
      after = page.next;
    } while (after !== undefined);
  }
}
