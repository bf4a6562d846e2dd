import type { Actor, ChangeEvent, Changes } from '../../audit/change.ts';
import { AuditUnavailable } from '../../audit/sink.ts';
import type { Tell } from '../../registry/change-rules.ts';
import type { Stores } from '../../storage/storage.ts';
import { createShift, type GiveWay } from '../../telemetry/pacer.ts';
import type { MadeSecret } from './bring-credential.ts';

/** One of many, in the caller's transaction. It may be carried out again when that is tried again. */
export type Step = (stores: Stores, tell: Tell) => Promise<Stepped>;

interface Stepped {
  readonly secret?: MadeSecret | undefined;
  /** Still to be done for it, in another transaction. */
  readonly rest?: Step | undefined;
}

/** What one transaction did. */
export interface Shift {
  readonly events: readonly ChangeEvent[];
  readonly secrets: readonly MadeSecret[];
}

/**
 * Carries steps out in their order, as many in each transaction as fit into a few milliseconds: for each a commit is paid,
 * and while it runs nobody else writes. `committed` hears of each, also of one that the log has not taken yet. Rejects with
 * what a step rejects with: its transaction is undone, those before it stay.
 */
export async function inShifts(
  changes: Changes,
  actor: Actor,
  steps: readonly Step[],
  giveWay: GiveWay,
  committed: (shift: Shift) => void,
): Promise<void> {
  let at = 0;
  let rest: Step | undefined;
  while (at < steps.length) {
    const from: Place = { at, rest };
    let shift: Worked | undefined;
    try {
      await changes.run(actor, async (stores, tell) => {
        shift = await work(steps, from, stores, tell);
      });
    } catch (error) {
      // The log refuses what has been done: its secrets are shown now or never.
      if (error instanceof AuditUnavailable && shift !== undefined) committed(shift);
      throw error;
    }
    if (shift === undefined) throw new Error('a transaction without its work');
    committed(shift);
    ({ at, rest } = shift.to);
    await giveWay();
  }
}

interface Place {
  readonly at: number;
  /** Of the step there. */
  readonly rest: Step | undefined;
}

type Worked = Shift & { readonly to: Place };

async function work(steps: readonly Step[], from: Place, stores: Stores, tell: Tell): Promise<Worked> {
  const events: ChangeEvent[] = [];
  const secrets: MadeSecret[] = [];
  const isOver = createShift();
  let to = from;
  do {
    const step = to.rest ?? steps[to.at];
    const done = await step?.(stores, (event) => {
      events.push(event);
      tell(event);
    });
    if (done?.secret !== undefined) secrets.push(done.secret);
    to = { at: done?.rest === undefined ? to.at + 1 : to.at, rest: done?.rest };
  } while (to.rest === undefined && to.at < steps.length && !isOver());
  return { events, secrets, to };
}
