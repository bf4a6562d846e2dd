import { setImmediate as turn } from 'node:timers/promises';
import type { ResponseOf } from '@countersign/admin-api';
import type { ChangeEvent, Changes } from '../../audit/change.ts';
import type { Tell } from '../../registry/change-rules.ts';
import type { OwnerDeps } from '../../registry/owner/acceptance.ts';
import {
  type HandOver,
  handOverBackup,
  handOverLead,
  handOverOffer,
  handOverOwned,
  heldBy,
  type Outcome,
  requireTaker,
} from '../../registry/owner/hand-over.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { differenceOf } from '../apply/difference.ts';
import { rehearse } from '../apply/rehearse.ts';
import type { Call, Handler } from './endpoint.ts';
import { findPerson, referenced, required } from './find-record.ts';

export interface HandOverDeps extends OwnerDeps {
  readonly storage: Storage;
  readonly changes: Changes;
}

type Kind = ResponseOf<'people.hand-over'>['items'][number]['kind'];
type Item = ResponseOf<'people.hand-over'>['items'][number];

interface Step {
  readonly kind: Kind;
  readonly id: string;
  run(stores: Stores, tell: Tell): Promise<Outcome>;
}

/** Everything that a person answers for goes to another, each thing in a transaction of its own, in which it is looked at once more. */
export function handOverHandler(deps: HandOverDeps): Handler<'people.hand-over'> {
  return {
    kind: 'many',
    async run(call) {
      const { handOver, steps } = await stepsOf(deps, call);
      const items: Item[] = [];
      for (const step of steps) {
        const outcome = await deps.changes.run(call.admin.actor, (stores, tell) => step.run(stores, tell));
        items.push({ kind: step.kind, id: step.id, name: await nameOf(deps.storage, step), outcome });
        await turn();
      }
      return { body: { from: handOver.from.handle, to: handOver.to.handle, items } };
    },
    async preview(call) {
      const { steps } = await stepsOf(deps, call);
      const events: ChangeEvent[] = [];
      for (const step of steps) {
        events.push(...(await rehearse(deps.storage, (stores, tell) => step.run(stores, tell))));
        await turn();
      }
      return differenceOf(events);
    },
  };
}

async function stepsOf(
  deps: HandOverDeps,
  { params, body, admin }: Call<'people.hand-over'>,
): Promise<{ readonly handOver: HandOver; readonly steps: readonly Step[] }> {
  const { storage } = deps;
  const from = required(await findPerson(storage, params.id), 'person');
  const to = referenced(await findPerson(storage, body.to), '/to', 'person', body.to);
  const handOver: HandOver = { from, to, reason: body.reason, by: admin.actor };
  requireTaker(handOver);
  const { owned, backedUp, led, offered } = await heldBy(storage, from);
  const make = (kind: Kind, ids: readonly string[], move: typeof handOverOwned): readonly Step[] =>
    ids.map((id) => ({ kind, id, run: (stores, tell) => move(deps, stores, tell, id, handOver) }));
  const steps = [
    ...make('identity', owned, handOverOwned),
    ...make('backup', backedUp, handOverBackup),
    ...make('team', led, handOverLead),
    ...make('offer', offered, handOverOffer),
  ];
  return { handOver, steps };
}

async function nameOf(storage: Storage, { kind, id }: Step): Promise<string> {
  if (kind === 'team') return (await storage.teams.byId(id))?.name ?? '';
  const identity = kind === 'offer' ? (await storage.ownershipOffers.byId(id))?.identityId : id;
  return (identity === undefined ? undefined : await storage.identities.byId(identity))?.clientId ?? '';
}
