import type { Access, AdminClient, Identity, ResourceServer } from '@countersign/admin-api';
import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { nearNames } from '../near-name.ts';
import type { ConnectPlan, Present } from './connect-plan.ts';

/** Before anything is written: does the API have these scopes? */
export function requireScopes(api: ResourceServer, scopes: readonly string[]): void {
  const known = api.scopes.map(({ name }) => name);
  const unknown = scopes.filter((scope) => !known.includes(scope));
  if (unknown.length === 0) return;
  const near = unknown.flatMap((scope) => nearNames(scope, known));
  throw new CommandFailure('usage', `${api.name} has no scope ${unknown.join(', ')}.`, {
    fix:
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : known.length > 0
          ? `It has ${known.join(', ')}; add another with: countersign resource-servers update`
          : 'It has no scopes yet; add one with: countersign resource-servers update',
  });
}

/**
 * What of a plan is there already. `connect` makes things and changes none: what is there and is otherwise is a
 * conflict.
 */
export async function findPresent(client: AdminClient, plan: ConnectPlan): Promise<Present> {
  const identity = await findIdentity(client, plan.name);
  if (identity === undefined) return { identity, access: undefined };
  requireUsable(identity);
  requireSame(identity, plan);
  const access = await findAccess(client, plan);
  if (access !== undefined) requireHolds(access, plan);
  return { identity, access };
}

async function findIdentity(client: AdminClient, name: string): Promise<Identity | undefined> {
  try {
    return (await client.call('identities.get', { params: { id: name } })).body;
  } catch (error) {
    if (failureOf(error).kind === 'not_found') return undefined;
    throw error;
  }
}

/** The live one, or the one that waits for people; there is one at most. */
export async function findAccess(client: AdminClient, plan: ConnectPlan): Promise<Access | undefined> {
  for (const state of ['active', 'requested'] as const) {
    const query = { identity: plan.name, resource_server: plan.api.id, state };
    for await (const access of client.each('access.list', { query })) return access;
  }
  return undefined;
}

function requireUsable({ client_id, state, security_stop }: Identity): void {
  if (state === 'active') return;
  const resumable = state === 'suspended' && !security_stop;
  throw new CommandFailure('conflict', `${client_id} is there already, and is ${state}.`, {
    fix: resumable
      ? `Resume it first: countersign identities resume ${client_id} --reason TEXT`
      : state === 'draft' || state === 'approved'
        ? `Activate it first: countersign identities activate ${client_id}`
        : state === 'requested'
          ? 'People have to approve it first: countersign approvals list --state pending'
          : 'Take another name: this one is never given out again.',
  });
}

function requireSame(identity: Identity, plan: ConnectPlan): void {
  const asked: readonly (readonly [string, string | undefined, string])[] = [
    ['owner', plan.owner, identity.owner.person],
    ['kind', plan.kind, identity.kind],
    ['environment', plan.environment, identity.environment],
    ['purpose', plan.purpose, identity.purpose],
  ];
  const other = asked.filter(([, wished, is]) => wished !== undefined && wished !== is);
  if (other.length === 0) return;
  const lines = other.map(([member, wished, is]) => `  its ${member} is ${is}, not ${wished}`);
  throw new CommandFailure(
    'conflict',
    [`${identity.client_id} is there already (${identity.id}), and nothing was changed:`, ...lines].join(
      '\n',
    ),
    {
      fix: `Take another name, or change that one first: countersign identities update ${identity.client_id}`,
    },
  );
}

function requireHolds(access: Access, { name, api, scopes }: ConnectPlan): void {
  const missing = scopes.filter((scope) => !access.scopes.includes(scope));
  if (missing.length === 0) return;
  throw new CommandFailure(
    'conflict',
    `${name} has access to ${api.name} already, without ${missing.join(', ')}. Nothing was changed.`,
    {
      fix: `Widen it: countersign access update ${access.id} --scopes ${[...access.scopes, ...missing].join(',')}`,
    },
  );
}
