import { expect, it } from 'vitest';
import type { EndingCaller } from '../ending-callers.ts';
import type { DecommissionPlan } from '../identities.ts';
import {
  accessRecord,
  changed,
  credentialRecord,
  freshId,
  identityRecord,
  resourceServerRecord,
  T0,
} from './records.ts';
import type { Subject } from './subject.ts';

/** What time does, and who still calls what is ending. */
export function lifecycleContract({ storage }: Subject): void {
  const plan = (nextAt: number): DecommissionPlan => ({
    from: 'active',
    beganAt: T0,
    phase: 'shadow',
    shadowUntil: T0 + 10,
    brownOuts: [{ from: T0 + 10, to: T0 + 20 }],
    brownOutsBegun: 0,
    stopAt: T0 + 30,
    endsAt: T0 + 40,
    nextAt,
    forced: true,
  });

  it('gives back how an identity is activated and how it ends', async () => {
    const full = identityRecord({
      activation: 'first_proof',
      decommissioning: plan(T0 + 10),
      stateSince: T0 - 5,
    });
    await storage().identities.insert(full);
    expect(await storage().identities.byId(full.id)).toStrictEqual(full);
    const { activation: _, decommissioning: __, ...rest } = full;
    const without = changed(rest, { updatedAt: T0 + 1 });
    await storage().identities.replace(without);
    expect(await storage().identities.byId(full.id)).toStrictEqual(without);
    expect(await storage().identities.asOf(full.id, T0)).toStrictEqual(full);
  });

  it('finds identities whose instant has come, the longest overdue first, in pages', async () => {
    const { identities } = storage();
    // Of a state that no other test uses, so that they can share a database.
    const state = 'lapsed' as const;
    const made = [30, 10, 20, 20].map((at) =>
      identityRecord({ state, expiresAt: T0 + at, stateSince: T0 - at, decommissioning: plan(T0 + at) }),
    );
    for (const each of made) await identities.insert(each);
    const [third, first, second, tie] = made.map(({ id }) => id);
    const all = await identities.due(state, 'expiresAt', T0 + 20, { limit: 10 });
    expect(all).toEqual([
      { id: first, at: T0 + 10 },
      { id: second, at: T0 + 20 },
      { id: tie, at: T0 + 20 },
    ]);
    expect(await identities.due(state, 'expiresAt', T0 + 30, { limit: 10, after: all[1] })).toEqual([
      all[2],
      { id: third, at: T0 + 30 },
    ]);
    expect(await identities.due(state, 'expiresAt', T0 + 30, { limit: 1 })).toEqual([all[0]]);
    expect((await identities.due(state, 'stateSince', T0 - 30, { limit: 10 })).map(({ id }) => id)).toEqual([
      third,
    ]);
    expect((await identities.due(state, 'plan', T0 + 10, { limit: 10 })).map(({ id }) => id)).toEqual([
      first,
    ]);
    expect(await identities.due('rejected', 'plan', T0 + 100, { limit: 10 })).toEqual([]);
  });

  it('finds credentials and accesses that are past their end and do not say so', async () => {
    const identity = identityRecord();
    const servers = [resourceServerRecord(), resourceServerRecord(), resourceServerRecord()];
    await storage().identities.insert(identity);
    for (const each of servers) await storage().resourceServers.insert(each);
    const states = ['active', 'suspended', 'revoked', 'expired'] as const;
    const credentials = states.map((state, at) =>
      credentialRecord(identity.id, { state, expiresAt: at + 1 }),
    );
    for (const each of credentials) await storage().credentials.insert(each);
    expect(await storage().credentials.due(5, { limit: 10 })).toEqual([
      { id: credentials[0]?.id, at: 1 },
      { id: credentials[1]?.id, at: 2 },
    ]);
    expect(await storage().credentials.due(1, { limit: 10 })).toHaveLength(1);
    const access = (['active', 'requested', 'revoked'] as const).map((state, at) =>
      accessRecord(identity.id, servers[at]?.id ?? '', { state, expiresAt: at + 1 }),
    );
    for (const each of access) await storage().access.insert(each);
    expect((await storage().access.due(5, { limit: 10 })).map(({ id }) => id)).toEqual([
      access[0]?.id,
      access[1]?.id,
    ]);
    await storage().access.replace(changed(access[0] as (typeof access)[0], { state: 'expired' }));
    // Its place is free again.
    await storage().access.insert(accessRecord(identity.id, servers[0]?.id ?? '', {}));
  });

  it('empties the digests of one identity in every version, and nothing else', async () => {
    const [identity, other] = [identityRecord(), identityRecord()];
    const digest = `digest-${identity.id}`;
    const secret = credentialRecord(identity.id, {
      material: { type: 'api_key', publicId: `p-${identity.id}`, digest, scopes: ['a "quoted" one'] },
    });
    const key = credentialRecord(identity.id, { material: { type: 'spiffe', spiffeId: 'spiffe://a/b' } });
    const spared = credentialRecord(other.id);
    for (const each of [identity, other]) await storage().identities.insert(each);
    for (const each of [secret, key, spared]) await storage().credentials.insert(each);
    await storage().credentials.replace(changed(secret, { label: 'second', updatedAt: T0 + 5 }));
    await storage().credentials.erase(identity.id);
    const after = await storage().credentials.byId(secret.id);
    expect(after?.material).toEqual({ ...secret.material, digest: '' });
    expect(after?.version).toBe(2);
    expect((await storage().credentials.byPublicId(`p-${identity.id}`))?.id).toBe(secret.id);
    expect(await storage().credentials.byId(key.id)).toEqual(key);
    expect(await storage().credentials.byId(spared.id)).toEqual(spared);
  });

  it('tells when an identity was last used, by tokens and by calls of all its credentials', async () => {
    const [used, called, never] = [identityRecord(), identityRecord(), identityRecord()];
    const server = resourceServerRecord();
    await storage().resourceServers.insert(server);
    for (const each of [used, called, never]) await storage().identities.insert(each);
    const [first, second, third] = [used, used, called].map(({ id }) => credentialRecord(id));
    for (const each of [first, second, third]) {
      if (each !== undefined) await storage().credentials.insert(each);
    }
    const access = accessRecord(called.id, server.id);
    await storage().access.insert(access);
    await storage().credentialUse.note(first?.id ?? '', T0 + 5);
    await storage().credentialUse.note(second?.id ?? '', T0 + 9);
    await storage().credentialUse.note(third?.id ?? '', T0 + 1);
    const row = {
      accessId: access.id,
      credentialId: third?.id ?? '',
      resourceServerId: server.id,
      ok: 1,
      denied: 1,
      days: '',
    };
    await storage().usage.put([
      { ...row, scope: 'a', lastOkAt: T0 + 7, lastDeniedAt: T0 + 90 },
      { ...row, scope: 'b', ok: 0, lastOkAt: undefined, lastDeniedAt: T0 + 99 },
    ]);
    const last = await storage().credentialUse.ofIdentities([used.id, called.id, never.id]);
    expect(last).toEqual(
      new Map([
        [used.id, T0 + 9],
        [called.id, T0 + 7],
      ]),
    );
  });

  it('adds up who calls what is ending, and forgets it', async () => {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const caller: EndingCaller = {
      identityId: identity.id,
      phase: 'shadow',
      resourceServer: 'https://a.example',
      instance: '',
      source: '192.0.2.1',
      agent: 'curl',
      letThrough: 2,
      refused: 0,
      firstAt: T0 + 5,
      lastAt: T0 + 6,
    };
    const { endingCallers } = storage();
    await endingCallers.add([caller, { ...caller, instance: 'b', lastAt: T0 + 9 }]);
    await endingCallers.add([{ ...caller, letThrough: 1, refused: 3, firstAt: T0 + 1, lastAt: T0 + 2 }]);
    await endingCallers.add([{ ...caller, identityId: freshId('idn') }]);
    expect(await endingCallers.ofIdentity(identity.id)).toEqual([
      { ...caller, instance: 'b', lastAt: T0 + 9 },
      { ...caller, letThrough: 3, refused: 3, firstAt: T0 + 1 },
    ]);
    await endingCallers.forget(identity.id);
    expect(await endingCallers.ofIdentity(identity.id)).toEqual([]);
  });
}
