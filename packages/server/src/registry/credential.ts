import { generateSecret, parseSecret } from '@countersign/protocol';
import { newId } from '../ids.ts';
import type {
  CredentialMaterial,
  CredentialRecord,
  CredentialState,
  CredentialType,
} from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import { certificateDates } from './certificate-dates.ts';
import { narrowEnd, type RuleDeps, same, type Tell } from './change-rules.ts';
import type { MaximumAge } from './credential-age.ts';
import { hasEnded } from './identity.ts';
import { RegistryRefusal } from './refusal.ts';
import { credentialView } from './views.ts';

/** Enough for any rotation; each one costs a comparison at every authentication. */
const MOST_LIVE = 50;

/** For whatever gives a credential its end. */
export interface AgeDeps extends RuleDeps {
  readonly maximumAge: MaximumAge;
}

export interface CredentialDeps extends AgeDeps {
  /** Keyed digest of a secret (secret-hash.ts). */
  readonly digest: (secret: string) => string;
}

export interface NewClientSecret {
  /** To tell credentials apart; made from the public id when undefined. */
  readonly label: string | undefined;
  /** Narrowed to what is allowed, which is also the default. */
  readonly expiresAt: number | undefined;
  /** One that exists already and that the caller has checked to be well-formed; made when undefined. */
  readonly secret?: string | undefined;
}

/** The secret is in the result and nowhere else: what is stored is its digest. */
export async function createClientSecret(
  deps: CredentialDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewClientSecret,
): Promise<{ readonly record: CredentialRecord; readonly secret: string }> {
  const now = deps.clock.now();
  requireOpen(identity);
  await requireRoom(stores, identity);
  const { secret, publicId } = secretFrom(deps, 'csk', asked.secret);
  const latest = latestEnd(deps, identity, 'client_secret', now);
  const record: CredentialRecord = {
    id: newId('crd', deps.random),
    identityId: identity.id,
    label: asked.label ?? `client_secret ${publicId}`,
    state: 'active',
    material: { type: 'client_secret', publicId, digest: deps.digest(secret) },
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

/** The secret that was given, or a new one of this kind. */
export function secretFrom(
  deps: Pick<RuleDeps, 'random'>,
  kind: 'csk' | 'cak',
  given: string | undefined,
): { readonly secret: string; readonly publicId: string } {
  if (given === undefined) return generateSecret(kind, deps.random);
  const parsed = parseSecret(given);
  if (parsed?.kind !== kind) throw new TypeError('the caller has to check the secret');
  return { secret: given, publicId: parsed.publicId };
}

export function requireOpen(identity: IdentityRecord): void {
  if (hasEnded(identity) || identity.state === 'decommissioning') {
    throw new RegistryRefusal(
      'illegal_transition',
      `the identity is ${identity.state}: it takes no credentials`,
    );
  }
}

export async function requireRoom(
  stores: Pick<Stores, 'credentials'>,
  identity: IdentityRecord,
): Promise<void> {
  const filter = { identityId: identity.id, state: 'active' } as const;
  const live = await stores.credentials.list(filter, { limit: MOST_LIVE });
  if (live.items.length >= MOST_LIVE) {
    throw new RegistryRefusal('limit_reached', `an identity has at most ${MOST_LIVE} active credentials`);
  }
}

/** The latest end (epoch ms) that a credential of this type may have, if it was created at `createdAt`. */
export function latestEnd(
  { maximumAge }: AgeDeps,
  identity: IdentityRecord,
  type: CredentialType,
  createdAt: number,
): number {
  return Math.min(identity.expiresAt, createdAt + maximumAge(type, identity.environment));
}

/** Where the proof has an end of its own, that too. */
function latestEndOf(
  deps: AgeDeps,
  identity: IdentityRecord,
  { material, createdAt }: CredentialRecord,
): number {
  const latest = latestEnd(deps, identity, material.type, createdAt);
  return material.type === 'self_signed_tls_client_auth'
    ? Math.min(latest, certificateDates(material.certificate).notAfter)
    : latest;
}

export interface CredentialChange {
  readonly label?: string | undefined;
  readonly expiresAt?: number | undefined;
  readonly state?: 'active' | 'suspended' | undefined;
  /** Checked by the caller, and of the same type. */
  readonly material?: CredentialMaterial | undefined;
}

/** The record with the change made; the same record, and no event, when there is nothing to change. */
export async function changeCredential(
  deps: AgeDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  record: CredentialRecord,
  change: CredentialChange,
): Promise<CredentialRecord> {
  const now = deps.clock.now();
  let { expiresAt } = record;
  if (change.expiresAt !== undefined && change.expiresAt !== record.expiresAt) {
    expiresAt = narrowEnd(now, change.expiresAt, latestEndOf(deps, identity, record));
  }
  const changed: CredentialRecord = {
    ...record,
    label: change.label ?? record.label,
    state: change.state ?? record.state,
    material: change.material ?? record.material,
    expiresAt,
  };
  if (same(changed, record)) return record;
  if (record.state === 'revoked') {
    throw new RegistryRefusal('illegal_transition', 'a revoked credential stays revoked');
  }
  return await replace(deps, stores, tell, identity, record, changed, eventOf(record.state, changed.state));
}

/** For ever. The same record, and no event, when it is revoked already. */
export async function revokeCredential(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  record: CredentialRecord,
): Promise<CredentialRecord> {
  if (record.state === 'revoked') return record;
  const revoked: CredentialRecord = { ...record, state: 'revoked' };
  return await replace(deps, stores, tell, identity, record, revoked, 'credential.revoked');
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  before: CredentialRecord,
  after: CredentialRecord,
  type: string,
): Promise<CredentialRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.credentials.replace(next);
  tell({
    type,
    resource: before.id,
    before: credentialView(before, identity.clientId),
    after: credentialView(next, identity.clientId),
  });
  return next;
}

function eventOf(before: CredentialState, after: CredentialState): string {
  if (before === after) return 'credential.updated';
  return after === 'suspended' ? 'credential.suspended' : 'credential.resumed';
}
