import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createChanges } from '../../audit/change.ts';
import { openPostgresStorage } from '../../database/postgres.ts';
import { openSqliteStorage } from '../../database/sqlite.ts';
import { openMemoryStorage } from '../../../test/memory-storage.ts';
import { testDatabases } from '../../database/test-databases.ts';
import { pooledRandom } from '../../ids.ts';
import { changeAccess, createAccess, revokeAccess } from '../../registry/access.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { AccessRecord } from '../../storage/access.ts';
import { identityRecord, resourceServerRecord } from '../../storage/contract/records.ts';
import type { ReviewItemNow } from '../../storage/review-items.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Storage } from '../../storage/storage.ts';
import { fakeLog } from '../../../test/fake-log.ts';
import { runReviewsJob } from '../jobs/run-reviews.ts';
import { closeReview, createReview, startReview } from './campaign.ts';
import { decideItem, refreshItem } from './decide.ts';
import { fillReview } from './fill.ts';
import { findItem } from './item.ts';

const START = 1_800_000_000_000;
const DAY = 86_400_000;
const never = new AbortController().signal;
const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
const databases = server === undefined ? undefined : testDatabases(server);
const folder = mkdtempSync(join(tmpdir(), 'countersign-reviews-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await databases?.dropAll();
});

const BACKENDS = [
  ['SQLite', () => openSqliteStorage({ path: join(folder, `${++files}.db`) })],
  ['PostgreSQL', async () => openPostgresStorage({ url: (await databases?.create()) ?? '' })],
] as const satisfies readonly (readonly [string, () => Promise<Storage>])[];
let files = 0;

type Decision = 'keep' | 'reduce' | 'revoke';

/** A campaign about one access, open, on a real database. */
async function open(storage: Storage, onSilence: ReviewRecord['onSilence'] = 'suspend_access') {
  let now = START;
  const log = fakeLog();
  const clock = { now: () => now };
  const random = pooledRandom();
  const changes = createChanges({ storage, log, clock, random, node: 'test' });
  const deps = {
    clock,
    random,
    approvalValidity: 3 * DAY,
    adminResource: 'https://authority.test/v1',
    lifetimes: { default: 600, maximum: 3600 },
  };
  const identity = identityRecord({ expiresAt: START + 900 * DAY });
  const resourceServer = resourceServerRecord();
  await storage.identities.insert(identity);
  await storage.resourceServers.insert(resourceServer);
  const ends = { identity, resourceServer };
  const by = { identity: 'ci' };
  const access = await changes.run(by, (stores, tell) =>
    createAccess(deps, stores, tell, ends, {
      scopes: ['fraud:read', 'fraud:write'],
      justification: 'is needed',
      tokenLifetime: undefined,
      conditions: undefined,
      expiresAt: START + 800 * DAY,
      by,
    }),
  );
  const review = await changes.run(by, async (stores, tell) => {
    const made = await createReview(deps, stores, tell, {
      name: 'spring',
      query: { resourceServerId: resourceServer.id },
      reviewers: ['role:reviewer'],
      fallback: 'role:reviewer',
      notOwner: false,
      opensAt: undefined,
      dueAt: START + 10 * DAY,
      fallbackForMs: 5 * DAY,
      reminders: [],
      onSilence,
      tokens: 'cut_off',
      useWithinMs: 30 * DAY,
      repeatEveryMs: undefined,
      createdBy: 'ci',
    });
    const started = await startReview(deps, stores, tell, made);
    return await fillReview(deps, stores, tell, started, 10);
  });
  const [first] = (await storage.reviewItems.list(review.id, {}, { limit: 10 })).items;
  const id = (first as ReviewItemNow).id;
  const job = runReviewsJob({ ...deps, storage, changes, mostItems: 10 });
  return {
    log,
    advance: (ms: number) => void (now += ms),
    item: async (): Promise<ReviewItemNow> => (await storage.reviewItems.byId(id)) as ReviewItemNow,
    access: async (): Promise<AccessRecord> => (await storage.access.byId(access.id)) as AccessRecord,
    review: async (): Promise<ReviewRecord> => (await storage.reviews.byId(review.id)) as ReviewRecord,
    versions: () => storage.access.historyOf(identity.id, resourceServer.id),
    run: () => job.run(never),
    async decide(handle: string, decision: Decision, version?: number): Promise<void> {
      const person = {
        kind: 'person',
        issuer: 'https://people.example',
        subject: handle,
        handle,
        roles: ['reviewer'],
        teams: [],
      } as const;
      const actor = { identity: `person:${handle}`, person: { ...person, signedInAt: now } };
      try {
        await changes.run(actor, async (stores, tell) => {
          const deciding = await findItem(stores, review.id, id);
          if (deciding === undefined) throw new Error('no item');
          const said = { decision, to: undefined, comment: 'seen', person, actor };
          const scopes = decision === 'reduce' ? ['fraud:read'] : undefined;
          const read = version ?? deciding.item.accessVersion;
          await decideItem(deps, stores, tell, deciding, { ...said, scopes, version: read });
        });
      } catch (error) {
        if (error instanceof RegistryRefusal && error.reason === 'content_changed') {
          await changes.run(actor, async (stores, tell) => {
            const deciding = await findItem(stores, review.id, id);
            if (deciding !== undefined) await refreshItem(deps, stores, tell, deciding);
          });
        }
        throw error;
      }
    },
    narrow: () =>
      changes.run(by, async (stores, tell) => {
        const record = (await stores.access.byId(access.id)) as AccessRecord;
        await changeAccess(deps, stores, tell, ends, record, { justification: `at ${record.version}` }, by);
      }),
    revoke: () =>
      changes.run(by, async (stores, tell) => {
        await revokeAccess(deps, stores, tell, ends, (await stores.access.byId(access.id)) as AccessRecord);
      }),
    close: () =>
      changes.run(by, async (stores, tell) => {
        const record = (await stores.reviews.byId(review.id)) as ReviewRecord;
        await closeReview(deps, stores, tell, record, 'enough');
      }),
  };
}

