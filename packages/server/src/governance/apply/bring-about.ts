import { changeAccess, createAccess } from '../../registry/access.ts';
import { keepAdministered } from '../../registry/administrators.ts';
import { narrowEnd, type Tell } from '../../registry/change-rules.ts';
import { createIdentity, hasEnded } from '../../registry/identity.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';
import { changeOwnedIdentity } from '../../registry/owner/assign.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { changeResourceServer, createResourceServer } from '../../registry/resource-server.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { Owner } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import { bringApprovalRule } from './bring-approval-rule.ts';
import { bringCredential, type MadeSecret } from './bring-credential.ts';
import { bringPerson, bringTeam } from './bring-people.ts';
import { bringPolicy, bringPolicyException } from './bring-policy.ts';
import { bringTrustedIssuer } from './bring-trusted-issuer.ts';
import { bringTrustDomain } from './bring-trust-domain.ts';
import { bringWorkload } from './bring-workload.ts';
import { bringWebhook } from './bring-webhook.ts';
import { findIdentity, identityOf, resourceServerOf, sameMembers } from './referenced-record.ts';
import {
  type Declared,
  type DeclaredAccess,
  type DeclaredIdentity,
  type DeclaredResourceServer,
  endAt,
  fixedEnd,
} from './declared.ts';

/** Makes one object as declared, in the caller's transaction: created, changed, or left alone when it is so already. */
export async function bringAbout(
  application: Application,
  stores: Stores,
  tell: Tell,
  object: Declared,
): Promise<MadeSecret | undefined> {
  const { ceiling, deps } = application;
  const work = (): Promise<MadeSecret | undefined> => bring(application, stores, tell, object);
  // Who runs the authority itself gets in again: `countersign admin reset`.
  const ref = ceiling === undefined ? undefined : identityRefOf(object);
  const identity = ref === undefined ? undefined : await findIdentity(stores, ref);
  return identity === undefined ? await work() : await keepAdministered(deps, stores, identity.id, work);
}

/** The identity that it may take something from. */
function identityRefOf(object: Declared): string | undefined {
  if (object.kind === 'Identity') return object.clientId;
  return object.kind === 'Credential' || object.kind === 'Access' ? object.identity : undefined;
}

async function bring(
  application: Application,
  stores: Stores,
  tell: Tell,
  object: Declared,
): Promise<MadeSecret | undefined> {
  switch (object.kind) {
    case 'ResourceServer':
      await bringResourceServer(application, stores, tell, object);
      return undefined;
    case 'TrustedIssuer':
      await bringTrustedIssuer(application, stores, tell, object);
      return undefined;
    case 'Person':
      await bringPerson(application, stores, tell, object);
      return undefined;
    case 'Team':
      await bringTeam(application, stores, tell, object);
      return undefined;
    case 'ApprovalRule':
      await bringApprovalRule(application, stores, tell, object);
      return undefined;
    case 'Policy':
      await bringPolicy(application, stores, tell, object);
      return undefined;
    case 'PolicyException':
      await bringPolicyException(application, stores, tell, object);
      return undefined;
    case 'Identity':
      await bringIdentity(application, stores, tell, object);
      return undefined;
    case 'TrustDomain':
      await bringTrustDomain(application, stores, tell, object);
      return undefined;
    case 'Workload':
      await bringWorkload(application, stores, tell, object);
      return undefined;
    case 'Webhook':
      return await bringWebhook(application, stores, tell, object);
    case 'Credential':
      return await bringCredential(application, stores, tell, object);
    case 'Access':
      await bringAccess(application, stores, tell, object);
      return undefined;
  }
}

async function bringResourceServer(
  { deps, requireAdminPerson }: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredResourceServer,
): Promise<void> {
  const { identifier, title: name, scopes, token, senderConstraint } = declared;
  const record = await stores.resourceServers.byIdentifier(identifier);
  if (record === undefined) {
    const asked = { identifier, name, scopes, token, senderConstraint };
    await createResourceServer(deps, stores, tell, asked, requireAdminPerson);
    return;
  }
  const change = { name, scopes, token, senderConstraint };
  await changeResourceServer(deps, stores, tell, record, change, requireAdminPerson);
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
      by: actor,
    });
    if (declared.state === 'suspended' && made.state === 'active') {
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
  const change = {
    ...members,
    owner: await presentOwner(stores, owner, record.owner),
    expiresAt: fixedEnd(declared.end),
  };
  await changeOwnedIdentity(deps, stores, tell, record, change, actor);
}

/** A document that still names who has left does not bring them back: who stands in stays, and so does their backup. */
async function presentOwner(stores: Stores, declared: Owner, present: Owner): Promise<Owner> {
  const person = await stores.people.byHandle(declared.person);
  if (person?.status !== 'left') return declared;
  return { ...present, team: declared.team };
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
  const record = await liveAccess(stores, identity.id, resourceServer.id);
  const { justification, tokenLifetime, conditions } = declared;
  if (record === undefined) {
    const wished = endAt(declared.end, now);
    await createAccess(deps, stores, tell, ends, {
      scopes: declared.scopes,
      justification,
      tokenLifetime,
      conditions,
      expiresAt: 'at' in declared.end ? wished : narrowEnd(now, wished, identity.expiresAt),
      by: actor,
    });
    return;
  }
  const change = {
    // In another order they are the same scopes.
    scopes: sameMembers(declared.scopes, record.scopes) ? record.scopes : declared.scopes,
    justification,
    tokenLifetime: tokenLifetime ?? null,
    conditions: conditions ?? null,
    expiresAt: fixedEnd(declared.end),
  };
  await changeAccess(deps, stores, tell, ends, record, change, actor);
}

async function liveAccess(
  stores: Stores,
  identityId: string,
  resourceServerId: string,
): Promise<AccessRecord | undefined> {
  for (const state of ['active', 'requested'] as const) {
    const { items } = await stores.access.list({ identityId, resourceServerId, state }, { limit: 1 });
    if (items[0] !== undefined) return items[0];
  }
  return undefined;
}
