import type { BadRow, DevicesImported } from '@countersign/admin-api';
import type { Actor, Changes } from '../../audit/change.ts';
import type { ApprovalDeps } from '../../registry/approval/request.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { type ClaimCodeDeps, createClaimCode } from '../../registry/claim/claim-code.ts';
import { createIdentity } from '../../registry/identity.ts';
import { requireMayActAs } from '../../registry/own-access.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { createGiveWay, type GiveWay } from '../../telemetry/pacer.ts';
import { differenceOf } from '../apply/difference.ts';
import { inShifts, type Step } from '../apply/in-shifts.ts';
import { rehearse } from '../apply/rehearse.ts';
import type { Admin } from './admin.ts';
import type { Call, Handler } from './endpoint.ts';
import { badRows, MOST_NAMED, MOST_SHOWN } from './bad-rows.ts';
import { type Device, type PlacedDevice, readDevices } from './read-devices.ts';

export interface DevicesImportDeps extends ApprovalDeps, ClaimCodeDeps {
  readonly storage: Pick<Storage, 'identities' | 'transaction'>;
  readonly changes: Changes;
}

type Body = Call<'devices.import'>['body'];
type Code = DevicesImported['codes'][number];

interface Planned {
  readonly devices: readonly PlacedDevice[];
  readonly bad: readonly BadRow[];
  /** Of the devices those that are there already. */
  readonly present: number;
}

/** What became of each row, by client_id: written anew when its transaction is tried again. */
interface Outcome {
  readonly waiting: Set<string>;
  readonly codes: Map<string, Code>;
}

/**
 * Enters devices: a row whose client_id is there as a device already changes nothing, so that a manifest may come again, whole
 * or cut off. The codes are in the answer and nowhere else.
 */
export function devicesImportHandler(deps: DevicesImportDeps): Handler<'devices.import'> {
  return {
    kind: 'many',
    async run({ body, admin }) {
      const giveWay = createGiveWay();
      const planned = await plan(deps, body, giveWay);
      const outcome: Outcome = { waiting: new Set(), codes: new Map() };
      const steps = stepsOf(deps, body, planned, admin, outcome);
      await inShifts(deps.changes, admin.actor, steps, giveWay, () => undefined);
      return { body: summaryOf(planned, outcome) };
    },
    async preview({ body, admin }) {
      const giveWay = createGiveWay();
      const planned = await plan(deps, body, giveWay);
      const outcome: Outcome = { waiting: new Set(), codes: new Map() };
      const events = await rehearse(deps.storage, async (stores, tell) => {
        let told = 0;
        for (const step of stepsOf(deps, body, planned, admin, outcome)) {
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
    foresee: async ({ body }) => {
      const planned = await plan(deps, body, createGiveWay());
      return { devices: summaryOf(planned, { waiting: new Set(), codes: new Map() }) };
    },
  };
}

async function plan(deps: DevicesImportDeps, body: Body, giveWay: GiveWay): Promise<Planned> {
  const read = await readDevices(body, giveWay);
  const devices: PlacedDevice[] = [];
  const bad: BadRow[] = [...read.bad];
  let present = 0;
  for (const placed of read.devices) {
    await giveWay();
    const known = await deps.storage.identities.byClientId(placed.device.client_id);
    if (known !== undefined && known.kind !== 'device') {
      bad.push({ ...placed.place, member: 'client_id', detail: `is or was a ${known.kind} and no device` });
      continue;
    }
    if (known !== undefined) present++;
    devices.push(placed);
  }
  if (bad.length > 0 && !body.skip_bad_rows)
    throw badRows(
      bad.toSorted((left, right) => left.row - right.row),
      read.rows,
      'nothing was changed',
    );
  return { devices, bad, present };
}

function stepsOf(
  deps: DevicesImportDeps,
  body: Body,
  { devices }: Planned,
  { actor: by, unlimited: ceiling }: Admin,
  outcome: Outcome,
): readonly Step[] {
  return devices.map(
    ({ device }): Step =>
      async (stores, tell) => {
        const known = await stores.identities.byClientId(device.client_id);
        const identity = known ?? (await create(deps, stores, tell, device, by));
        if (identity.state === 'requested') outcome.waiting.add(identity.clientId);
        outcome.codes.delete(identity.clientId);
        if (body.codes && (await wantsCode(stores, identity, deps.clock.now()))) {
          // Whoever has the code becomes the identity; one that was made just now has nothing.
          if (known !== undefined) await requireMayActAs(ceiling, stores, known.id);
          const expiresAt = body.codes_expire_at === undefined ? undefined : Date.parse(body.codes_expire_at);
          const made = await createClaimCode(deps, stores, tell, identity, { expiresAt, by });
          outcome.codes.set(identity.clientId, {
            client_id: identity.clientId,
            identity: identity.id,
            code: made.code,
            expires_at: rfc3339(made.record.expiresAt),
          });
        }
        return {};
      },
  );
}

function create(
  deps: DevicesImportDeps,
  stores: Stores,
  tell: Tell,
  device: Device,
  by: Actor,
): Promise<IdentityRecord> {
  const { person, backup, team } = device.owner;
  return createIdentity(deps, stores, tell, {
    name: device.name ?? device.client_id,
    kind: 'device',
    environment: device.environment,
    purpose: device.purpose,
    owner: { person, backup, team },
    sensitivity: device.sensitivity,
    cadence: device.cadence,
    clientId: device.client_id,
    expiresAt: Date.parse(device.expires_at),
    state: 'active',
    by,
  });
}

/** One that has claimed nothing and has no code that it could claim with. */
async function wantsCode(stores: Stores, identity: IdentityRecord, now: number): Promise<boolean> {
  if (identity.state !== 'active' && identity.state !== 'approved') return false;
  if (identity.expiresAt <= now) return false;
  const { items: codes } = await stores.claimCodes.list({ identityId: identity.id }, { limit: 200 });
  if (codes.some(({ state, expiresAt }) => state === 'used' || (state === 'open' && expiresAt > now)))
    return false;
  const { items: certificates } = await stores.certificates.list({ identityId: identity.id }, { limit: 1 });
  return certificates.length === 0;
}

function summaryOf({ devices, bad, present }: Planned, { waiting, codes }: Outcome): DevicesImported {
  return {
    created: devices.length - present,
    unchanged: present,
    waiting: waiting.size,
    codes: [...codes.values()],
    bad_rows: bad.slice(0, MOST_NAMED),
    bad_row_count: bad.length,
  };
}
