import type { IdentityFacts } from '../../registry/facts.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import { mayAct } from './reconcile.ts';

/** Who has which public key in common with an identity. */
export interface KeySharers {
  /** By id of a credential: client_ids of the others. */
  readonly clientIds: ReadonlyMap<string, readonly string[]>;
  /** Identities about which there is news when there is news about this one. */
  readonly neighbours: ReadonlySet<string>;
}

/** A key that was revoked so lately may be what another identity is no longer found to share. */
const NEWS_MS = 60_000;

export async function keySharersOf(
  stores: Pick<Stores, 'credentials' | 'identities'>,
  { identity, credentials }: IdentityFacts,
  now: number,
): Promise<KeySharers> {
  const clientIds = new Map<string, readonly string[]>();
  const neighbours = new Set<string>();
  for (const credential of credentials) {
    const key = publicKeyOf(credential);
    if (key === undefined || (!works(credential, now) && credential.updatedAt < now - NEWS_MS)) continue;
    const same = await stores.credentials.bySubjectKey(key);
    const owners = new Set(same.filter((each) => works(each, now)).map(({ identityId }) => identityId));
    owners.delete(identity.id);
    const others: string[] = [];
    for (const id of owners) {
      neighbours.add(id);
      const other: IdentityRecord | undefined = await stores.identities.byId(id);
      if (other !== undefined && mayAct(other, now)) others.push(other.clientId);
    }
    if (others.length > 0) clientIds.set(credential.id, others);
  }
  return { clientIds, neighbours };
}

function publicKeyOf({ material }: CredentialRecord): string | undefined {
  // Of a rule about another issuer's tokens it is no key: several may share it.
  return material.type !== 'federated' && 'subjectKey' in material ? material.subjectKey : undefined;
}

function works({ state, expiresAt }: CredentialRecord, now: number): boolean {
  return state === 'active' && expiresAt > now;
}
