import { newId } from '../ids.ts';
import type { CredentialMaterial, CredentialRecord, Predecessor } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import { certificateDates } from './certificate-dates.ts';
import { narrowEnd, type RuleDeps, type Tell } from './change-rules.ts';
import type { MaximumAge } from './credential-age.ts';
import { hasEnded } from './identity.ts';
import { type PolicyStores, requirePolicies } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';
import { credentialView } from './credential-view.ts';

/** Enough for any rotation; each one costs a comparison at every authentication. */
const MOST_LIVE = 50;
const MOST_LABEL_CHARS = 200;

/** For whatever gives a credential its end. */
export interface AgeDeps extends RuleDeps {
  readonly maximumAge: MaximumAge;
}

/** What whoever asks for a credential may say of it, whatever its type. */
export interface NewCredential {
  /** To tell credentials apart; made from what tells its material apart when undefined. */
  readonly label: string | undefined;
  /** Epoch ms. Narrowed to what is allowed, which is also the default. */
  readonly expiresAt: number | undefined;
  /** Whose place it takes. */
  readonly predecessor?: Predecessor | undefined;
}

/**
 * Writes the credential that this material makes, with its event: the only place where one begins. `name` tells the
 * material apart from others of its type, for people. Throws `RegistryRefusal` where the identity takes none.
 */
export async function addCredential(
  deps: AgeDeps,
  stores: PolicyStores,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewCredential,
  { material, name }: { readonly material: CredentialMaterial; readonly name: string },
): Promise<CredentialRecord> {
  const now = deps.clock.now();
  requireOpen(identity);
  await requireRoom(stores, identity);
  const latest = latestEnd(deps, identity, material, now);
  const begin = ownDates(material)?.notBefore;
  if (begin !== undefined && begin >= latest) throw beginsTooLate();
  const record: CredentialRecord = {
    id: newId('crd', deps.random),
    identityId: identity.id,
    label: asked.label ?? `${material.type} ${name}`.slice(0, MOST_LABEL_CHARS).trimEnd(),
    state: 'active',
    material,
    ...(asked.predecessor === undefined ? {} : { predecessor: asked.predecessor }),
    notBeforeAt: Math.max(now, begin ?? now),
    expiresAt: narrowEnd(now, asked.expiresAt ?? latest, latest),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  const written = { credential: { before: undefined, after: record } };
  await requirePolicies(deps, stores, tell, identity, written);
  await stores.credentials.insert(record);
  tell({ type: 'credential.created', resource: record.id, after: credentialView(record, identity.clientId) });
  return record;
}

function requireOpen(identity: IdentityRecord): void {
  if (hasEnded(identity) || identity.state === 'decommissioning') {
    throw new RegistryRefusal(
      'illegal_transition',
      `the identity is ${identity.state}: it takes no credentials`,
    );
  }
}

async function requireRoom(stores: Pick<Stores, 'credentials'>, identity: IdentityRecord): Promise<void> {
  const filter = { identityId: identity.id, state: 'active' } as const;
  const live = await stores.credentials.list(filter, { limit: MOST_LIVE });
  if (live.items.length >= MOST_LIVE) {
    throw new RegistryRefusal('limit_reached', `an identity has at most ${MOST_LIVE} active credentials`);
  }
}

/** The latest end (epoch ms) that a credential of this material may have, if it was created at `createdAt`. */
export function latestEnd(
  { maximumAge }: AgeDeps,
  { expiresAt, environment }: IdentityRecord,
  material: CredentialMaterial,
  createdAt: number,
): number {
  const ofRules = Math.min(expiresAt, createdAt + maximumAge(material.type, environment));
  return Math.min(ofRules, ownDates(material)?.notAfter ?? ofRules);
}

/** What the proof says of its own time, where it says anything. */
function ownDates(material: CredentialMaterial): ReturnType<typeof certificateDates> | undefined {
  return material.type === 'self_signed_tls_client_auth' ? certificateDates(material.certificate) : undefined;
}

function beginsTooLate(): RegistryRefusal {
  return new RegistryRefusal(
    'unacceptable_certificate',
    'the certificate begins after the credential would have ended',
    { pointer: '/certificate' },
  );
}
