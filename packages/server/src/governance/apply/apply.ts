import { setImmediate as turn } from 'node:timers/promises';
import type { ChangeEvent, Changes } from '../../audit/change.ts';
import { failuresOf } from '../../registry/policy/run-tests.ts';
import { testFailureText } from '../../registry/policy/policy.ts';
import type { PolicyWarning } from '../../registry/policy/require-policies.ts';
import { warningsOf } from '../../registry/policy/warnings.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import { bringAbout } from './bring-about.ts';
import type { MadeSecret } from './bring-credential.ts';
import { type Declared, inOrder } from './declared.ts';
import { differenceOf, type ObjectDifference } from './difference.ts';
import { type Removal, removals } from './prune.ts';
import { rehearse } from './rehearse.ts';

export interface ApplyDeps {
  readonly storage: Storage;
  readonly changes: Changes;
}

export interface ApplyOutcome {
  readonly changes: readonly ObjectDifference[];
  readonly secrets: readonly MadeSecret[];
  /** Of policies that warn; absent: none did. */
  readonly warnings?: readonly PolicyWarning[];
}

/** One of the objects was refused, or the authority could not go on. `cause` says which. */
export class ApplyStopped extends Error {
  /** Undefined: it was not about one of the documents. */
  readonly object: Declared | undefined;
  /** Done before it stopped: applying the same documents again goes on from there. */
  readonly done: ApplyOutcome;
  constructor(cause: unknown, object: Declared | undefined, done: ApplyOutcome) {
    super(cause instanceof Error ? cause.message : 'stopped', { cause });
    this.name = 'ApplyStopped';
    this.object = object;
    this.done = done;
  }
}

/**
 * What applying would change; rejects with `ApplyStopped` for what would be refused. Changes nothing. One transaction,
 * for documents point at each other; between them the event loop turns, so that tokens are issued meanwhile.
 */
export async function plan(
  deps: ApplyDeps,
  application: Application,
  objects: readonly Declared[],
  prune: boolean,
): Promise<readonly ObjectDifference[]> {
  let current: Declared | undefined;
  requireTestsPass(objects);
  try {
    const events = await rehearse(deps.storage, async (stores, tell) => {
      for (current of inOrder(objects)) {
        await bringAbout(application, stores, tell, current);
        await turn();
      }
      current = undefined;
      if (!prune) return;
      for (const remove of await removals(application, stores, objects)) {
        for (let next: Removal | undefined = remove; next !== undefined; await turn())
          next = await next(stores, tell);
      }
    });
    return differenceOf(events);
  } catch (error) {
    throw new ApplyStopped(error, current, NOTHING);
  }
}

/** What policies expect of themselves comes before everything else: nothing is begun when one of their tests fails. */
function requireTestsPass(objects: readonly Declared[]): void {
  for (const object of objects) {
    if (object.kind !== 'Policy') continue;
    const failures = failuresOf(object.policy, object.policy.tests);
    if (failures.length === 0) continue;
    const text = testFailureText(object.name, failures);
    const refusal = new RegistryRefusal('policy_test_failed', text, { pointer: '/tests' });
    throw new ApplyStopped(refusal, object, NOTHING);
  }
}

const NOTHING: ApplyOutcome = { changes: [], secrets: [] };

/**
 * Brings the objects about, each in a transaction of its own, so that a large set blocks nobody and an interrupted one
 * goes on where it stopped. It is planned first: when anything would be refused, nothing is begun.
 */
export async function apply(
  deps: ApplyDeps,
  application: Application,
  objects: readonly Declared[],
  prune: boolean,
): Promise<ApplyOutcome> {
  await plan(deps, application, objects, prune);
  const events: ChangeEvent[] = [];
  const secrets: MadeSecret[] = [];
  const done = (): ApplyOutcome => ({
    changes: differenceOf(events),
    secrets,
    ...warningsOf(events),
  });
  let current: Declared | undefined;
  try {
    for (current of inOrder(objects)) {
      const object = current;
      const made = await run(deps, application, events, (stores, tell) =>
        bringAbout(application, stores, tell, object),
      );
      if (made !== undefined) secrets.push(made);
      await turn();
    }
    current = undefined;
    if (prune) {
      for (const remove of await removals(application, deps.storage, objects)) {
        for (let next: Removal | undefined = remove; next !== undefined; await turn()) {
          next = await run(deps, application, events, next);
        }
      }
    }
  } catch (error) {
    throw new ApplyStopped(error, current, done());
  }
  return done();
}

async function run<T>(
  deps: ApplyDeps,
  application: Application,
  events: ChangeEvent[],
  work: Parameters<Changes['run']>[1] extends (stores: infer S, tell: infer L) => unknown
    ? (stores: S, tell: L) => Promise<T>
    : never,
): Promise<T> {
  const told: ChangeEvent[] = [];
  const result = await deps.changes.run(application.actor, async (stores, tell) => {
    told.length = 0;
    return await work(stores, (event) => {
      told.push(event);
      tell(event);
    });
  });
  events.push(...told);
  return result;
}
