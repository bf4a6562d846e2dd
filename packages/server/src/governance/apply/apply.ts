import type { ChangeEvent, Changes } from '../../audit/change.ts';
import { failuresOf } from '../../registry/policy/run-tests.ts';
import { testFailureText } from '../../registry/policy/policy.ts';
import type { PolicyWarning } from '../../registry/policy/require-policies.ts';
import { warningsOf } from '../../registry/policy/warnings.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { Storage } from '../../storage/storage.ts';
import { createGiveWay, type GiveWay } from '../../telemetry/pacer.ts';
import type { Application } from './application.ts';
import { bringAbout } from './bring-about.ts';
import type { MadeSecret } from './bring-credential.ts';
import { type Declared, inOrder } from './declared.ts';
import { differenceOf, type ObjectDifference } from './difference.ts';
import { inShifts, type Shift, type Step } from './in-shifts.ts';
import { removals } from './prune.ts';
import type { Removal } from './removal.ts';
import { rehearse } from './rehearse.ts';
import { unsettled } from './unsettled.ts';

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

/** What applying would change; rejects with `ApplyStopped` for what would be refused. Changes nothing. */
export async function plan(
  deps: ApplyDeps,
  application: Application,
  objects: readonly Declared[],
  prune: boolean,
): Promise<readonly ObjectDifference[]> {
  const { events } = await planned(deps, application, objects, prune, createGiveWay());
  return differenceOf(events);
}

interface Plan {
  readonly events: readonly ChangeEvent[];
  /** In order: those that are not as declared, and what that may concern. */
  readonly pending: readonly Declared[];
}

/**
 * What is not as declared is brought about in one transaction, for documents point at each other, and undone. What is so
 * already is found out before it, a few at a time: whoever else writes waits for what changes, and not for what is declared.
 */
async function planned(
  deps: ApplyDeps,
  application: Application,
  objects: readonly Declared[],
  prune: boolean,
  giveWay: GiveWay,
): Promise<Plan> {
  requireTestsPass(objects);
  const pending = await unsettled(deps.storage, application, inOrder(objects), giveWay);
  const ending = prune ? await removals(application, deps.storage, objects, giveWay) : [];
  if (pending.length === 0 && ending.length === 0) return { events: [], pending };
  let current: Declared | undefined;
  try {
    const events = await rehearse(deps.storage, async (stores, tell) => {
      for (current of pending) {
        await bringAbout(application, stores, tell, current);
        await giveWay();
      }
      current = undefined;
      for (const remove of ending) {
        for (let next: Removal | undefined = remove; next !== undefined; await giveWay())
          next = await next(stores, tell);
      }
    });
    return { events, pending };
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
 * Brings the objects about, some in each transaction, so that a large set blocks nobody and an interrupted one goes on
 * where it stopped. It is planned first: when anything would be refused, nothing is begun. Each object is looked at once
 * more in its transaction: what somebody else did in between is judged, and told, as it is then.
 */
export async function apply(
  deps: ApplyDeps,
  application: Application,
  objects: readonly Declared[],
  prune: boolean,
): Promise<ApplyOutcome> {
  const giveWay = createGiveWay();
  const { pending } = await planned(deps, application, objects, prune, giveWay);
  const events: ChangeEvent[] = [];
  const secrets: MadeSecret[] = [];
  const done = (): ApplyOutcome => ({
    changes: differenceOf(events),
    secrets,
    ...warningsOf(events),
  });
  const commit = (shift: Shift): void => {
    events.push(...shift.events);
    secrets.push(...shift.secrets);
  };
  let current: Declared | undefined;
  try {
    const steps = pending.map(
      (object): Step =>
        async (stores, tell) => {
          current = object;
          return { secret: await bringAbout(application, stores, tell, object) };
        },
    );
    await inShifts(deps.changes, application.actor, steps, giveWay, commit);
    current = undefined;
    if (prune) {
      const ending = await removals(application, deps.storage, objects, giveWay);
      await inShifts(deps.changes, application.actor, ending.map(endingStep), giveWay, commit);
    }
  } catch (error) {
    throw new ApplyStopped(error, current, done());
  }
  return done();
}

function endingStep(remove: Removal): Step {
  return async (stores, tell) => {
    const rest = await remove(stores, tell);
    return { rest: rest && endingStep(rest) };
  };
}
