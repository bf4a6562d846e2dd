import { revokeAccess } from '../../registry/access.ts';
import { keepAdministered } from '../../registry/administrators.ts';
import { deleteApprovalRule } from '../../registry/approval/approval-rule.ts';
import { revokeCredential } from '../../registry/credential.ts';
import { cutOffRules } from '../../registry/issuer-cut-off.ts';
import { handleKey } from '../../registry/directory/handle.ts';
import { changePerson } from '../../registry/directory/person.ts';
import { deleteTeam } from '../../registry/directory/team.ts';
import { hasEnded } from '../../registry/identity.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { settleStatus } from '../../registry/owner/departure.ts';
import { revokeException } from '../../registry/policy/exception.ts';
import { deletePolicy } from '../../registry/policy/policy.ts';
import { deleteResourceServer } from '../../registry/resource-server.ts';
import { deleteTrustedIssuer } from '../../registry/trusted-issuer.ts';
import { deleteWebhook } from '../../registry/webhook/webhook.ts';
import type { Position } from '../../storage/page.ts';
import type { Stores } from '../../storage/storage.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';
import type { GiveWay } from '../../telemetry/pacer.ts';
import type { Application } from './application.ts';
import { trustDomainRemovals } from './bring-trust-domain.ts';
import { declaredWorkloadKey, workloadRemovals } from './bring-workload.ts';
import { isDeclarable } from './credential-types.ts';
import type { Declared } from './declared.ts';
import { everyOne } from './every-one.ts';
import { findIdentity } from './referenced-record.ts';
import type { Removal } from './removal.ts';

/**
 * What exists and is not declared, of the kinds that are declared at all: documents without a single access do not
 * speak about access. In the order in which it may end. What is built in stays, and so does who asks.
 */
export async function removals(
  application: Application,
  stores: Stores,
  objects: readonly Declared[],
  giveWay: GiveWay,
): Promise<readonly Removal[]> {
  const declared = await declaredKeys(stores, objects, giveWay);
  const kinds = new Set(objects.map((object) => object.kind));
  const spared = await sparedIdentities(application, stores);
  const found: Removal[] = [];
  if (kinds.has('Workload')) found.push(...(await workloadRemovals(application, stores, declared, spared)));
  if (kinds.has('Access')) found.push(...(await accessRemovals(application, stores, declared, spared)));
  if (kinds.has('Credential'))
    found.push(...(await credentialRemovals(application, stores, declared, spared)));
  if (kinds.has('Identity')) found.push(...(await identityRemovals(application, stores, declared, spared)));
  if (kinds.has('Team')) found.push(...(await teamRemovals(application, stores, declared)));
  if (kinds.has('Person')) found.push(...(await personRemovals(application, stores, declared)));
  if (kinds.has('TrustedIssuer')) found.push(...(await trustedIssuerRemovals(application, stores, declared)));
  if (kinds.has('TrustDomain')) found.push(...(await trustDomainRemovals(application, stores, declared)));
  if (kinds.has('ApprovalRule')) found.push(...(await approvalRuleRemovals(application, stores, declared)));
  if (kinds.has('PolicyException')) found.push(...(await exceptionRemovals(application, stores, declared)));
  if (kinds.has('Policy')) found.push(...(await policyRemovals(application, stores, declared)));
  if (kinds.has('Webhook')) found.push(...(await webhookRemovals(application, stores, declared)));
  if (kinds.has('ResourceServer'))
    found.push(...(await resourceServerRemovals(application, stores, declared)));
  return found;
}

async function accessRemovals(
  { deps }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
  spared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const record of everyOne((page) => stores.access.list({ state: 'active' }, page))) {
    const key = `Access ${record.identityId} ${record.resourceServerId}`;
    if (declared.has(key) || spared.has(record.identityId)) continue;
    found.push(async (now, tell) => {
      const identity = await now.identities.byId(record.identityId);
      const resourceServer = await now.resourceServers.byId(record.resourceServerId);
      const present = await now.access.byId(record.id);
      if (identity === undefined || resourceServer === undefined || present === undefined) return undefined;
      const ends = { identity, resourceServer };
      await keepAdministered(deps, now, identity.id, () => revokeAccess(deps, now, tell, ends, present));
      return undefined;
    });
  }
  return found;
}

