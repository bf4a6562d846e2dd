import { expect, it } from 'vitest';
import type { CredentialRecord } from '../credentials.ts';
import type { IdentityRecord } from '../identities.ts';
import { T0, changed, credentialRecord, identityRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function statusIndexContract({ storage }: Subject): void {
  const places = () => storage().statusIndexes;

  async function made(
    change: Partial<CredentialRecord> = {},
    of: Partial<IdentityRecord> = {},
  ): Promise<{ identity: IdentityRecord; credential: CredentialRecord }> {
    const identity = identityRecord(of);
    await storage().identities.insert(identity);
    const credential = credentialRecord(identity.id, change);
    await storage().credentials.insert(credential);
    return { identity, credential };
  }
  const isValid = async (index: number | undefined, now = T0): Promise<boolean> =>
    index !== undefined && (await places().valid(index, index + 1, now)).length === 1;

  it('gives a credential one place, however often and by however many it is asked', async () => {
    const start = await places().head();
    const { credential } = await made();
    const asked = await Promise.all(Array.from({ length: 20 }, () => places().allot(credential.id)));
    expect(new Set(asked)).toEqual(new Set([start]));
    const { credential: other } = await made();
    expect(await places().allot(other.id)).toBe(start + 1);
    expect(await places().head()).toBe(start + 2);
    expect(await places().valid(start, start + 2, T0)).toEqual([start, start + 1]);
    expect(await places().valid(start + 1, start + 2, T0)).toEqual([start + 1]);
  });

  it('gives none to what is not active, or not there', async () => {
    const start = await places().head();
    const revoked = await made({ state: 'revoked' });
    const suspended = await made({}, { state: 'suspended' });
    for (const id of [revoked.credential.id, suspended.credential.id, 'crd_none'])
      expect(await places().allot(id)).toBeUndefined();
    expect(await places().head()).toBe(start);
  });

  it('ends the place of a credential, or of all of an identity, for ever: the next one is new', async () => {
    const { identity, credential } = await made();
    const second = credentialRecord(identity.id);
    await storage().credentials.insert(second);
    const first = await places().allot(credential.id);
    const sibling = await places().allot(second.id);
    await places().end({ credential: credential.id }, T0);
    expect([await isValid(first), await isValid(sibling)]).toEqual([false, true]);
    const next = await places().allot(credential.id);
    expect(next).toBeGreaterThan(sibling as number);
    await places().end({ identity: identity.clientId }, T0);
    for (const index of [first, sibling, next]) expect(await isValid(index)).toBe(false);
  });

  it('calls good only what is active and has not expired, both credential and identity', async () => {
    const { identity, credential } = await made();
    const index = await places().allot(credential.id);
    expect(await isValid(index, credential.expiresAt - 1)).toBe(true);
    expect(await isValid(index, Math.min(credential.expiresAt, identity.expiresAt))).toBe(false);
    const suspended = changed(identity, { state: 'suspended' as const });
    await storage().identities.replace(suspended);
    expect(await isValid(index)).toBe(false);
    await storage().identities.replace(changed(suspended, { state: 'active' as const }));
    expect(await isValid(index)).toBe(true);
    await storage().credentials.replace(changed(credential, { state: 'revoked' as const }));
    expect(await isValid(index)).toBe(false);
  });

  it('sweeps what ended before, and gives no place twice', async () => {
    const { credential } = await made();
    const old = await places().allot(credential.id);
    await places().end({ credential: credential.id }, T0 - 10);
    const kept = await places().allot(credential.id);
    expect(await places().sweep(T0 - 9)).toBe(1);
    expect(await places().sweep(T0 - 9)).toBe(0);
    expect([await isValid(old), await isValid(kept)]).toEqual([false, true]);
    const { credential: other } = await made();
    expect(await places().allot(other.id)).toBe((kept as number) + 1);
  });
}
