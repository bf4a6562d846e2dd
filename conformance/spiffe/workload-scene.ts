import { makeMachine, openAdmin, type Admin, type Machine, inSeconds } from '../wire/admin.ts';
import { freshName, rememberSecret, seedOperator } from '../wire/scene.ts';
import { currentTarget, type Target } from '../wire/target.ts';

/** An agent, and one identity that is registered with it for the processes of one user. */
export interface WorkloadScene {
  readonly target: Target;
  readonly admin: Admin;
  readonly agent: Machine;
  readonly identity: Machine;
  readonly workloadId: string;
  readonly spiffeId: string;
}

/** @param selectors default: the user that runs the tests */
export async function seedWorkload(
  stem: string,
  selectors: readonly string[] = [`unix:uid:${process.getuid?.()}`],
  target: Target = currentTarget(),
): Promise<WorkloadScene> {
  const admin = openAdmin(target);
  const agent = await seedOperator(admin, `${stem}-agent`, ['svids:issue']);
  return await seedWorkloadOf(admin, agent, stem, selectors);
}

/** The same with an agent that is there. */
export async function seedWorkloadOf(
  admin: Admin,
  agent: Machine,
  stem: string,
  selectors: readonly string[],
): Promise<WorkloadScene> {
  const identity = await makeMachine(admin, freshName(stem));
  rememberSecret(admin.target, identity.secret);
  const workload = await admin.must('POST', '/workloads', {
    agent: agent.id,
    identity: identity.id,
    selectors,
    expires_at: inSeconds(86_400),
  });
  return {
    target: admin.target,
    admin,
    agent,
    identity,
    workloadId: String(workload['id']),
    spiffeId: String(workload['spiffe_id']),
  };
}
