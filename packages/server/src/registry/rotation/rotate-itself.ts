import { type JsonObject, type JsonWebKey, jwkThumbprint } from '@countersign/protocol';
import type { RefusedMethods } from '../../policy/methods-allowed-per-environment.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import { requireAllowed } from '../allowed-method.ts';
import type { Tell } from '../change-rules.ts';
import { type AskedClientKey, createClientKey } from '../client-key.ts';
import { standing } from '../effective-access.ts';
import type { FetchDeps } from '../fetched-url.ts';
import { keySubject } from '../key-subject.ts';
import type { AgeDeps } from '../new-credential.ts';
import type { PolicyStores } from '../policy/require-policies.ts';
import { RegistryRefusal } from '../refusal.ts';
import { type RotateDeps, rotateCredential, successorOf } from './rotate.ts';

export interface RotateItselfDeps extends RotateDeps, AgeDeps, FetchDeps {
  readonly refusedMethods: RefusedMethods;
  /** Whether clients may give their own keys a successor. */
  readonly selfRotation: boolean;
}

export interface Rotated {
  readonly old: CredentialRecord;
  readonly successor: CredentialRecord;
}

/**
 * A client gives the key that it has just proved itself by a successor: nobody else's, of the same terms, for no longer than the
 * old one was given for. To ask again with the same key changes nothing: its copies may all ask, and a lost answer is asked for anew.
 * Throws `RegistryRefusal`.
 */
export async function rotateItself(
  deps: RotateItselfDeps,
  stores: PolicyStores & Pick<Stores, 'identities' | 'credentialMakers'>,
  tell: Tell,
  { credentialId, jwk }: { readonly credentialId: string; readonly jwk: JsonObject },
): Promise<Rotated> {
  const now = deps.clock.now();
  const { identity, record } = await standingNow(stores, credentialId, now);
  if (!deps.selfRotation) {
    throw new RegistryRefusal(
      'refused_by_policy',
      'clients do not rotate their own keys here (self-rotation)',
    );
  }
  const asked = askedKey(record, jwk);
  const successor = await successorOf(stores, record, now);
  if (successor !== undefined && isKeyOf(successor, jwk)) return { old: record, successor };
  requireAllowed(deps.refusedMethods, identity, record.material.type);
  if (isKeyOf(record, jwk)) throw notNew();
  await requireNew(stores, jwk);
  const { made, old } = await rotateCredential(
    deps,
    stores,
    tell,
    { identity, record },
    {
      by: 'itself',
      overlap: undefined,
      label: undefined,
      // Whoever gave it a week is not overruled by the key itself.
      expiresAt: now + (record.expiresAt - record.notBeforeAt),
    },
    async (more) => ({
      record: await createClientKey(deps, stores, tell, identity, { ...asked, ...more }),
    }),
  );
  // Whoever made the first one stands behind it, however often it is replaced: a row of machines would hide them.
  const maker = await stores.credentialMakers.of(old.id);
  if (maker !== undefined) await stores.credentialMakers.note(made.record.id, maker);
  return { old, successor: made.record };
}

/** As it is in this transaction: it was proved on facts that may be a moment old. */
async function standingNow(
  stores: Pick<Stores, 'identities' | 'credentials'>,
  credentialId: string,
  now: number,
): Promise<{ readonly identity: IdentityRecord; readonly record: CredentialRecord }> {
  const record = await stores.credentials.byId(credentialId);
  const identity = record && (await stores.identities.byId(record.identityId));
  const fault = record && identity && standing(identity, record, now);
  if (record === undefined || identity === undefined || fault !== undefined) {
    throw new RegistryRefusal('illegal_transition', `it may not act now: ${fault ?? 'it is gone'}`);
  }
  return { identity, record };
}

function askedKey({ material }: CredentialRecord, jwk: JsonObject): AskedClientKey {
  if (material.type !== 'private_key_jwt' || material.jwk === undefined) {
    throw new RegistryRefusal('unacceptable_key', 'only a key that is registered here rotates itself');
  }
  const { allowTokenEndpointAudience } = material;
  return { keys: { jwk }, allowTokenEndpointAudience, allowRs256: false };
}

function isKeyOf({ material }: CredentialRecord, jwk: JsonObject): boolean {
  if (material.type !== 'private_key_jwt' || material.jwk === undefined) return false;
  const [registered, shown] = [material.jwk as JsonWebKey, jwk as unknown as JsonWebKey].map(jwkThumbprint);
  return registered === shown;
}

/** A key that was ever registered may be known to others, or be in wrong hands: that is why it was replaced. */
async function requireNew(stores: Pick<Stores, 'credentials'>, jwk: JsonObject): Promise<void> {
  const known = await stores.credentials.bySubjectKey(keySubject(jwk as unknown as JsonWebKey));
  if (known.length > 0) throw notNew();
}

function notNew(): RegistryRefusal {
  return new RegistryRefusal('unacceptable_key', 'the new key is not new');
}
