import { mkdir } from 'node:fs/promises';
import { generateSecret } from '@countersign/protocol';
import { createChanges } from './audit/change.ts';
import { createAuditLog } from './audit/group-commit.ts';
import { systemClock } from './clock.ts';
import { toDeployment } from './config/deployment.ts';
import { loadSettings } from './config/load.ts';
import { seedEstate } from './database/seed-estate.ts';
import { createJobs } from './governance/compose.ts';
import { pooledRandom } from './ids.ts';
import { createSeal } from './keys/seal.ts';
import { openAuditSink, openStorage } from './open-state.ts';
import { createIssuancePace } from './registry/issuance-pace.ts';
import { ownerAcceptance } from './registry/owner/acceptance.ts';
import { createCredentialPlaces } from './registry/use/credential-places.ts';
import { createCredentialInstances } from './registry/use/credential-instances.ts';
import { createEndingCallers } from './registry/use/ending-callers.ts';
import type { Storage } from './storage/storage.ts';
import { createLogger } from './telemetry/logger.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** In the order in which they run once a day, or more often. */
const JOBS = ['sweep-identities', 'sweep-ends', 'suspend-inactive'] as const;

/** What the sweeps of a day took, in seconds. */
export interface SweepTimes {
  /** Nothing is due: all are only looked at. */
  readonly looked: number;
  /** `due` identities have expired, as many credentials and accesses too, and as many identities are inactive. */
  readonly daily: number;
  /** Everything has expired at once, as after an outage of a year: identities that were ended, and seconds. */
  readonly backlog: { readonly identities: number; readonly seconds: number };
}

/**
 * Runs the sweeps on an empty database that is filled with an estate first, with the real log, by a clock that is moved on.
 * `backlogSeconds`: the backlog is stopped after so long, or when it is done.
 */
export async function measureSweeps(options: {
  readonly database: string;
  readonly dataDir: string;
  readonly identities: number;
  readonly due: number;
  readonly backlogSeconds: number;
}): Promise<SweepTimes> {
  const flags = { 'data-dir': options.dataDir, database: options.database };
  const deployment = toDeployment('dev', loadSettings({ mode: 'dev', flags, env: {} }));
  await mkdir(deployment.dataDir, { recursive: true, mode: 0o700 });
  const logger = createLogger('silent', 'bench');
  const start = systemClock.now();
  let now = start;
  const clock = { now: () => now };
  const random = pooledRandom();
  const storage = await openStorage(deployment, clock);
  const log = createAuditLog(await openAuditSink(deployment, logger), () => undefined);
  const changes = createChanges({ storage, log, clock, random, node: 'bench' });
  try {
    await seedEstate(storage, {
      identities: options.identities,
      clients: 0,
      now,
      newSecret: () => generateSecret('csk', random),
      digestOf: () => 'ZGlnZXN0',
    });
    await makeLively(storage, options, start);
    const jobs = createJobs({
      storage,
      changes,
      log,
      clock,
      random,
      certificateRetention: 90 * 86_400_000,
      adminResource: 'https://bench.example/v1',
      ending: createEndingCallers(storage),
      instances: createCredentialInstances(storage.credentialInstances),
      pace: createIssuancePace(now),
      places: createCredentialPlaces(),
      maximumAge: () => 90 * DAY,
      inactivity: 'suspend',
      suspendedForMs: 30 * DAY,
      credentialExpiring: [30, 7, 1],
      rollbackWindow: 7 * DAY,
      missedReductions: 'report',
      ownerAcceptance: ownerAcceptance('auto'),
      approvalValidity: 72 * HOUR,
      issuer: 'https://bench.example',
      mail: undefined,
      digestDay: undefined,
      lifetimes: { default: 600, maximum: 3600 },
      webhooks: {
        seal: createSeal(new Uint8Array(32), random),
        digest: () => 'ZGlnZXN0',
        fetchFault: () => undefined,
        post: () => Promise.reject(new Error('there is no webhook')),
      },
      rotateIfDue: () => Promise.resolve(),
      reportOwnUse: () => Promise.resolve(),
    });
    const sweep = async (signal = new AbortController().signal): Promise<number> => {
      const begun = performance.now();
      for (const name of JOBS) await jobs.find((job) => job.name === name)?.run(signal);
      return (performance.now() - begun) / 1000;
    };
    // The first run of a process looks at little: no start waits for it. Then the authority is there, day by day.
    await sweep();
    for (let day = 1; day < 31; day++) {
      now = start + day * DAY;
      await jobs.find((job) => job.name === 'suspend-inactive')?.run(new AbortController().signal);
    }
    const looked = await sweep();
    now = start + 31 * DAY + HOUR;
    const daily = await sweep();
    now = start + 400 * DAY;
    const before = await countActive(storage);
    const seconds = await sweep(AbortSignal.timeout(options.backlogSeconds * 1000));
    return { looked, daily, backlog: { identities: before - (await countActive(storage)), seconds } };
  } finally {
    await log.close();
    await storage.close();
  }
}

/** All were used lately but `due` of them, whom nobody looks after; and `due` others end after 31 days. */
async function makeLively(storage: Storage, { due }: { readonly due: number }, start: number): Promise<void> {
  let [quiet, ends] = [due, due];
  let after: Parameters<Storage['identities']['list']>[1]['after'];
  const end = start + 31 * DAY;
  do {
    const page = await storage.identities.list({}, { limit: 1000, after });
    await storage.transaction(async (stores) => {
      for (const identity of page.items) {
        const [credential] = await stores.credentials.ofIdentity(identity.id);
        const [access] = await stores.access.activeOfIdentity(identity.id);
        if (credential === undefined || access === undefined) continue;
        const spare = identity.sensitivity === 3;
        if (!spare && quiet > 0) {
          quiet--;
          continue;
        }
        await stores.credentialUse.note(credential.id, start + 29 * DAY);
        if (ends === 0) continue;
        ends--;
        const next = { updatedAt: start, expiresAt: end };
        await stores.identities.replace({ ...identity, ...next, version: identity.version + 1 });
        await stores.credentials.replace({ ...credential, ...next, version: credential.version + 1 });
        await stores.access.replace({ ...access, ...next, version: access.version + 1 });
      }
    });
    after = page.next;
  } while (after !== undefined);
}

async function countActive(storage: Storage): Promise<number> {
  let count = 0;
  let after: Parameters<Storage['identities']['list']>[1]['after'];
  do {
    const page = await storage.identities.list({ state: 'active' }, { limit: 1000, after });
    count += page.items.length;
    after = page.next;
  } while (after !== undefined);
  return count;
}
