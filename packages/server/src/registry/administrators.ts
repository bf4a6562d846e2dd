import type { Clock } from '../clock.ts';
import type { AccessRecord } from '../storage/access.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { Position } from '../storage/page.ts';
import type { Stores } from '../storage/storage.ts';
import { credentialFault } from './effective-access.ts';
import { RegistryRefusal } from './refusal.ts';

/**
 * Somebody can always administer the authority (docs/decisions/0030-what-a-caller-may-not-take-away.md): an identity that is
 * active, has a credential that works, and holds what it takes to let another one in.
 */
const NEEDED = ['identities:write', 'credentials:write', 'access:write'];
/** Milliseconds for which there must be one at least: time to find out that there soon is none. */
export const ADMINISTERED_FOR_MS: number = 7 * 86_400_000;

/** Its row is what they wait for. */
const TURN = 'administered';

export interface AdministratorDeps {
  readonly clock: Clock;
  /** Identifier of the admin API. */
  readonly adminResource: string;
}

type Reading = Pick<
  Stores,
  'identities' | 'credentials' | 'access' | 'resourceServers' | 'trustedIssuers' | 'settings'
>;

/**
 * Does the work, in the caller's transaction, unless it would leave nobody who can administer the authority for the next
 * seven days, or bring that day nearer: throws `last_administrator`. `identityId` is whom it may take something from. An
 * order to cut off, and the suspension of a trusted issuer, which is one, do not come this way: whatever can act can be stopped.
 */
export async function keepAdministered<T>(
  deps: AdministratorDeps,
  stores: Reading,
  identityId: string,
  work: () => Promise<T>,
): Promise<T> {
  const api = await stores.resourceServers.byIdentifier(deps.adminResource);
  if (api === undefined) return await work();
  const now = deps.clock.now();
  const held = await stores.access.activeOfIdentity(identityId);
  const own = held.find(({ resourceServerId }) => resourceServerId === api.id);
  if (own === undefined || (await endOf(stores, own, now)) <= now) return await work();
  // Of two that end each other at once the second waits here, and sees what the first did.
  await stores.settings.set(TURN, '');
  const before = await administeredUntil(stores, api.id, now);
  const result = await work();
  if ((await administeredUntil(stores, api.id, now)) < before) {
    throw new RegistryRefusal(
      'last_administrator',
      `nobody else can administer this authority for the next 7 days: give another identity ${NEEDED.join(', ')} first; ` +
        'what is in wrong hands is stopped by a cut-off, which is never refused',
    );
  }
  return result;
}

/** Until when (epoch ms) there is one, looking no further ahead than it has to be. */
async function administeredUntil(stores: Reading, resourceServerId: string, now: number): Promise<number> {
  const enough = now + ADMINISTERED_FOR_MS;
  let until = now;
  let after: Position | undefined;
  do {
    const filter = { resourceServerId, scope: 'access:write', state: 'active' } as const;
    const page = await stores.access.list(filter, { limit: 200, after });
    for (const access of page.items) {
      until = Math.max(until, await endOf(stores, access, now));
      if (until >= enough) return enough;
    }
    after = page.next;
  } while (after !== undefined);
  return until;
}

/** Until when (epoch ms) this access makes its identity an administrator; `now` when it does not. */
async function endOf(stores: Reading, access: AccessRecord, now: number): Promise<number> {
  if (!NEEDED.every((scope) => access.scopes.includes(scope))) return now;
  const identity = await stores.identities.byId(access.identityId);
  if (identity?.state !== 'active') return now;
  let proves = now;
  for (const credential of await stores.credentials.ofIdentity(identity.id)) {
    if (credential.expiresAt > proves && (await works(stores, credential, now)))
      proves = credential.expiresAt;
  }
  return Math.max(now, Math.min(access.expiresAt, identity.expiresAt, proves));
}

/** An API key that is limited opens less than its identity has. */
async function works(stores: Reading, credential: CredentialRecord, now: number): Promise<boolean> {
  if (credentialFault(credential, now) !== undefined) return false;
  const { material } = credential;
  if (material.type === 'api_key')
    return material.resourceServerId === undefined && material.scopes === undefined;
  if (material.type !== 'federated') return true;
  return (await stores.trustedIssuers.byId(material.trustedIssuer))?.state === 'active';
}