/** Again when somebody was in the way: what a client does after 409 concurrent_change. */
async function untilDecided(work: () => Promise<unknown>): Promise<unknown> {
  for (;;) {
    try {
      await work();
      return undefined;
    } catch (error) {
      if ((error as { fault?: string }).fault !== 'version_conflict') return error;
    }
  }
}

describe.each(BACKENDS)('on %s', (name, openStorage) => {
  it('of reviewers at one moment one decides, and what they say is what is so', async (ctx) => {
    if (name === 'PostgreSQL' && databases === undefined) ctx.skip('COUNTERSIGN_TEST_POSTGRES is not set');
    const storage = await openStorage();
    try {
      for (let round = 0; round < 8; round++) {
        const scene = await open(storage);
        const outcomes = await Promise.all([
          untilDecided(() => scene.decide('ann', 'keep')),
          untilDecided(() => scene.decide('bob', 'reduce')),
          untilDecided(() => scene.decide('cyd', 'revoke')),
        ]);
        expect(outcomes.filter((each) => each === undefined)).toHaveLength(1);
        const item = await scene.item();
        const { state, scopes } = await scene.access();
        expect(SO[item.state]).toEqual([state, scopes]);
        const told = scene.log.events.filter(({ type }) => type === 'review_item.decided');
        expect(told.map(({ resource, person }) => [resource, person])).toEqual([
          [item.id, item.verdict?.person],
        ]);
      }
    } finally {
      await storage.close();
    }
  }, 60_000);

  it('of a decision, silence on two nodes, a close, a change and a revocation at one moment there is one outcome', async (ctx) => {
    if (name === 'PostgreSQL' && databases === undefined) ctx.skip('COUNTERSIGN_TEST_POSTGRES is not set');
    const storage = await openStorage();
    try {
      for (let round = 0; round < 8; round++) {
        const scene = await open(storage);
        scene.advance(10 * DAY);
        await scene.run();
        scene.advance(5 * DAY);
        const failures = await Promise.all([
          untilDecided(() => scene.decide('ann', 'reduce')),
          untilDecided(scene.run),
          untilDecided(scene.run),
          ...(round % 2 === 0 ? [untilDecided(scene.close)] : []),
          ...(round % 3 === 0 ? [untilDecided(scene.narrow)] : []),
          ...(round % 4 === 0 ? [untilDecided(scene.revoke)] : []),
        ]);
        expect(failures.filter((each) => each !== undefined && !(each instanceof RegistryRefusal))).toEqual(
          [],
        );
        // Who was in the way of silence only delays it.
        scene.advance(60_000);
        await scene.run();
        const item = await scene.item();
        const access = await scene.access();
        const told = scene.log.events.map(({ type }) => type);
        const ends = told.filter((type) => /^review_item\.(?:decided|silent|gone)$/.test(type));
        expect(ends.length, told.join(' ')).toBeLessThanOrEqual(1);
        if (item.state === 'pending') expect((await scene.review()).state).toBe('closed');
        expect(told.filter((type) => type === 'access.suspended')).toHaveLength(
          item.state === 'silent' ? 1 : 0,
        );
        if (item.state === 'reduced') expect(access.scopes).toEqual(['fraud:read']);
        expect((await scene.versions()).map(({ version }) => version)).toEqual(
          (await scene.versions()).map((_, place) => place + 1),
        );
      }
    } finally {
      await storage.close();
    }
  }, 60_000);
});

const BOTH = ['fraud:read', 'fraud:write'];
const SO: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  kept: ['active', BOTH],
  reduced: ['active', ['fraud:read']],
  revoked: ['revoked', BOTH],
};

