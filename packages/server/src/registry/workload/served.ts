import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { WorkloadRecord } from '../../storage/workloads.ts';
import { identityFault } from '../effective-access.ts';

/** An agent is told all of them at once, and holds each against each caller. */
export const MOST_WORKLOADS_OF_AGENT = 1000;

/** A workload whose identity may act now. */
export interface ServedWorkload {
  readonly workload: WorkloadRecord;
  readonly identity: IdentityRecord;
}

type Reading = Pick<Stores, 'workloads' | 'identities'>;

/** What the agent serves at `now` (epoch ms), oldest first. Nothing where the agent itself may not act. */
export async function servedBy(
  stores: Reading,
  agentClientId: string,
  now: number,
): Promise<readonly ServedWorkload[]> {
  const agent = await stores.identities.byClientId(agentClientId);
  if (agent === undefined || identityFault(agent, now) !== undefined) return [];
  const workloads = await stores.workloads.ofAgent(agent.id, MOST_WORKLOADS_OF_AGENT);
  const found = await stores.identities.byIds([...new Set(workloads.map(({ identityId }) => identityId))]);
  const identities = new Map(found.map((record) => [record.id, record]));
  return workloads.flatMap((workload) => {
    const identity = identities.get(workload.identityId);
    return identity !== undefined && isServed(workload, identity, now) ? [{ workload, identity }] : [];
  });
}

/** One of them; undefined where it is another agent's, is not there any more, or may not act. */
export async function servedOne(
  stores: Reading,
  agentClientId: string,
  workloadId: string,
  now: number,
): Promise<ServedWorkload | undefined> {
  const workload = await stores.workloads.byId(workloadId);
  const agent = await stores.identities.byClientId(agentClientId);
  if (workload === undefined || agent === undefined || workload.agentId !== agent.id) return undefined;
  if (identityFault(agent, now) !== undefined) return undefined;
  const identity = await stores.identities.byId(workload.identityId);
  return identity !== undefined && isServed(workload, identity, now) ? { workload, identity } : undefined;
}

function isServed(workload: WorkloadRecord, identity: IdentityRecord, now: number): boolean {
  return (
    workload.state === 'active' && workload.expiresAt > now && identityFault(identity, now) === undefined
  );
}
