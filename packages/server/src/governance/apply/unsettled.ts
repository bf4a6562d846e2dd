import type { ChangeEvent } from '../../audit/change.ts';
import { StorageError } from '../../storage/errors.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { createShift, type GiveWay } from '../../telemetry/pacer.ts';
import type { Application } from './application.ts';
import { bringAbout } from './bring-about.ts';
import type { Declared } from './declared.ts';
import { findIdentity } from './referenced-record.ts';
import { rehearse } from './rehearse.ts';

/** How one object stands to what there is; `new`: it is not there yet, so that nothing there hangs on it. */
type Standing = 'settled' | 'new' | 'other';

/** When they become otherwise, that concerns what else is declared of their identity, or what comes after them, and no more. */
const ALONE: ReadonlySet<Declared['kind']> = new Set<Declared['kind']>([
  'Identity',
  'Credential',
  'Access',
  'ApprovalRule',
  'Policy',
  'PolicyException',
  'Webhook',
  'TrustDomain',
  'Workload',
]);
const RULES: ReadonlySet<Declared['kind']> = new Set<Declared['kind']>(['ApprovalRule', 'Policy']);

/**
 * Of objects in order those that are not as declared, and those that may not be so any more once the others are; what is
 * left out would change nothing. Each is tried against what there is, some in each transaction, which is undone. Rejects
 * when the authority cannot go on.
 */
export async function unsettled(
  storage: Storage,
  application: Application,
  objects: readonly Declared[],
  giveWay: GiveWay,
): Promise<readonly Declared[]> {
  const found = new Set<Declared>();
  /** client_ids. */
  const concerned = new Set<string>();
  const ofIdentity = new Map<Declared, string>();
  for (let at = 0; at < objects.length; ) {
    const seen = await firstUnsettled(storage, application, objects, at, { concerned, ofIdentity });
    at = seen.to;
    await giveWay();
    const { object } = seen;
    if (object === undefined) continue;
    // All that is declared after it may hang on it.
    if (seen.standing === 'other' && !ALONE.has(object.kind)) return objects;
    found.add(object);
    const identity = ofIdentity.get(object);
    if (identity !== undefined) concerned.add(identity);
  }
  const hasRules = [...found].some(({ kind }) => RULES.has(kind));
  return objects.filter(
    (object) =>
      found.has(object) ||
      concerned.has(ofIdentity.get(object) ?? '') ||
      (hasRules && object.kind === 'PolicyException'),
  );
}

interface Search {
  readonly concerned: ReadonlySet<string>;
  readonly ofIdentity: Map<Declared, string>;
}

interface Found {
  readonly standing: Standing;
  /** Undefined: so far all are settled, and the search goes on at `to`. */
  readonly object?: Declared;
  readonly to: number;
}

/** As far as one transaction lasts. What the object did in it is undone with it, so that the next is tried as things are. */
async function firstUnsettled(
  storage: Storage,
  application: Application,
  objects: readonly Declared[],
  from: number,
  { concerned, ofIdentity }: Search,
): Promise<Found> {
  let found: Found = { standing: 'settled', to: from };
  await rehearse(storage, async (stores) => {
    const isOver = createShift();
    found = { standing: 'settled', to: from };
    for (let at = from; at < objects.length; at++) {
      const object = objects[at];
      if (object === undefined) return;
      const identity = await clientIdOf(stores, object);
      if (identity !== undefined) ofIdentity.set(object, identity);
      const isConcerned = identity !== undefined && concerned.has(identity);
      const standing = isConcerned ? 'settled' : await standingOf(application, stores, object);
      found = { standing, to: found.to + 1, ...(standing !== 'settled' && { object }) };
      if (standing !== 'settled' || isOver()) return;
    }
  });
  return found;
}

async function clientIdOf(stores: Stores, object: Declared): Promise<string | undefined> {
  if (object.kind === 'Identity') return object.clientId;
  if (!('identity' in object)) return undefined;
  return (await findIdentity(stores, object.identity))?.clientId ?? object.identity;
}

async function standingOf(application: Application, stores: Stores, object: Declared): Promise<Standing> {
  const events: ChangeEvent[] = [];
  try {
    await bringAbout(application, stores, (event) => events.push(event), object);
  } catch (error) {
    if (error instanceof StorageError && error.fault === 'unavailable') throw error;
    return 'other';
  }
  if (events.length === 0) return 'settled';
  return events.every(({ before }) => before === undefined) ? 'new' : 'other';
}
