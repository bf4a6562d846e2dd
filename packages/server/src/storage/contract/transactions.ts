import { expect, it } from 'vitest';
import { T0, accessRecord, changed, credentialRecord, freshId, identityRecord, pair } from './records.ts';
import type { Subject } from './subject.ts';

export function transactionContract({ storage }: Subject): void {
  it('commits all of it and passes its value on', async () => {
    const identity = identityRecord();
    const credential = credentialRecord(identity.id);
    const value = await storage().transaction(async ({ identities, credentials }) => {
      await identities.insert(identity);
      await credentials.insert(credential);
      return (await credentials.byId(credential.id))?.label;
    });
    expect(value).toBe('first');
    expect(await storage().identities.byId(identity.id)).toStrictEqual(identity);
    expect(await storage().credentials.byId(credential.id)).toStrictEqual(credential);
  });

  it('leaves nothing of a transaction that fails between two steps', async () => {
    const { identity, resourceServer } = await pair(storage());
    const head = await storage().cutoffs.head();
    const event = freshId('evt');
    const access = accessRecord(identity.id, resourceServer.id);
    const suspended = changed(identity, { state: 'suspended' });
    const failing = storage().transaction(async (stores) => {
      await stores.identities.replace(suspended);
      await stores.access.insert(access);
      await stores.cutoffs.append({
        id: freshId('cut'),
        kind: 'identity',
        target: identity.clientId,
        notBefore: 1,
        reason: 'x',
        orderedBy: 'ada',
        createdAt: T0,
      });
      await stores.outbox.insert({ eventId: event, body: '{}', createdAt: T0 });
      throw new RangeError('between two steps');
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await storage().identities.byId(identity.id)).toStrictEqual(identity);
    expect(await storage().identities.asOf(identity.id, suspended.updatedAt)).toStrictEqual(identity);
    expect(await storage().access.byId(access.id)).toBeUndefined();
    expect(
      (await storage().access.list({ scope: 'fraud:read', identityId: identity.id }, { limit: 9 })).items,
    ).toEqual([]);
    expect(await storage().cutoffs.head()).toBe(head);
    expect((await storage().outbox.pending(T0, 1000)).map((record) => record.eventId)).not.toContain(event);
  });

  it('rolls back and rejects with the first fault of a store, even when it is caught', async () => {
    const taken = identityRecord();
    await storage().identities.insert(taken);
    const name = freshId('setting');
    const stubborn = storage().transaction(async ({ identities, settings }) => {
      await settings.set(name, 'before');
      await identities.insert(identityRecord({ clientId: taken.clientId })).catch(() => undefined);
      await settings.set(name, 'after').catch(() => undefined);
      return 'done';
    });
    await expect(stubborn).rejects.toMatchObject({ fault: 'unique_conflict', detail: 'client_id' });
    expect(await storage().settings.get(name)).toBeUndefined();
    const stale = storage().transaction(async ({ identities, settings }) => {
      await settings.set(name, 'before');
      await identities.replace(taken).catch(() => undefined);
    });
    await expect(stale).rejects.toMatchObject({ fault: 'version_conflict' });
    expect(await storage().settings.get(name)).toBeUndefined();
  });

  it('shows its own writes to itself and to nobody else before the commit', async () => {
    const { identity } = await pair(storage());
    const next = changed(identity, { name: 'inside' });
    let read: Promise<unknown> = Promise.resolve();
    await storage().transaction(async ({ identities }) => {
      await identities.replace(next);
      expect(await identities.byId(identity.id)).toStrictEqual(next);
      expect((await identities.asOf(identity.id, next.updatedAt))?.name).toBe('inside');
      // Asked now, not awaited here: the answer must be of before or, where readers wait, of after the commit.
      read = storage()
        .identities.byId(identity.id)
        .then((record) => expect(['Payments', 'inside']).toContain(record?.name));
    });
    await read;
    expect(await storage().identities.byId(identity.id)).toStrictEqual(next);
  });

  it('never shows a reader a part of a transaction', async () => {
    const left = freshId('setting');
    const right = freshId('setting');
    let writing = true;
    const readers = Array.from({ length: 4 }, async () => {
      while (writing) {
        // Right is written second: whoever sees it must find left at least as new.
        const second = Number((await storage().settings.get(right)) ?? 0);
        const first = Number((await storage().settings.get(left)) ?? 0);
        expect(first).toBeGreaterThanOrEqual(second);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let round = 1; round <= 40; round++) {
      await storage().transaction(async ({ settings }) => {
        await settings.set(right, String(round));
        await settings.set(left, String(round));
      });
    }
    writing = false;
    await Promise.all(readers);
  });

  it('serialises writers that compare versions: no update is lost', async () => {
    const { identity } = await pair(storage());
    const addOne = async (): Promise<void> => {
      for (;;) {
        try {
          return await storage().transaction(async ({ identities }) => {
            const record = await identities.byId(identity.id);
            if (record === undefined) throw new Error('gone');
            await identities.replace(changed(record, { sensitivity: record.sensitivity + 1 }));
          });
        } catch (error) {
          if (!(error instanceof Error && 'fault' in error && error.fault === 'version_conflict'))
            throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 12 }, addOne));
    expect(await storage().identities.byId(identity.id)).toMatchObject({ sensitivity: 14, version: 13 });
  });

  it('survives transactions that lock two records in opposite order', async () => {
    const { identity: a } = await pair(storage());
    const { identity: b } = await pair(storage());
    const swap = (first: string, second: string) =>
      storage().transaction(async ({ identities }) => {
        for (const id of [first, second]) {
          const record = await identities.byId(id);
          if (record !== undefined) await identities.replace(changed(record, { name: first }));
        }
      });
    const results = await Promise.allSettled([swap(a.id, b.id), swap(b.id, a.id)]);
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost.length).toBeLessThan(2);
    for (const { reason } of lost) expect(reason).toMatchObject({ fault: 'version_conflict' });
  });

  it('refuses a store that is used after its transaction has ended', async () => {
    const { identity } = await pair(storage());
    let kept: (() => Promise<unknown>) | undefined;
    await storage().transaction(async ({ identities }) => {
      kept = () => identities.replace(changed(identity, { name: 'late' }));
      await identities.byId(identity.id);
    });
    await expect(kept?.()).rejects.toThrow('after its transaction had ended');
    expect((await storage().identities.byId(identity.id))?.name).toBe('Payments');
  });

  it('says in a transaction, too, how long other nodes may not have heard of it', async () => {
    const inside = await storage().transaction(async ({ staleness }) => staleness);
    expect(inside).toBe(storage().staleness);
    expect(inside).toBeGreaterThanOrEqual(0);
  });

  it('answers a ping', async () => {
    await storage().ping();
    expect(storage().coherent()).toBe(true);
  });
}
