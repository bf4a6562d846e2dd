import type { Clock } from '../../clock.ts';
import type { CredentialInstance, CredentialInstanceStore } from '../../storage/credential-instances.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { Cadence } from '../../storage/identities.ts';
import type { SettingStore } from '../../storage/settings.ts';
import { watchedSince } from './watch.ts';

/** Notes which running copies of an identity use a credential: coarse, in memory first, written once a minute. */
export interface CredentialInstances {
  /** Somebody proved itself with it at `at` (epoch ms), and was answered. Never waits. */
  saw(
    credential: Pick<CredentialRecord, 'id' | 'successor'>,
    instance: string | undefined,
    source: string,
    at: number,
  ): void;
  /** Writes what was seen. On a rejection it is kept, and written with the next. */
  flush(): Promise<void>;
}

/** How old what is noted of an instance may be: of a credential that is being replaced, and of any other. */
export const SEEN_EVERY_MS = { rotating: 600_000, otherwise: 3_600_000 } as const;
/** How long what was seen waits to be written. */
export const WRITTEN_EVERY_MS = 60_000;
/** Instances of one credential that are told apart, in memory and in the table; all others share one row. */
export const MOST_INSTANCES = 500;
/** What that row is called: no instance can be, since a header has no `*`. */
export const OTHERS = '*';
const DAY_MS = 86_400_000;
/**
 * For as long (ms) after an instance was seen its row is kept: through the window in which it could matter (rotation/progress.ts), and no
 * longer, for the names of those that are gone would leave no room for those that are there.
 */
export const KEPT_MS: { readonly [cadence in Cadence]: number } = {
  continuous: 14 * DAY_MS,
  daily: 14 * DAY_MS,
  weekly: 14 * DAY_MS,
  monthly: 62 * DAY_MS,
  quarterly: 184 * DAY_MS,
  annual: 732 * DAY_MS,
  on_demand: 92 * DAY_MS,
};
/** Instances whose last note is remembered, of all credentials; of more, some are noted more often. About 10 MB. */
const MOST_REMEMBERED = 100_000;
/** Rows that share a transaction. */
const TOGETHER = 200;

export function createCredentialInstances(
  store: Pick<CredentialInstanceStore, 'note'>,
  mostRemembered: number = MOST_REMEMBERED,
): CredentialInstances {
  const noted = new Map<string, Map<string, number>>();
  let remembered = 0;
  let waiting = new Map<string, CredentialInstance>();
  let writing: Promise<void> | undefined;

  function wait(seen: CredentialInstance): void {
    const key = `${seen.credentialId} ${seen.instance}`;
    const known = waiting.get(key);
    waiting.set(key, known === undefined ? seen : together(known, seen));
  }

  /** What it is noted as: under its own name while there is room for it. */
  function admit(seen: Map<string, number>, instance: string, at: number): string {
    if (seen.has(instance) || seen.size < MOST_INSTANCES) return instance;
    for (const [name, before] of seen) {
      if (Math.abs(at - before) >= SEEN_EVERY_MS.otherwise && seen.delete(name)) remembered--;
    }
    return seen.size < MOST_INSTANCES ? instance : OTHERS;
  }

  async function write(): Promise<void> {
    const taken = waiting;
    waiting = new Map();
    const rows = [...taken.values()];
    for (let from = 0; from < rows.length; from += TOGETHER) {
      try {
        await store.note(rows.slice(from, from + TOGETHER), MOST_INSTANCES, OTHERS);
      } catch (error) {
        for (const row of rows.slice(from)) wait(row);
        throw error;
      }
    }
  }

  return {
    saw({ id, successor }, name = '', source, at) {
      let seen = noted.get(id);
      if (seen === undefined) {
        seen = new Map<string, number>();
        noted.set(id, seen);
      }
      const before = seen.get(name);
      const every = successor === undefined ? SEEN_EVERY_MS.otherwise : SEEN_EVERY_MS.rotating;
      if (before !== undefined && at - before < every && at >= before) return;
      const instance = before === undefined ? admit(seen, name, at) : name;
      if (instance === OTHERS) {
        const others = seen.get(OTHERS);
        if (others !== undefined && at - others < every && at >= others) return;
      }
      if (!seen.has(instance) && remembered++ >= mostRemembered) {
        noted.clear();
        remembered = 1;
        seen = new Map<string, number>();
        noted.set(id, seen);
      }
      seen.set(instance, at);
      wait({ credentialId: id, instance, source, firstAt: at, lastAt: at });
    },
    async flush() {
      const before = writing;
      const own = (async () => {
        await before?.catch(() => undefined);
        await write();
      })();
      writing = own;
      await own;
    },
  };
}

function together(left: CredentialInstance, right: CredentialInstance): CredentialInstance {
  const later = right.lastAt >= left.lastAt ? right : left;
  return {
    ...later,
    firstAt: Math.min(left.firstAt, right.firstAt),
    lastAt: Math.max(left.lastAt, right.lastAt),
  };
}

const SINCE = 'credential_instances.since';

/** From the first start that notes them on: who used a credential before that, nobody knows. */
export async function beginToSee(settings: Pick<SettingStore, 'setOnce'>, clock: Clock): Promise<void> {
  await settings.setOnce(SINCE, String(clock.now()));
}

/** Since when (epoch ms) every use has been seen, without a longer pause; undefined: nobody knows. */
export async function instancesSeenSince(settings: Pick<SettingStore, 'get'>): Promise<number | undefined> {
  const [begun, watched] = [await settings.get(SINCE), await watchedSince(settings)];
  return begun === undefined || watched === undefined ? undefined : Math.max(Number(begun), watched);
}
