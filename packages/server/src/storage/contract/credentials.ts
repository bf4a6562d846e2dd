import { expect, it } from 'vitest';
import type { CredentialMaterial } from '../credentials.ts';
import { T0, changed, credentialRecord, freshId, identityRecord } from './records.ts';
import type { Subject } from './subject.ts';

const MATERIALS: readonly CredentialMaterial[] = [
  { type: 'client_secret', publicId: 'public-a', digest: 'ZA' },
  { type: 'api_key', publicId: 'public-b', digest: 'ZA' },
  {
    type: 'private_key_jwt',
    jwk: { kty: 'EC', crv: 'P-256', x: 'eA', y: 'eQ' },
    allowTokenEndpointAudience: true,
  },
  { type: 'private_key_jwt', jwksUri: 'https://keys.example/jwks', allowTokenEndpointAudience: false },
  { type: 'tls_client_auth', field: 'san_dns', value: 'pay.example', ca: 'root' },
  { type: 'self_signed_tls_client_auth', certificate: 'MII', thumbprint: 'dGg' },
  {
    type: 'federated',
    trustedIssuer: 'tis_1',
    subjectKey: 'subject',
    conditions: { sub: 'system:serviceaccount:pay:api' },
  },
  { type: 'spiffe', spiffeId: 'spiffe://example.org/pay' },
];

export function credentialContract({ storage }: Subject): void {
  it('gives back every type of material as it was inserted', async () => {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const records = MATERIALS.map((material) => credentialRecord(identity.id, { material }));
    for (const record of records) await storage().credentials.insert(record);
    for (const record of records) expect(await storage().credentials.byId(record.id)).toStrictEqual(record);
    const found = await storage().credentials.ofIdentity(identity.id);
    expect(new Set(found.map((record) => record.id))).toEqual(new Set(records.map((record) => record.id)));
    expect(await storage().credentials.byId('crd_none')).toBeUndefined();
  });

  it('finds the one with a public id, in any state, byte by byte, and nothing else', async () => {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const record = credentialRecord(identity.id, {
      material: {
        type: 'api_key',
        publicId: 'PublicCa',
        digest: 'ZA',
        resourceServerId: 'rsv_1',
        scopes: ['read'],
      },
    });
    await storage().credentials.insert(record);
    expect(await storage().credentials.byPublicId('PublicCa')).toStrictEqual(record);
    expect(await storage().credentials.byPublicId('publicca')).toBeUndefined();
    expect(await storage().credentials.byPublicId('PublicC')).toBeUndefined();
    const revoked = changed(record, { state: 'revoked' });
    await storage().credentials.replace(revoked);
    expect(await storage().credentials.byPublicId('PublicCa')).toStrictEqual(revoked);
  });

  it('refuses one for an identity that does not exist', async () => {
    const record = credentialRecord('idn_nobody');
    await expect(storage().credentials.insert(record)).rejects.toMatchObject({ fault: 'missing_reference' });
    expect(await storage().credentials.byId(record.id)).toBeUndefined();
  });

  it('refuses a public id that was seen before, also after it was revoked', async () => {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const first = credentialRecord(identity.id, {
      material: { type: 'client_secret', publicId: 'public-twice', digest: 'ZA' },
    });
    await storage().credentials.insert(first);
    await storage().credentials.replace(changed(first, { state: 'revoked' }));
    const second = credentialRecord(identity.id, {
      material: { type: 'api_key', publicId: 'public-twice', digest: 'ZB' },
    });
    await expect(storage().credentials.insert(second)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'public_id',
    });
  });

  it('replaces by compare-and-swap and never moves one to another identity', async () => {
    const identity = identityRecord();
    const other = identityRecord();
    await storage().identities.insert(identity);
    await storage().identities.insert(other);
    const record = credentialRecord(identity.id);
    await storage().credentials.insert(record);
    const next = changed(record, { state: 'suspended', label: 'second', expiresAt: T0 + 5 });
    await storage().credentials.replace(next);
    expect(await storage().credentials.byId(record.id)).toStrictEqual(next);
    await expect(storage().credentials.replace(next)).rejects.toMatchObject({ fault: 'version_conflict' });
    await expect(
      storage().credentials.replace(changed(next, { identityId: other.id })),
    ).rejects.toMatchObject({ fault: 'version_conflict' });
  });

  it('gives those of an identity in any state, revoked ones last, each newest first', async () => {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const late = credentialRecord(identity.id, { createdAt: T0 + 2, state: 'revoked' });
    const early = credentialRecord(identity.id, { createdAt: T0 + 1, state: 'suspended' });
    const tie = credentialRecord(identity.id, { createdAt: T0 + 2 });
    for (const record of [late, early, tie]) await storage().credentials.insert(record);
    const ids = (await storage().credentials.ofIdentity(identity.id)).map((record) => record.id);
    expect(ids).toEqual([tie.id, early.id, late.id]);
    expect(await storage().credentials.ofIdentity(freshId('idn'))).toEqual([]);
  });

  it('lists by each filter and in pages', async () => {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const secret = credentialRecord(identity.id, { createdAt: T0 + 1, expiresAt: T0 + 100 });
    const revoked = credentialRecord(identity.id, {
      createdAt: T0 + 2,
      expiresAt: T0 + 200,
      state: 'revoked',
    });
    const spiffe = credentialRecord(identity.id, {
      createdAt: T0 + 3,
      expiresAt: T0 + 300,
      material: { type: 'spiffe', spiffeId: 'spiffe://example.org/a' },
    });
    for (const record of [secret, revoked, spiffe]) await storage().credentials.insert(record);
    const list = async (filter: Parameters<ReturnType<typeof storage>['credentials']['list']>[0]) => {
      const { items } = await storage().credentials.list(
        { identityId: identity.id, ...filter },
        { limit: 9 },
      );
      return items.map((record) => record.id);
    };
    expect(await list({})).toEqual([secret.id, revoked.id, spiffe.id]);
    expect(await list({ type: 'spiffe' })).toEqual([spiffe.id]);
    expect(await list({ state: 'active' })).toEqual([secret.id, spiffe.id]);
    expect(await list({ expiresBefore: T0 + 200 })).toEqual([secret.id]);
    expect(await list({ expiresBefore: T0 + 201, type: 'client_secret' })).toEqual([secret.id, revoked.id]);
    const first = await storage().credentials.list({ identityId: identity.id }, { limit: 2 });
    expect(first.items).toHaveLength(2);
    const rest = await storage().credentials.list(
      { identityId: identity.id },
      { limit: 2, after: first.next },
    );
    expect(rest).toEqual({ items: [spiffe] });
  });
}