type Command =
  | { readonly kind: 'decide'; readonly who: string; readonly what: Decision; readonly stale: boolean }
  | { readonly kind: 'narrow' }
  | { readonly kind: 'revoke' }
  | { readonly kind: 'close' }
  | { readonly kind: 'wait'; readonly days: number };

/** What has to be so, in as few words as there are. */
interface Model {
  day: number;
  review: ReviewRecord['state'];
  item: ReviewItemNow['state'];
  /** The access is not what the item shows. */
  changed: boolean;
  access: AccessRecord['state'];
  scopes: readonly string[];
  /** The day on which it is given up to see whether what was taken away is used. */
  lookedAfterUntil: number;
}

it('after any commands in any order it is as a simple model says', async () => {
  const storage = await openMemoryStorage();
  const decide = fc.record({
    kind: fc.constant('decide' as const),
    who: fc.constantFrom('ann', 'bob'),
    what: fc.constantFrom<Decision>('keep', 'reduce', 'revoke'),
    stale: fc.boolean(),
  });
  const command = fc.oneof<fc.Arbitrary<Command>[]>(
    decide,
    fc.constant({ kind: 'narrow' as const }),
    fc.constant({ kind: 'revoke' as const }),
    fc.constant({ kind: 'close' as const }),
    fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 8 }) }),
  );
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 10 }), async (commands) => {
        const scene = await open(storage);
        const model: Model = {
          day: 0,
          review: 'open',
          item: 'pending',
          changed: false,
          access: 'active',
          scopes: BOTH,
          lookedAfterUntil: 0,
        };
        for (const each of commands) {
          const expected = stepModel(model, each);
          const happened = await carryOut(scene, each).then(
            () => true,
            (error: unknown) => {
              if (!(error instanceof RegistryRefusal)) throw error;
              return false;
            },
          );
          expect(happened, JSON.stringify(each)).toBe(expected);
          const { state, scopes } = await scene.access();
          const seen = [(await scene.review()).state, (await scene.item()).state, state, scopes];
          expect(seen, JSON.stringify(each)).toEqual([model.review, model.item, model.access, model.scopes]);
        }
      }),
      { numRuns: 40 },
    );
  } finally {
    await storage.close();
  }
}, 60_000);

async function carryOut(scene: Awaited<ReturnType<typeof open>>, command: Command): Promise<void> {
  if (command.kind === 'decide') {
    await scene.decide(command.who, command.what, command.stale ? 99 : undefined);
  } else if (command.kind === 'wait') {
    // What a node does that was never away: it looks each day.
    for (let day = 0; day < command.days; day++) {
      scene.advance(DAY);
      await scene.run();
      await scene.run();
    }
  } else await scene[command.kind]();
}

/** Makes the step; whether it is one that succeeds. */
function stepModel(model: Model, command: Command): boolean {
  const ended = model.review === 'completed' || model.review === 'closed';
  if (command.kind === 'wait') {
    for (let day = 0; day < command.days; day++) dayPasses(model);
    return true;
  }
  if (command.kind === 'narrow') {
    if (model.access !== 'active') return false;
    model.changed = true;
    return true;
  }
  if (command.kind === 'revoke') {
    if (model.access === 'active' || model.access === 'suspended') model.access = 'revoked';
    return true;
  }
  if (command.kind === 'close') {
    if (ended) return false;
    model.review = 'closed';
    return true;
  }
  if (ended || model.item !== 'pending') return false;
  if (model.access !== 'active') {
    model.item = 'gone';
    return false;
  }
  if (model.changed || command.stale) {
    model.changed = false;
    return false;
  }
  if (command.what === 'keep') model.item = 'kept';
  else model.lookedAfterUntil = model.day + 2;
  if (command.what === 'reduce') {
    model.item = 'reduced';
    model.scopes = ['fraud:read'];
  }
  if (command.what === 'revoke') {
    model.item = 'revoked';
    model.access = 'revoked';
  }
  return true;
}

/** Nobody reports use here: what was taken away is looked after for a day and more, and ends as unverifiable. */
function dayPasses(model: Model): void {
  model.day++;
  if (model.review !== 'open' && model.review !== 'overdue') return;
  if (model.item === 'pending') {
    if (model.day >= 10) model.review = 'overdue';
    if (model.day >= 15) {
      if (model.access === 'active') model.access = 'suspended';
      model.item = model.access === 'suspended' ? 'silent' : 'gone';
      if (model.item === 'silent') model.lookedAfterUntil = model.day + 2;
    }
    if (model.item === 'gone') model.review = 'completed';
    return;
  }
  if (model.day >= model.lookedAfterUntil) model.review = 'completed';
  else if (model.day >= 10) model.review = 'overdue';
}
