import { expect, it } from 'vitest';
import { T0, changed, identityRecord, personRecord, teamRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function peopleContract({ storage }: Subject): void {
  it('gives back a person by id, handle, e-mail address and external id', async () => {
    const record = personRecord({
      email: 'Ada.L@example.com',
      externalId: 'hr-17',
      status: 'left',
      leftAt: T0,
      managerHandle: 'Grace',
    });
    await storage().people.insert(record);
    expect(await storage().people.byId(record.id)).toStrictEqual(record);
    expect(await storage().people.byHandle(record.handle)).toStrictEqual(record);
    expect(await storage().people.holdByHandle(record.handle)).toStrictEqual(record);
    expect(await storage().people.byEmail('ada.l@EXAMPLE.com')).toStrictEqual(record);
    expect(await storage().people.byExternalId('hr-17')).toStrictEqual(record);
    expect(await storage().people.byExternalId('HR-17')).toBeUndefined();
    expect(await storage().people.byHandle('nobody')).toBeUndefined();
  });

  it('takes handles that differ in ASCII case for the same, and no others', async () => {
    const record = personRecord({ handle: 'Émile@Example.com' });
    await storage().people.insert(record);
    expect(await storage().people.byHandle('Émile@example.COM')).toStrictEqual(record);
    expect(await storage().people.byHandle('émile@example.com')).toBeUndefined();
  });

  it('keeps handle, e-mail address and external id to one live person and frees them with its deletion', async () => {
    const first = personRecord({ handle: 'lin', email: 'lin@example.com', externalId: 'hr-18' });
    await storage().people.insert(first);
    const others = [
      [personRecord({ handle: 'LIN' }), 'handle'],
      [personRecord({ email: 'Lin@example.com' }), 'email'],
      [personRecord({ externalId: 'hr-18' }), 'external_id'],
    ] as const;
    for (const [record, detail] of others) {
      await expect(storage().people.insert(record)).rejects.toMatchObject({
        fault: 'unique_conflict',
        detail,
      });
    }
    const deleted = changed(first, { deleted: true });
    await storage().people.replace(deleted);
    expect(await storage().people.byHandle('lin')).toBeUndefined();
    expect(await storage().people.byEmail('lin@example.com')).toBeUndefined();
    expect(await storage().people.byExternalId('hr-18')).toBeUndefined();
    expect(await storage().people.byId(first.id)).toStrictEqual(deleted);
    for (const [record] of others) await storage().people.insert(record);
  });

  it('replaces a person by compare-and-swap, never its handle, and keeps what was', async () => {
    const record = personRecord();
    await storage().people.insert(record);
    const next = changed(record, { status: 'left', leftAt: T0 + 1000 });
    await storage().people.replace(next);
    const stale = { fault: 'version_conflict' };
    await expect(storage().people.replace(next)).rejects.toMatchObject(stale);
    await expect(storage().people.replace(changed(next, { handle: 'other' }))).rejects.toMatchObject(stale);
    expect(await storage().people.asOf(record.id, T0 + 999)).toStrictEqual(record);
    expect(await storage().people.asOf(record.id, T0 + 1000)).toStrictEqual(next);
    expect(await storage().people.asOf(record.id, T0 - 1)).toBeUndefined();
  });

  it('lists the live ones by status, manager, text and when they left, page after page', async () => {
    const manager = personRecord({ handle: 'Boss-1' });
    const reports = [1, 2, 3].map((n) =>
      personRecord({
        createdAt: T0 + n,
        managerHandle: 'boss-1',
        name: `Report ${n}`,
        ...(n === 3 ? { status: 'left' as const, leftAt: T0 + 50 } : {}),
      }),
    );
    for (const record of [manager, ...reports]) await storage().people.insert(record);
    const ids = async (filter: Parameters<ReturnType<typeof storage>['people']['list']>[0], limit = 100) =>
      (await storage().people.list(filter, { limit })).items.map(({ id }) => id);
    const all = reports.map(({ id }) => id);
    expect(await ids({ manager: 'BOSS-1' })).toStrictEqual(all);
    expect(await ids({ manager: 'boss-1', status: 'active' })).toStrictEqual(all.slice(0, 2));
    expect(await ids({ manager: 'boss-1', leftSince: T0 + 50 })).toStrictEqual(all.slice(2));
    expect(await ids({ manager: 'boss-1', leftSince: T0 + 51 })).toStrictEqual([]);
    expect(await ids({ manager: 'boss-1', text: 'REPORT 2' })).toStrictEqual(all.slice(1, 2));
    const first = await storage().people.list({ manager: 'boss-1' }, { limit: 2 });
    const second = await storage().people.list({ manager: 'boss-1' }, { limit: 2, after: first.next });
    expect([...first.items, ...second.items].map(({ id }) => id)).toStrictEqual(all);
  });

  it('gives back a team by id and name, with its members in their order', async () => {
    const record = teamRecord({ members: ['zoe', 'Ada'], lead: 'Grace', channel: '#payments' });
    await storage().teams.insert(record);
    expect(await storage().teams.byId(record.id)).toStrictEqual(record);
    expect(await storage().teams.byName(record.name.toUpperCase())).toStrictEqual(record);
    const conflict = { fault: 'unique_conflict', detail: 'name' };
    await expect(storage().teams.insert(teamRecord({ name: record.name }))).rejects.toMatchObject(conflict);
  });

  it('counts on how many identities of a team exactly one owner, or none, is still there', async () => {
    const there = personRecord({ handle: 'Own-1' });
    const gone = personRecord({ handle: 'own-2', status: 'left', leftAt: T0 });
    for (const record of [there, gone]) await storage().people.insert(record);
    const crew = teamRecord({ name: 'Own-Crew', members: ['OWN-1', 'own-2'] });
    await storage().teams.insert(crew);
    const owned = async (person: string, backup?: string, state: 'active' | 'lapsed' = 'active') =>
      await storage().identities.insert(
        identityRecord({ owner: { person, backup, team: 'own-crew' }, state }),
      );
    expect(await storage().teams.ownership('OWN-CREW')).toStrictEqual({
      identities: 0,
      oneLiving: 0,
      noneLiving: 0,
    });
    await owned('own-1');
    await owned('own-1', 'OWN-1');
    await owned('own-2', 'own-1');
    await owned('own-2', 'own-crew');
    await owned('own-2', 'nobody');
    await owned('own-1', 'own-crew');
    await owned('own-2', undefined, 'lapsed');
    expect(await storage().teams.ownership('own-crew')).toStrictEqual({
      identities: 6,
      oneLiving: 5,
      noneLiving: 1,
    });
  });

  it('finds the teams of a person, as member and as lead, as they are now', async () => {
    const one = teamRecord({ members: ['kim', 'lou'] });
    const two = teamRecord({ createdAt: T0 + 1, lead: 'Kim' });
    for (const record of [one, two]) await storage().teams.insert(record);
    const ofKim = async () => (await storage().teams.list({ person: 'KIM' }, { limit: 10 })).items;
    expect(await ofKim()).toStrictEqual([one, two]);
    const left = changed(one, { members: ['lou'] });
    await storage().teams.replace(left);
    await expect(storage().teams.replace(left)).rejects.toMatchObject({ fault: 'version_conflict' });
    expect(await ofKim()).toStrictEqual([two]);
    await storage().teams.replace(changed(two, { deleted: true }));
    expect(await ofKim()).toStrictEqual([]);
    expect(await storage().teams.byName(two.name)).toBeUndefined();
    await storage().teams.insert(teamRecord({ name: two.name }));
  });
}