async function credentialRemovals(
  { deps }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
  spared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const record of everyOne((page) => stores.credentials.list({ state: 'active' }, page))) {
    if (!isDeclarable(record)) continue;
    if (declared.has(`Credential ${record.identityId} ${record.label}`) || spared.has(record.identityId))
      continue;
    found.push(async (now, tell) => {
      const identity = await now.identities.byId(record.identityId);
      const present = await now.credentials.byId(record.id);
      if (identity === undefined || present === undefined) return undefined;
      const revoke = (): Promise<unknown> => revokeCredential(deps, now, tell, identity, present);
      await keepAdministered(deps, now, identity.id, revoke);
      return undefined;
    });
  }
  return found;
}

async function identityRemovals(
  { deps, actor }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
  spared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for (const state of ['draft', 'active', 'suspended'] as const) {
    for await (const record of everyOne((page) => stores.identities.list({ state }, page))) {
      if (declared.has(`Identity ${record.clientId}`) || spared.has(record.id)) continue;
      found.push(async (now, tell) => {
        const present = await now.identities.byId(record.id);
        if (present?.state !== state) return undefined;
        const moving = { move: 'decommission', reason: 'no longer declared', actor } as const;
        await keepAdministered(deps, now, present.id, () => moveIdentity(deps, now, tell, present, moving));
        return undefined;
      });
    }
  }
  return found;
}

async function resourceServerRemovals(
  { deps }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const record of everyOne((page) => stores.resourceServers.list({}, page))) {
    if (record.builtIn || declared.has(`ResourceServer ${record.identifier}`)) continue;
    found.push(async (now, tell) => {
      const present = await now.resourceServers.byId(record.id);
      if (present !== undefined) await deleteResourceServer(deps, now, tell, present);
      return undefined;
    });
  }
  return found;
}

async function trustedIssuerRemovals(
  application: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const record of everyOne((page) => stores.trustedIssuers.list({}, page))) {
    if (declared.has(`TrustedIssuer ${record.issuer}`)) continue;
    found.push(trustedIssuerRemoval(application, record, undefined));
  }
  return found;
}

async function approvalRuleRemovals(
  { deps, requireAdminPerson }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for (const record of await stores.approvalRules.active()) {
    if (declared.has(`ApprovalRule ${record.name}`)) continue;
    found.push(async (now, tell) => {
      const present = await now.approvalRules.byId(record.id);
      if (present !== undefined) await deleteApprovalRule(deps, now, tell, present, requireAdminPerson);
      return undefined;
    });
  }
  return found;
}

async function policyRemovals(
  { deps, requireAdminPerson }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for (const record of await stores.policies.active()) {
    if (declared.has(`Policy ${record.name}`)) continue;
    found.push(async (now, tell) => {
      const present = await now.policies.byId(record.id);
      if (present !== undefined) await deletePolicy(deps, now, tell, present, requireAdminPerson);
      return undefined;
    });
  }
  return found;
}

/** One that is over, or of an identity that is never declared again, is no document's to speak of. */
async function exceptionRemovals(
  { deps, now: instant }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const record of everyOne((page) => stores.policyExceptions.list({}, page))) {
    if (declared.has(`PolicyException ${record.policyId} ${record.identityId}`)) continue;
    if (record.expiresAt <= instant) continue;
    const holder = await stores.identities.byId(record.identityId);
    if (holder === undefined || hasEnded(holder) || NOT_DECLARED.has(holder.state)) continue;
    found.push(async (now, tell) => {
      const policy = await now.policies.byId(record.policyId);
      const identity = await now.identities.byId(record.identityId);
      const present = await now.policyExceptions.byId(record.id);
      if (policy === undefined || identity === undefined || present === undefined) return undefined;
      await revokeException(deps, now, tell, { policy, identity }, present);
      return undefined;
    });
  }
  return found;
}

async function webhookRemovals(
  { deps, ceiling }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const live = await stores.webhooks.live();
  return live
    .filter(({ name }) => !declared.has(`Webhook ${name}`))
    .map(
      ({ id }): Removal =>
        async (now, tell) => {
          requireWithin(ceiling, ['webhooks:write']);
          const present = await now.webhooks.byId(id);
          if (present !== undefined) await deleteWebhook(deps, now, tell, present);
          return undefined;
        },
    );
}

