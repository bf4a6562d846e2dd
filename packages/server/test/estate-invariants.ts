import type { AuditEvent } from '../src/audit/event.ts';
import type { IdentityRecord } from '../src/storage/identities.ts';
import type { Authority } from './authority.ts';
import { watchGovernance } from './estate-governance-invariants.ts';
import { DAY, everything, SENSITIVE } from './estate-world.ts';

/** docs/operate/lifecycle.md, its table. Written down again here: this is what the code is held against. */
const MOVES: Readonly<Record<string, readonly string[]>> = {
  '': ['draft', 'requested', 'active'],
  draft: ['requested', 'active', 'lapsed', 'decommissioned'],
  requested: ['approved', 'rejected', 'decommissioned'],
  approved: ['active', 'lapsed', 'decommissioned'],
  active: ['suspended', 'decommissioning'],
  suspended: ['active', 'decommissioning'],
  decommissioning: ['active', 'suspended', 'decommissioned'],
};
/** Days after which nobody is active whose owner has left and whom nobody has taken over. */
const ORPHANED_FOR = 14;

/** Looks at an estate from outside of the rules: each call says in words what must not be so. */
export function watchEstate(authority: Authority): { broken(): Promise<readonly string[]> } {
  const { storage, log, clock } = authority;
  let heard = 0;
  /** What the log said last of each identity. */
  const told = new Map<string, string>();

  /** Every state reached by a legal path, each step with its event. */
  function illegalMoves(): string[] {
    const broken: string[] = [];
    for (const event of log.events.slice(heard)) {
      heard++;
      if (!event.type.startsWith('identity.')) continue;
      const state = stateAfter(event);
      const key = event.resource ?? '';
      if (state === undefined) continue;
      const before = told.get(key) ?? '';
      if (state !== before && MOVES[before]?.includes(state) !== true)
        broken.push(`${key} went from ${before} to ${state} (${event.type})`);
      told.set(key, state);
    }
    return broken;
  }

  async function brokenIdentities(identities: readonly IdentityRecord[]): Promise<string[]> {
    const now = clock.now();
    const people = await everything((page) => storage.people.list({}, page));
    const there = new Set(people.filter(({ status }) => status !== 'left').map(({ handle }) => handle));
    const broken: string[] = [];
    for (const {
      id,
      clientId,
      state,
      expiresAt,
      owner,
      sensitivity,
      builtIn,
      decommissioning,
    } of identities) {
      const said = told.get(id);
      if (said !== undefined && said !== state)
        broken.push(`${clientId} is ${state}, and the log says ${said}`);
      if (state === 'decommissioning' && (decommissioning?.endsAt ?? 0) <= now)
        broken.push(`${clientId} is past its last day`);
      if (state !== 'active') continue;
      if (expiresAt <= now && !builtIn) broken.push(`${clientId} is active past its end`);
      if (builtIn || there.has(owner.person)) continue;
      const orphaned = await storage.ownershipClocks.ofIdentity(id);
      const isLate =
        orphaned !== undefined && orphaned.startedAt + ORPHANED_FOR * DAY < now && sensitivity < 3;
      if (orphaned === undefined || isLate) broken.push(`${clientId} is active, and nobody answers for it`);
    }
    return broken;
  }

  async function brokenAccess(): Promise<string[]> {
    const now = clock.now();
    const broken: string[] = [];
    const servers = new Map(
      (await everything((page) => storage.resourceServers.list({}, page))).map((each) => [each.id, each]),
    );
    for (const access of await everything((page) => storage.access.list({ state: 'active' }, page))) {
      if (access.expiresAt <= now) broken.push(`${access.id} is active past its end`);
      const scopes =
        servers.get(access.resourceServerId)?.scopes.filter(({ name }) => access.scopes.includes(name)) ?? [];
      if (Math.max(0, ...scopes.map(({ sensitivity }) => sensitivity)) < SENSITIVE) continue;
      if (servers.get(access.resourceServerId)?.identifier.endsWith('/v1') === true) continue;
      const request =
        access.approvalId === undefined ? undefined : await storage.approvals.byId(access.approvalId);
      const decisions = await storage.approvals.decisionsOf(request === undefined ? [] : [request.id]);
      const approvers = new Set(
        decisions.filter(({ decision }) => decision === 'approve').map(({ subject }) => subject),
      );
      if (request?.state !== 'approved' || approvers.size < 2)
        broken.push(`${access.id} is active, and not two people said so`);
    }
    return broken;
  }

  async function pastTheirEnd(): Promise<string[]> {
    const now = clock.now();
    const credentials = await everything((page) => storage.credentials.list({ state: 'active' }, page));
    const requests = await everything((page) => storage.approvals.list({ state: 'pending' }, page));
    return [...credentials, ...requests]
      .filter(({ expiresAt }) => expiresAt <= now)
      .map(({ id }) => `${id} lives past its end`);
  }

  const governance = watchGovernance(authority);
  return {
    async broken() {
      const moves = illegalMoves();
      const identities = await everything((page) => storage.identities.list({}, page));
      return [
        ...moves,
        ...(await brokenIdentities(identities)),
        ...(await brokenAccess()),
        ...(await pastTheirEnd()),
        ...(await governance.broken(identities)),
      ];
    },
  };
}

function stateAfter({ detail }: AuditEvent): string | undefined {
  if (detail === undefined) return undefined;
  return (JSON.parse(detail) as { after?: { state?: string } }).after?.state;
}
