import type { Tell } from '../../registry/change-rules.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { MOST_WORKLOADS_OF_AGENT } from '../../registry/workload/served.ts';
import { changeWorkload, createWorkload, deleteWorkload } from '../../registry/workload/workload.ts';
import type { Stores } from '../../storage/storage.ts';
import type { WorkloadRecord } from '../../storage/workloads.ts';
import type { Application } from './application.ts';
import { type DeclaredWorkload, endAt, fixedEnd } from './declared.ts';
import { everyOne } from './every-one.ts';
import type { Removal } from './removal.ts';
import { findIdentity, identityOf } from './referenced-record.ts';

/** Who may apply documents need not be who may say which processes an identity is. */
const WRITE = 'workloads:write';

/** Other selectors are another registration: what they are is its key. */
export async function bringWorkload(
  { deps, ceiling, now }: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredWorkload,
): Promise<void> {
  requireWithin(ceiling, [WRITE]);
  const agent = await identityOf(stores, declared.agent, '/agent');
  const identity = await identityOf(stores, declared.identity);
  const { selectors, hint, end } = declared;
  const key = workloadKey(agent.id, identity.id, selectors);
  const there = await stores.workloads.ofAgent(agent.id, MOST_WORKLOADS_OF_AGENT);
  const record = there.find((each) => keyOf(each) === key);
  if (record === undefined) {
    const asked = { agent, identity, selectors, hint, expiresAt: endAt(end, now) };
    await createWorkload(deps, stores, tell, ceiling, asked);
  } else {
    const change = { hint: hint ?? null, expiresAt: fixedEnd(end) };
    await changeWorkload(deps, stores, tell, ceiling, record, change);
  }
}

/** Key of one, with ids in place of the names that documents may use. */
export async function declaredWorkloadKey(stores: Stores, declared: DeclaredWorkload): Promise<string> {
  const agent = await findIdentity(stores, declared.agent);
  const identity = await findIdentity(stores, declared.identity);
  return workloadKey(agent?.id ?? declared.agent, identity?.id ?? declared.identity, declared.selectors);
}

export function workloadKey(agent: string, identity: string, selectors: readonly string[]): string {
  return `Workload ${agent} ${identity} ${JSON.stringify(selectors.toSorted())}`;
}

function keyOf({ agentId, identityId, selectors }: WorkloadRecord): string {
  return workloadKey(agentId, identityId, selectors);
}

/** Those that are not declared. One that is over is no document's to speak of. */
export async function workloadRemovals(
  { deps, ceiling, now: instant }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
  spared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const record of everyOne((page) => stores.workloads.list({}, page))) {
    if (declared.has(keyOf(record)) || record.expiresAt <= instant) continue;
    if (spared.has(record.identityId) || spared.has(record.agentId)) continue;
    found.push(async (now, tell) => {
      requireWithin(ceiling, [WRITE]);
      const present = await now.workloads.byId(record.id);
      if (present !== undefined) await deleteWorkload(deps, now, tell, present);
      return undefined;
    });
  }
  return found;
}