/**
 * Cuts off what was issued by its rules, which have ended by now, a batch in each transaction, and deletes it with the last:
 * one that was interrupted is there to be pruned again.
 */
function trustedIssuerRemoval(
  application: Application,
  record: TrustedIssuerRecord,
  after: Position | undefined,
): Removal {
  const { deps, actor, ceiling } = application;
  return async (now, tell) => {
    const present = await now.trustedIssuers.byId(record.id);
    if (present === undefined || present.state === 'deleted') return undefined;
    const asked = { after, verb: 'deleted', orderedBy: actor.identity };
    const { next } = await cutOffRules(deps, now, tell, present, asked);
    if (next !== undefined) return trustedIssuerRemoval(application, record, next);
    await deleteTrustedIssuer(deps, now, tell, { ceiling, person: actor.person }, present);
    return undefined;
  };
}

async function teamRemovals(
  { deps }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const record of everyOne((page) => stores.teams.list({}, page))) {
    if (declared.has(`Team ${handleKey(record.name)}`)) continue;
    found.push(async (now, tell) => {
      const present = await now.teams.byId(record.id);
      if (present?.deleted === false) await deleteTeam(deps, now, tell, present);
    });
  }
  return found;
}

/** Who is no longer declared has left: nobody who ever owned anything is removed. */
async function personRemovals(
  { deps }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const record of everyOne((page) => stores.people.list({}, page))) {
    if (record.status === 'left' || declared.has(`Person ${handleKey(record.handle)}`)) continue;
    found.push(async (now, tell) => {
      const present = await now.people.byId(record.id);
      if (present === undefined || present.deleted) return;
      const left = await changePerson(deps, now, tell, present, { status: 'left' });
      await settleStatus(deps, now, tell, present, left);
    });
  }
  return found;
}

/** Keys of what is declared, with ids in place of the names that documents may use. */
async function declaredKeys(
  stores: Stores,
  objects: readonly Declared[],
  giveWay: GiveWay,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const object of objects) {
    await giveWay();
    if (object.kind === 'Identity') keys.add(`Identity ${object.clientId}`);
    else if (object.kind === 'TrustedIssuer') keys.add(`TrustedIssuer ${object.issuer}`);
    else if (object.kind === 'Person') keys.add(`Person ${handleKey(object.handle)}`);
    else if (object.kind === 'Team') keys.add(`Team ${handleKey(object.team)}`);
    else if (object.kind === 'ApprovalRule') keys.add(`ApprovalRule ${object.name}`);
    else if (object.kind === 'Policy') keys.add(`Policy ${object.name}`);
    else if (object.kind === 'Webhook') keys.add(`Webhook ${object.name}`);
    else if (object.kind === 'TrustDomain') keys.add(`TrustDomain ${object.trustDomain.trustDomain}`);
    else if (object.kind === 'Workload') keys.add(await declaredWorkloadKey(stores, object));
    else if (object.kind === 'ResourceServer') keys.add(`ResourceServer ${object.identifier}`);
    else {
      const identity = await findIdentity(stores, object.identity);
      const owner = identity?.id ?? object.identity;
      if (object.kind === 'Credential') keys.add(`Credential ${owner} ${object.name}`);
      else if (object.kind === 'PolicyException') {
        const policy =
          (await stores.policies.byName(object.policy)) ?? (await stores.policies.byId(object.policy));
        keys.add(`PolicyException ${policy?.id ?? object.policy} ${owner}`);
      } else {
        const target = await stores.resourceServers.byIdentifier(object.resourceServer);
        keys.add(`Access ${owner} ${target?.id ?? object.resourceServer}`);
      }
    }
  }
  return keys;
}

/** What waits for people or is ending: documents do not speak of it, so that they cannot leave it out either. */
const NOT_DECLARED: ReadonlySet<string> = new Set(['requested', 'approved', 'decommissioning']);

async function sparedIdentities({ actor }: Application, stores: Stores): Promise<ReadonlySet<string>> {
  const spared = new Set<string>();
  const self = await stores.identities.byClientId(actor.identity);
  if (self !== undefined) spared.add(self.id);
  for await (const record of everyOne((page) => stores.identities.list({}, page))) {
    if (record.builtIn || NOT_DECLARED.has(record.state)) spared.add(record.id);
  }
  return spared;
}
