import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AccessRecord } from '../access.ts';
import { StorageError } from '../errors.ts';
import type { IdentityRecord } from '../identities.ts';
import type { ResourceServerRecord } from '../resource-servers.ts';
import type { Storage } from '../storage.ts';
import { T0, accessRecord, changed, identityRecord, resourceServerRecord } from './records.ts';
import type { Subject } from './subject.ts';

/** What the storage must hold, as maps that anybody can check by eye. */
interface Model {
  readonly identities: Map<number, IdentityRecord[]>;
  /** The access of each pair `identity:server`, newest last, each with all of its versions. */
  readonly access: Map<string, AccessRecord[][]>;
  now: number;
}

interface Real {
  readonly storage: Storage;
  readonly servers: readonly ResourceServerRecord[];
}

type Command = fc.AsyncCommand<Model, Real>;

const slot = fc.nat({ max: 3 });
const stale = fc.constantFrom(0, 0, 0, 1, -1);

function command(label: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => label };
}

/** Fulfilled with undefined, or the fault it was rejected with. */
async function faultOf(write: Promise<void>): Promise<string | undefined> {
  try {
    await write;
    return undefined;
  } catch (error) {
    if (error instanceof StorageError) return error.fault;
    throw error;
  }
}

const commands = [
  slot.map((who) =>
    command(`insert identity ${who}`, async (model, { storage }) => {
      const known = model.identities.get(who)?.at(-1);
      const record = identityRecord({
        ...(known && { clientId: known.clientId }),
        createdAt: model.now,
        updatedAt: model.now,
      });
      const fault = await faultOf(storage.identities.insert(record));
      expect(fault).toBe(known === undefined ? undefined : 'unique_conflict');
      if (fault === undefined) model.identities.set(who, [record]);
    }),
  ),
  fc.tuple(slot, stale, fc.nat({ max: 2 })).map(([who, off, wait]) =>
    command(`replace identity ${who}, off by ${off}, after ${wait} ms`, async (model, { storage }) => {
      const versions = model.identities.get(who);
      const known = versions?.at(-1);
      model.now += wait;
      const base = known ?? identityRecord();
      const next = changed(base, {
        version: base.version + 1 + off,
        updatedAt: model.now,
        name: `at ${model.now}`,
      });
      const fault = await faultOf(storage.identities.replace(next));
      expect(fault).toBe(known !== undefined && off === 0 ? undefined : 'version_conflict');
      if (fault === undefined) versions?.push(next);
    }),
  ),
  fc.tuple(slot, fc.nat({ max: 1 })).map(([who, server]) =>
    command(`insert access ${who}:${server}`, async (model, { storage, servers }) => {
      const identity = model.identities.get(who)?.at(-1);
      const pair = `${who}:${server}`;
      const live = model.access.get(pair)?.at(-1)?.at(-1)?.state === 'active';
      const record = accessRecord(identity?.id ?? 'idn_nobody', servers[server]?.id ?? '', {
        createdAt: model.now,
        updatedAt: model.now,
      });
      const fault = await faultOf(storage.access.insert(record));
      const expected = live ? 'unique_conflict' : undefined;
      expect(fault).toBe(identity === undefined ? 'missing_reference' : expected);
      if (fault === undefined) model.access.set(pair, [...(model.access.get(pair) ?? []), [record]]);
    }),
  ),
  fc.tuple(slot, fc.nat({ max: 1 }), stale, fc.boolean()).map(([who, server, off, revoke]) =>
    command(`replace access ${who}:${server}, off by ${off}`, async (model, { storage }) => {
      const versions = model.access.get(`${who}:${server}`)?.at(-1);
      const known = versions?.at(-1);
      if (versions === undefined || known === undefined || known.state !== 'active') return;
      model.now++;
      const next = changed(known, {
        version: known.version + 1 + off,
        updatedAt: model.now,
        ...(revoke && { state: 'revoked' as const }),
      });
      const fault = await faultOf(storage.access.replace(next));
      expect(fault).toBe(off === 0 ? undefined : 'version_conflict');
      if (fault === undefined) versions.push(next);
    }),
  ),
  slot.map((who) =>
    command(`read identity ${who}`, async (model, { storage }) => {
      const versions = model.identities.get(who);
      const known = versions?.at(-1);
      if (versions === undefined || known === undefined) return;
      expect(await storage.identities.byId(known.id)).toStrictEqual(known);
      expect(await storage.identities.byClientId(known.clientId)).toStrictEqual(known);
      for (const { updatedAt } of versions) {
        const held = versions.filter((version) => version.updatedAt <= updatedAt).at(-1);
        expect(await storage.identities.asOf(known.id, updatedAt)).toStrictEqual(held);
      }
    }),
  ),
  slot.map((who) =>
    command(`read access of ${who}`, async (model, { storage, servers }) => {
      const identity = model.identities.get(who)?.at(-1);
      if (identity === undefined) return;
      const all = servers.flatMap((_, server) => model.access.get(`${who}:${server}`) ?? []);
      const newest = all.map((versions) => versions.at(-1) as AccessRecord).sort(byAge);
      const active = newest.filter((record) => record.state === 'active');
      expect(await storage.access.activeOfIdentity(identity.id)).toStrictEqual(active);
      const filter = { identityId: identity.id };
      expect((await storage.access.list(filter, { limit: 1000 })).items).toStrictEqual(newest);
      const at = model.now - 2;
      const then = all
        .flatMap((versions) => versions.filter((version) => version.updatedAt <= at).at(-1) ?? [])
        .sort(byAge);
      expect((await storage.access.listAsOf(filter, at, { limit: 1000 })).items).toStrictEqual(then);
    }),
  ),
];

function byAge(a: AccessRecord, b: AccessRecord): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

export function modelContract({ storage }: Subject): void {
  it('does as a map of versions would, whatever the order of writes and reads', async () => {
    const servers = [resourceServerRecord(), resourceServerRecord()];
    for (const server of servers) await storage().resourceServers.insert(server);
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (sequence) => {
        const setup = () => ({
          model: { identities: new Map(), access: new Map(), now: T0 } satisfies Model,
          real: { storage: storage(), servers },
        });
        await fc.asyncModelRun(setup, sequence);
      }),
      { numRuns: 25 },
    );
  });
}
