import { expect, it } from 'vitest';
import type { IdentityRecord } from '../identities.ts';
import type { Page, PageRequest } from '../page.ts';
import { T0, changed, freshId, identityRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function identityContract({ storage }: Subject): void {
  it('gives back what was inserted, by id and by client_id', async () => {
    const full = identityRecord({
      name: 'Zahlungen Ünïcode 支払い',
      owner: { person: 'ada', backup: 'grace', team: undefined },
      state: 'suspended',
      stateReason: 'leaked',
      securityStop: true,
      builtIn: true,
    });
    await storage().identities.insert(full);
    expect(await storage().identities.byId(full.id)).toStrictEqual(full);
    expect(await storage().identities.byClientId(full.clientId)).toStrictEqual(full);
  });

  it('gives back several at once, and leaves out what it does not have', async () => {
    const records = [identityRecord(), identityRecord()];
    for (const record of records) await storage().identities.insert(record);
    const [first, second] = records as [IdentityRecord, IdentityRecord];
    const found = await storage().identities.byIds([second.id, 'idn_nobody', first.id]);
    expect(new Map(found.map((each) => [each.id, each]))).toStrictEqual(
      new Map(records.map((each) => [each.id, each])),
    );
    expect(await storage().identities.byIds([])).toEqual([]);
  });

  it('answers undefined for what it does not have', async () => {
    expect(await storage().identities.byId('idn_nobody')).toBeUndefined();
    expect(await storage().identities.byClientId('nobody')).toBeUndefined();
    expect(await storage().identities.asOf('idn_nobody', T0)).toBeUndefined();
  });

  it('compares client_id as it is written', async () => {
    const record = identityRecord({ clientId: 'Case-Sensitive' });
    await storage().identities.insert(record);
    expect(await storage().identities.byClientId('case-sensitive')).toBeUndefined();
    await storage().identities.insert(identityRecord({ clientId: 'case-sensitive' }));
  });

  it('refuses a client_id for ever once it was used', async () => {
    const first = identityRecord();
    await storage().identities.insert(first);
    await storage().identities.replace(changed(first, { state: 'decommissioned' }));
    const second = identityRecord({ clientId: first.clientId });
    await expect(storage().identities.insert(second)).rejects.toMatchObject({
      name: 'StorageError',
      fault: 'unique_conflict',
      detail: 'client_id',
    });
    expect(await storage().identities.byId(second.id)).toBeUndefined();
    expect(await storage().identities.asOf(second.id, T0)).toBeUndefined();
  });

  it('never lets an identity change its client_id or its instant of creation', async () => {
    const record = identityRecord();
    await storage().identities.insert(record);
    const renamed = changed(record, { clientId: `${record.clientId}-2` });
    await expect(storage().identities.replace(renamed)).rejects.toMatchObject({ fault: 'version_conflict' });
    const older = changed(record, { createdAt: record.createdAt - 1 });
    await expect(storage().identities.replace(older)).rejects.toMatchObject({ fault: 'version_conflict' });
  });

  it('replaces the version before and no other', async () => {
    const record = identityRecord();
    await storage().identities.insert(record);
    const next = changed(record, {
      name: 'Payments 2',
      owner: { person: 'bob', backup: undefined, team: undefined },
    });
    await storage().identities.replace(next);
    expect(await storage().identities.byId(record.id)).toStrictEqual(next);
    for (const version of [1, 2, 4]) {
      await expect(storage().identities.replace({ ...next, version })).rejects.toMatchObject({
        fault: 'version_conflict',
      });
    }
    expect(await storage().identities.byId(record.id)).toStrictEqual(next);
  });

  it('never creates by replacing', async () => {
    const record = identityRecord({ version: 2 });
    await expect(storage().identities.replace(record)).rejects.toMatchObject({ fault: 'version_conflict' });
    expect(await storage().identities.byId(record.id)).toBeUndefined();
  });

  it('lets exactly one of 50 parallel writers win', async () => {
    const record = identityRecord();
    await storage().identities.insert(record);
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        storage().identities.replace(changed(record, { name: `writer ${index}` })),
      ),
    );
    const won = results.findIndex((result) => result.status === 'fulfilled');
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost).toHaveLength(49);
    for (const { reason } of lost) expect(reason).toMatchObject({ fault: 'version_conflict' });
    expect((await storage().identities.byId(record.id))?.name).toBe(`writer ${won}`);
  });

  it('knows each version in its time', async () => {
    const first = identityRecord({ updatedAt: T0 });
    const second = changed(first, { updatedAt: T0 + 10, state: 'suspended' });
    const third = changed(second, {
      updatedAt: T0 + 20,
      owner: { person: 'bob', backup: 'eve', team: 'risk' },
    });
    await storage().identities.insert(first);
    await storage().identities.replace(second);
    await storage().identities.replace(third);
    const asOf = (at: number) => storage().identities.asOf(first.id, at);
    expect(await asOf(T0 - 1)).toBeUndefined();
    expect(await asOf(T0)).toStrictEqual(first);
    expect(await asOf(T0 + 9)).toStrictEqual(first);
    expect(await asOf(T0 + 10)).toStrictEqual(second);
    expect(await asOf(T0 + 19)).toStrictEqual(second);
    expect(await asOf(T0 + 20)).toStrictEqual(third);
    expect(await asOf(T0 + 1e12)).toStrictEqual(third);
  });

  it('lets the higher version hold when two share a millisecond or a clock went backwards', async () => {
    const first = identityRecord({ updatedAt: T0 });
    const second = changed(first, { updatedAt: T0 + 10, name: 'two' });
    const same = changed(second, { updatedAt: T0 + 10, name: 'three' });
    const backwards = changed(same, { updatedAt: T0 + 5, name: 'four' });
    await storage().identities.insert(first);
    await storage().identities.replace(second);
    await storage().identities.replace(same);
    expect((await storage().identities.asOf(first.id, T0 + 10))?.name).toBe('three');
    await storage().identities.replace(backwards);
    expect((await storage().identities.asOf(first.id, T0 + 4))?.name).toBe('Payments');
    for (const at of [T0 + 5, T0 + 9, T0 + 10, T0 + 99]) {
      expect((await storage().identities.asOf(first.id, at))?.name).toBe('four');
    }
  });

  it('lists by each filter, oldest first', async () => {
    const team = freshId('team');
    const owner = { person: freshId('person'), backup: undefined, team };
    const one = identityRecord({
      owner,
      createdAt: T0 + 2,
      kind: 'job',
      environment: 'dev',
      name: 'Nightly 50%_A',
    });
    const two = identityRecord({ owner, createdAt: T0 + 1, state: 'suspended' });
    const three = identityRecord({ owner: { ...owner, person: freshId('person') }, createdAt: T0 + 2 });
    for (const record of [one, two, three]) await storage().identities.insert(record);
    const list = async (filter: Parameters<typeof find>[0]) =>
      (await find(filter)).map((record) => record.id);
    const find = async (filter: Parameters<ReturnType<typeof storage>['identities']['list']>[0]) =>
      (await storage().identities.list({ ownerTeam: team, ...filter }, { limit: 10 })).items;
    expect(await list({})).toEqual([two.id, one.id, three.id]);
    expect(await list({ ownerPerson: owner.person })).toEqual([two.id, one.id]);
    expect(await list({ state: 'suspended' })).toEqual([two.id]);
    expect(await list({ kind: 'job' })).toEqual([one.id]);
    expect(await list({ environment: 'dev' })).toEqual([one.id]);
    expect(await list({ text: 'nIGHTly' })).toEqual([one.id]);
    expect(await list({ text: '50%_a' })).toEqual([one.id]);
    expect(await list({ text: '50_%' })).toEqual([]);
    expect(await list({ text: '\\' })).toEqual([]);
    expect(await list({ text: two.clientId.toUpperCase() })).toEqual([two.id]);
    expect(await list({ state: 'active', kind: 'service', text: 'pay' })).toEqual([three.id]);
    expect(await list({ ownerTeam: 'no such team' })).toEqual([]);
  });

  it('gives those that are alike and may act, the oldest first, without regard to the case of their owner', async () => {
    const purpose = `is alike ${freshId('x')}`;
    const owner = { person: 'Ada', backup: undefined, team: undefined };
    const made = [
      identityRecord({ purpose, owner, createdAt: T0 + 2, state: 'suspended' }),
      identityRecord({ purpose, owner: { ...owner, person: 'aDA' }, createdAt: T0 + 1 }),
      identityRecord({ purpose, owner, state: 'decommissioned' }),
      identityRecord({ purpose, owner, environment: 'dev' }),
      identityRecord({ purpose, owner: { ...owner, person: 'bob' } }),
    ] as const;
    for (const record of made) await storage().identities.insert(record);
    const [suspended, active] = made;
    const alike = await storage().identities.alike(active, 10);
    expect(alike).toEqual([active, suspended].map(({ id, clientId }) => ({ id, clientId })));
    expect(await storage().identities.alike(active, 1)).toHaveLength(1);
  });

  it('pages without skipping or repeating while rows arrive', async () => {
    const owner = { person: 'ada', backup: undefined, team: freshId('team') };
    const page = (request: PageRequest): Promise<Page<IdentityRecord>> =>
      storage().identities.list({ ownerTeam: owner.team }, request);
    const rows = Array.from({ length: 10 }, (_, index) =>
      identityRecord({ owner, createdAt: T0 + Math.floor(index / 3) * 10 }),
    );
    for (const row of rows) await storage().identities.insert(row);
    const seen: string[] = [];
    let request: PageRequest = { limit: 3 };
    for (let next: PageRequest | undefined = request; next !== undefined; ) {
      const { items, next: after } = await page(next);
      seen.push(...items.map((item) => item.id));
      // One arrives before the position, where the reader has been, and one among those of the same millisecond.
      await storage().identities.insert(identityRecord({ id: freshId('early'), owner, createdAt: T0 - 1 }));
      request = after === undefined ? request : { limit: 3, after };
      next = after === undefined ? undefined : request;
    }
    expect(seen).toEqual(rows.map((row) => row.id));
    const exact = await page({ limit: 14 });
    expect(exact.items).toHaveLength(14);
    expect(exact.next).toBeUndefined();
    const all = await page({ limit: 13 });
    expect(all.items).toHaveLength(13);
    expect((await page({ limit: 13, after: all.next })).items).toHaveLength(1);
  });

  it('names who owns any, each once, in the case that compares', async () => {
    const { identities } = storage();
    for (const person of ['zz-Ada', 'zz-ada', 'zz-Bea@example.com', 'zz-cyd', 'zz-Éva']) {
      await identities.insert(identityRecord({ owner: { person, backup: undefined, team: undefined } }));
    }
    const owners = await identities.owners('zz-', 3);
    expect(owners).toEqual(['zz-ada', 'zz-bea@example.com', 'zz-cyd']);
    expect(await identities.owners('zz-cyd', 10)).toEqual(['zz-Éva']);
  });
}
