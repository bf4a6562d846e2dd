import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anEvent, fakeIndex } from '../test/segments.ts';
import { type ChangeEvent, type Changes, createChanges } from './audit/change.ts';
import type { LoggedEvent } from './audit/event.ts';
import { createAuditLog } from './audit/group-commit.ts';
import { openSegmentFileSink } from './audit/segment-file.ts';
import type { AuditSink } from './audit/sink.ts';
import { openSqliteStorage } from './database/sqlite.ts';
import { identityView, resourceServerView } from './registry/views.ts';
import { RegistryBehind, RegistryLost, requireRegistryOfLog } from './registry-of-log.ts';
import {
  changed,
  identityRecord,
  resourceServerRecord,
  signingKeyRecord,
} from './storage/contract/records.ts';
import type { IdentityRecord } from './storage/identities.ts';
import type { Storage } from './storage/storage.ts';

const clock = { now: () => 1_800_000_000_000 };
let filler = 0;
const random = (size: number): Buffer => Buffer.alloc(size, ++filler);

let folder: string;
let storage: Storage;
let sink: AuditSink;
let changes: Changes;
const path = (name: string): string => join(folder, name);

async function open(): Promise<void> {
  storage = await openSqliteStorage({ path: path('registry.db'), clock });
  sink = await openSegmentFileSink({ directory: path('audit'), index: fakeIndex() });
  const log = createAuditLog(sink, () => undefined);
  changes = createChanges({ storage, log, clock, random, node: 'n1' });
}
async function close(): Promise<void> {
  await storage.close();
  await sink.close();
}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-registry-'));
  await open();
});
afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

const tellOf = (record: IdentityRecord, verb: string): ChangeEvent => ({
  type: `identity.${verb}`,
  resource: record.id,
  after: identityView(record),
});
const create = (record: IdentityRecord): Promise<void> =>
  changes.run({ identity: 'admin' }, async (stores, tell) => {
    await stores.identities.insert(record);
    tell(tellOf(record, 'created'));
  });
const replace = (record: IdentityRecord): Promise<void> =>
  changes.run({ identity: 'admin' }, async (stores, tell) => {
    await stores.identities.replace(record);
    tell(tellOf(record, 'suspended'));
  });
const start = (lostUntil = 0): Promise<void> => requireRegistryOfLog(storage, sink, lostUntil);

/** What is in the file of the registry now is what the next start finds, beside the whole log. */
async function backTo(copy: string): Promise<void> {
  await close();
  for (const name of ['registry.db', 'registry.db-wal', 'registry.db-shm'])
    rmSync(path(name), { force: true });
  copyFileSync(path(copy), path('registry.db'));
  await open();
}

describe('an empty registry', () => {
  const log = (events: readonly LoggedEvent[], meanwhile = async (): Promise<void> => undefined) => ({
    find: async () => {
      await meanwhile();
      return events;
    },
  });

  it('is begun beside an empty log, and not beside one that has events', async () => {
    await requireRegistryOfLog(storage, log([]), 0);
    const event: LoggedEvent = { ...anEvent(), seq: 1 };
    await expect(requireRegistryOfLog(storage, log([event]), 0)).rejects.toThrow(RegistryLost);
  });

  it('is not taken for lost when another node begins it at the same moment', async () => {
    const event: LoggedEvent = { ...anEvent(), seq: 1 };
    const meanwhile = () => storage.settings.set('built_in_identity', 'idn_x');
    await requireRegistryOfLog(storage, log([event], meanwhile), 0);
    // Nor is the log asked, which may take long, when something is in the registry.
    await requireRegistryOfLog(storage, { find: () => Promise.reject(new Error('asked')) }, 0);
  });
});

describe('a registry beside its log', () => {
  const identity = identityRecord({ clientId: 'payments' });
  beforeEach(async () => {
    await storage.settings.set('built_in_identity', 'idn_x');
    await create(identity);
  });

  it('that has every change is started, whatever else was logged since', async () => {
    await replace(changed(identity, { state: 'suspended' }));
    await sink.commit(Array.from({ length: 300 }, () => anEvent()));
    await start();
    await close();
    await open();
    await start();
  });

  it('that was copied without the file ending in -wal is not, and the refusal says what to do', async () => {
    copyFileSync(path('registry.db'), path('copy.db'));
    await replace(changed(identity, { state: 'suspended' }));
    await sink.commit(Array.from({ length: 300 }, () => anEvent()));
    await backTo('copy.db');
    // Nothing of it was in the file itself, or a part: the log knows either way.
    await storage.settings.set('built_in_identity', 'idn_x');
    await expect(start()).rejects.toThrow(RegistryBehind);
    await expect(start()).rejects.toThrow(`identity.suspended ${identity.id} (event 2)`);
    await expect(start()).rejects.toThrow('lost-changes-until (COUNTERSIGN_LOST_CHANGES_UNTIL) to 2');
  });

  it('that is an old copy put back on purpose is started when that is said, and watched from there on', async () => {
    await close();
    copyFileSync(path('registry.db'), path('copy.db'));
    await open();
    await replace(changed(identity, { state: 'suspended' }));
    await backTo('copy.db');
    await expect(start(1)).rejects.toThrow(RegistryBehind);
    await start(2);
    await create(identityRecord());
    await start(2);
    await backTo('copy.db');
    await expect(start(2)).rejects.toThrow('UNTIL) to 3');
  });

  it('that lacks a cut-off, a resource server or a key is not started; orders about single tokens are swept', async () => {
    await storage.signingKeys.insert(signingKeyRecord({ kid: 'k1', state: 'next' }));
    const told = async (event: ChangeEvent): Promise<string> => {
      await changes.run({ identity: 'admin' }, (_stores, tell) => Promise.resolve(tell(event)));
      const error: unknown = await start(seen).catch((caught: unknown) => caught);
      seen++;
      return error instanceof RegistryBehind ? 'behind' : String(error);
    };
    let seen = 1;
    const cutoff = (kind: string): ChangeEvent => ({
      type: 'cutoff.ordered',
      resource: 'cut_1',
      after: { kind },
    });
    expect(await told(cutoff('identity'))).toBe('behind');
    expect(await told(cutoff('token'))).toBe('undefined');
    const server = resourceServerRecord();
    const created = {
      type: 'resource_server.created',
      resource: server.id,
      after: resourceServerView(server),
    };
    expect(await told(created)).toBe('behind');
    const key = (resource: string, state: string): ChangeEvent => ({
      type: 'key.activated',
      resource,
      after: { state },
    });
    expect(await told(key('k2', 'next'))).toBe('behind');
    expect(await told(key('k1', 'active'))).toBe('behind');
    expect(await told(key('k1', 'next'))).toBe('undefined');
    // Of what the registry does not hold it says nothing.
    expect(await told({ type: 'finding.opened', resource: 'fnd_1', after: { version: 9 } })).toBe(
      'undefined',
    );
  });

  it('names five of many, and how many more there are', async () => {
    copyFileSync(path('registry.db'), path('copy.db'));
    for (let i = 0; i < 8; i++) await create(identityRecord());
    await backTo('copy.db');
    await storage.settings.set('built_in_identity', 'idn_x');
    await expect(start()).rejects.toThrow(/\(event 9\),.* and 4 more\. /);
  });
});
