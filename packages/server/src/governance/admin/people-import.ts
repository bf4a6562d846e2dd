import type { BadRow, PeopleImported } from '@countersign/admin-api';
import type { Changes } from '../../audit/change.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { changePerson, createPerson } from '../../registry/directory/person.ts';
import type { OwnerDeps } from '../../registry/owner/acceptance.ts';
import { settleStatus } from '../../registry/owner/departure.ts';
import type { PersonRecord } from '../../storage/people.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { createGiveWay, type GiveWay } from '../../telemetry/pacer.ts';
import { differenceOf } from '../apply/difference.ts';
import { everyOne } from '../apply/every-one.ts';
import { inShifts, type Step } from '../apply/in-shifts.ts';
import { rehearse } from '../apply/rehearse.ts';
import { type ImportPlan, type ImportRow, planImport } from '../owners/import-plan.ts';
import { badRows, MOST_NAMED, MOST_SHOWN } from './bad-rows.ts';
import type { Call, Handler } from './endpoint.ts';
import { ProblemError } from './problem.ts';
import { readImport } from './read-import.ts';

export interface PeopleImportDeps extends OwnerDeps {
  readonly storage: Pick<Storage, 'people' | 'teams' | 'transaction'>;
  readonly changes: Changes;
}

/** Who may be missing in a complete import without anybody having said so. */
const FEW_LEAVERS = 10;

/** What is to be done, checked as a whole: nothing is begun while a row cannot be taken. */
interface Planned {
  readonly plan: ImportPlan;
  readonly bad: readonly BadRow[];
}

export function peopleImportHandler(deps: PeopleImportDeps): Handler<'people.import'> {
  return {
    kind: 'many',
    async run({ body, admin }) {
      const giveWay = createGiveWay();
      const planned = await plan(deps, body, giveWay);
      await inShifts(deps.changes, admin.actor, stepsOf(deps, planned.plan), giveWay, () => undefined);
      return { body: summaryOf(planned) };
    },
    async preview({ body }) {
      const giveWay = createGiveWay();
      const { plan: what } = await plan(deps, body, giveWay);
      // In one transaction, as far as it is shown: one row may take what another gives up.
      const events = await rehearse(deps.storage, async (stores, tell) => {
        let told = 0;
        for (const step of stepsOf(deps, what)) {
          await step(stores, (event) => {
            told++;
            tell(event);
          });
          if (told >= MOST_SHOWN) return;
          await giveWay();
        }
      });
      return differenceOf(events).slice(0, MOST_SHOWN);
    },
    foresee: async ({ body }) => ({ import: summaryOf(await plan(deps, body, createGiveWay())) }),
  };
}

async function plan(
  deps: PeopleImportDeps,
  body: Call<'people.import'>['body'],
  giveWay: GiveWay,
): Promise<Planned> {
  const read = await readImport(body, giveWay);
  const { complete, skip_bad_rows: skip } = body;
  const people = await everybody(deps.storage);
  const teams = await teamNames(deps.storage);
  const made = await planImport(people, teams, read.rows, { complete, present: read.present, giveWay });
  const found = made.faults.map(({ index, member, detail }) => ({
    ...read.place(index, member),
    member,
    detail,
  }));
  const bad = [...read.bad, ...found].toSorted((left, right) => left.row - right.row);
  if (bad.length > 0 && !skip) throw badRows(bad, read.rows.length + read.bad.length, 'nothing was changed');
  if (complete && read.nameless)
    throw badRows(bad, read.rows.length + read.bad.length, 'so nobody can say who is missing');
  if (complete) requireFewLeavers(made, people, body.leavers_at_most);
  return { plan: made, bad };
}

/** A file that was cut off must not end a company. */
function requireFewLeavers(
  { missing }: ImportPlan,
  people: readonly PersonRecord[],
  most: number | undefined,
): void {
  const living = people.filter(({ status }) => status !== 'left').length;
  const limit = most ?? Math.max(FEW_LEAVERS, Math.floor(living / 10));
  if (missing.length <= limit) return;
  const detail = `${missing.length} of ${living} people are missing in it, and would have left; at most ${limit} are taken without leavers_at_most`;
  throw new ProblemError('validation_failed', { detail, errors: [{ pointer: '/leavers_at_most', detail }] });
}

function stepsOf(deps: PeopleImportDeps, { rows, missing }: ImportPlan): readonly Step[] {
  const left = missing.map((handle): ImportRow => ({ index: 0, handle, status: 'left' }));
  return [...rows, ...left].map(
    (row): Step =>
      async (stores, tell) => {
        await bring(deps, stores, tell, row);
        return {};
      },
  );
}

/** Looks once more: somebody may have entered them meanwhile. */
async function bring(deps: PeopleImportDeps, stores: Stores, tell: Tell, row: ImportRow): Promise<void> {
  const { handle, name, email, externalId, status, managerHandle } = row;
  const before = await stores.people.byHandle(handle);
  const after =
    before === undefined
      ? await createPerson(deps, stores, tell, {
          handle,
          name: name ?? handle,
          email: email ?? undefined,
          externalId: externalId ?? undefined,
          status: status ?? 'active',
          managerHandle: managerHandle ?? undefined,
        })
      : await changePerson(deps, stores, tell, before, { name, email, externalId, status, managerHandle });
  await settleStatus(deps, stores, tell, before, after);
}

function summaryOf({ plan: { created, changed, unchanged, missing }, bad }: Planned): PeopleImported {
  return {
    created,
    changed,
    unchanged,
    left: missing.length,
    bad_rows: bad.slice(0, MOST_NAMED),
    bad_row_count: bad.length,
  };
}

async function everybody(storage: PeopleImportDeps['storage']): Promise<readonly PersonRecord[]> {
  const found: PersonRecord[] = [];
  for await (const each of everyOne((page) => storage.people.list({}, page))) found.push(each);
  return found;
}

async function teamNames(storage: PeopleImportDeps['storage']): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of everyOne((page) => storage.teams.list({}, page))) found.push(name);
  return found;
}
