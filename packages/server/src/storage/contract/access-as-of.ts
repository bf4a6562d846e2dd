import { ACCESS_STATES } from '@countersign/admin-api';
import { expect, it } from 'vitest';
import type { AccessFilter, AccessRecord } from '../access.ts';
import { T0, accessRecord, changed, pair } from './records.ts';
import type { Subject } from './subject.ts';

const SCOPES = ['read', 'write', 'admin'];

/** What `listAsOf` must answer, from every version that was ever written. */
function expected(versions: readonly AccessRecord[], filter: AccessFilter, at: number): AccessRecord[] {
  const held = new Map<string, AccessRecord>();
  for (const version of versions) {
    if (
      version.createdAt <= at &&
      version.updatedAt <= at &&
      version.version > (held.get(version.id)?.version ?? 0)
    ) {
      held.set(version.id, version);
    }
  }
  return [...held.values()]
    .filter(
      (record) =>
        (filter.identityId === undefined || record.identityId === filter.identityId) &&
        (filter.resourceServerId === undefined || record.resourceServerId === filter.resourceServerId) &&
        (filter.state === undefined || record.state === filter.state) &&
        (filter.scope === undefined || record.scopes.includes(filter.scope)),
    )
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

/** A fixed sequence that looks like chance (multiplicative congruential, period 2³¹ − 2). */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

export function accessAsOfContract({ storage }: Subject): void {
  it('answers exactly what held at any instant, by any filter, in any pages', async () => {
    const draw = sequence(20261121);
    const pairs = [await pair(storage()), await pair(storage()), await pair(storage())];
    const identities = pairs.map(({ identity }) => identity.id);
    const servers = pairs.map(({ resourceServer }) => resourceServer.id);
    const pick = <T>(from: readonly T[]): T => from[draw(from.length)] as T;
    const versions: AccessRecord[] = [];
    for (let step = 0, now = T0; step < 120; step++, now += draw(3)) {
      const last = versions.length === 0 || draw(3) === 0 ? undefined : newest(versions, pick(versions).id);
      const scopes = SCOPES.filter(() => draw(2) === 0);
      // Rejected ones may share a pair; those that replace keep out of the one-live-access rule by being revoked.
      if (last === undefined) {
        const state = pick(['rejected', 'revoked'] as const);
        const overrides = { scopes, createdAt: now, updatedAt: now, state };
        versions.push(accessRecord(pick(identities), pick(servers), overrides));
        await storage().access.insert(versions.at(-1) as AccessRecord);
      } else {
        const updatedAt = now - (draw(10) === 0 ? 2 : 0);
        versions.push(changed(last, { scopes, updatedAt, state: pick(['rejected', 'revoked'] as const) }));
        await storage().access.replace(versions.at(-1) as AccessRecord);
      }
    }
    const end = Math.max(...versions.map((version) => version.updatedAt));
    const maybe = <T>(from: readonly T[]): T | undefined => (draw(2) === 0 ? pick(from) : undefined);
    for (let round = 0; round < 150; round++) {
      const filter: AccessFilter = {
        identityId: maybe(identities),
        resourceServerId: maybe(servers),
        scope: maybe(SCOPES),
        state: maybe(ACCESS_STATES),
      };
      const at = T0 - 2 + draw(end - T0 + 4);
      const found: AccessRecord[] = [];
      const limit = 1 + draw(20);
      let after: { createdAt: number; id: string } | undefined;
      do {
        const page = await storage().access.listAsOf(filter, at, { limit, after });
        found.push(...page.items);
        after = page.next;
      } while (after !== undefined);
      expect(found, JSON.stringify({ filter, at })).toStrictEqual(expected(versions, filter, at));
    }
  });

  it('answers nothing from before the creation, even when a clock went back behind it', async () => {
    const { identity, resourceServer } = await pair(storage());
    const record = accessRecord(identity.id, resourceServer.id);
    await storage().access.insert(record);
    await storage().access.replace(changed(record, { updatedAt: T0 - 50 }));
    const filter = { identityId: identity.id };
    expect((await storage().access.listAsOf(filter, T0 - 1, { limit: 5 })).items).toEqual([]);
    expect((await storage().access.listAsOf(filter, T0, { limit: 5 })).items).toMatchObject([{ version: 2 }]);
    await storage().identities.replace(changed(identity, { updatedAt: T0 - 50 }));
    expect(await storage().identities.asOf(identity.id, T0 - 1)).toBeUndefined();
    expect(await storage().identities.asOf(identity.id, T0)).toMatchObject({ version: 2 });
  });

  it('answers now what the list answers now', async () => {
    const { identity, resourceServer } = await pair(storage());
    const record = accessRecord(identity.id, resourceServer.id);
    await storage().access.insert(record);
    const filter = { identityId: identity.id };
    const later = T0 + 1e12;
    expect((await storage().access.listAsOf(filter, later, { limit: 5 })).items).toStrictEqual([record]);
    const gone = changed(record, { state: 'revoked' });
    await storage().access.replace(gone);
    expect((await storage().access.listAsOf(filter, later, { limit: 5 })).items).toStrictEqual([gone]);
    expect((await storage().access.listAsOf(filter, gone.updatedAt - 1, { limit: 5 })).items).toStrictEqual([
      record,
    ]);
    expect((await storage().access.listAsOf(filter, T0 - 1, { limit: 5 })).items).toEqual([]);
  });
}

function newest(versions: readonly AccessRecord[], id: string): AccessRecord {
  return versions.filter((version) => version.id === id).at(-1) as AccessRecord;
}
