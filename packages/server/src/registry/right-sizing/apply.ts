import type { Actor } from '../../audit/change.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { AppliedBy, ProposalRecord, Undo } from '../../storage/proposals.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { Stores } from '../../storage/storage.ts';
import { changeAccess, revokeAccess } from '../access.ts';
import type { ApprovalDeps } from '../approval/request.ts';
import { same, type Tell } from '../change-rules.ts';
import { changeCredential } from '../credential.ts';
import { gradualPlan, stoppedPlan, USUAL_PHASES } from '../decommissioning.ts';
import { moveIdentity } from '../lifecycle.ts';
import type { AgeDeps } from '../new-credential.ts';
import { RegistryRefusal } from '../refusal.ts';
import { changeProposal, NOT_DISMISSED, requireUndecided } from './proposal.ts';
import { readSizes } from './read-size.ts';
import { verdictsOf } from './verdict.ts';

export interface RightSizingDeps extends ApprovalDeps, AgeDeps {
  /** Milliseconds for which refusals are watched after something was taken away, and it can be given back. */
  readonly rollbackWindow: number;
  /** Seconds that tokens live where nothing else is said. */
  readonly lifetimes: { readonly default: number };
}

export interface Asked {
  readonly by: Actor;
  readonly reason: string | undefined;
}

/** How what was taken is watched at first. */
export const FIRST_LOOK_MS: number = 60_000;

type CarryOut = (
  deps: RightSizingDeps,
  stores: Stores,
  tell: Tell,
  about: { readonly record: ProposalRecord; readonly identity: IdentityRecord },
  asked: Asked,
) => Promise<Undo>;

/**
 * Takes away what is proposed, by the ordinary ways of the registry, in the caller's transaction. It is judged once more in it: what
 * was used meanwhile, or is another proposal by now, is refused.
 */
export async function applyProposal(
  deps: RightSizingDeps,
  stores: Stores,
  tell: Tell,
  about: { readonly record: ProposalRecord; readonly identity: IdentityRecord },
  asked: Asked,
): Promise<ProposalRecord> {
  const { record, identity } = about;
  requireUndecided(record);
  const now = deps.clock.now();
  await requireStillSo(deps, stores, record, identity, now);
  const undo = await CARRY_OUT[record.kind](deps, stores, tell, about, asked);
  const applied: ProposalRecord = {
    ...record,
    ...NOT_DISMISSED,
    state: 'applied',
    applied: {
      by: knownAgain(asked.by),
      at: now,
      until: now + deps.rollbackWindow,
      undo,
      watchedSeq: 0,
      refusedTokens: 0,
    },
    nextAt: now + FIRST_LOOK_MS,
  };
  return await changeProposal(
    deps,
    stores,
    tell,
    record,
    applied,
    identity.clientId,
    'applied',
    asked.reason,
  );
}

async function requireStillSo(
  { lifetimes }: Pick<RightSizingDeps, 'lifetimes'>,
  stores: Stores,
  record: ProposalRecord,
  identity: IdentityRecord,
  now: number,
): Promise<void> {
  const [size] = await readSizes(stores, [identity], lifetimes.default, now);
  const verdicts = size === undefined ? [] : verdictsOf(size, now);
  const verdict = verdicts.find(({ subjectId }) => subjectId === record.subjectId);
  if (verdict?.kind === record.kind && same(verdict.change, record.change)) return;
  const why =
    verdict?.answer === 'propose'
      ? 'what is proposed has changed'
      : (verdict?.reason ?? 'it is not there any more');
  throw new RegistryRefusal('illegal_transition', `it does not hold any more: ${why}`);
}

const CARRY_OUT: { readonly [kind in ProposalRecord['kind']]: CarryOut } = {
  async remove(deps, stores, tell, { record, identity }) {
    const { access, resourceServer } = await requireAccess(stores, record);
    await revokeAccess(deps, stores, tell, { identity, resourceServer }, access);
    const { scopes, justification, tokenLifetime, conditions, expiresAt } = access;
    const before = { scopes, justification, tokenLifetime, conditions, expiresAt };
    return { ...before, resourceServerId: resourceServer.id, denied: await deniedOf(stores, access) };
  },

  async narrow(deps, stores, tell, { record, identity }, { by }) {
    const { access, resourceServer } = await requireAccess(stores, record);
    const take = record.change.take ?? [];
    const scopes = access.scopes.filter((scope) => !take.includes(scope));
    const { version: left } = await changeAccess(
      deps,
      stores,
      tell,
      { identity, resourceServer },
      access,
      { scopes },
      by,
    );
    const denied = await deniedOf(stores, access);
    return { resourceServerId: resourceServer.id, scopes: take, denied, left };
  },

  async shorten(deps, stores, tell, { record, identity }, { by }) {
    const { access, resourceServer } = await requireAccess(stores, record);
    const change = { tokenLifetime: record.change.tokenLifetime?.to };
    const ends = { identity, resourceServer };
    const { version: left } = await changeAccess(deps, stores, tell, ends, access, change, by);
    return { resourceServerId: resourceServer.id, tokenLifetime: access.tokenLifetime, left };
  },

  async retire(deps, stores, tell, { record, identity }, { by }) {
    const now = deps.clock.now();
    const plan =
      identity.state === 'active'
        ? gradualPlan(USUAL_PHASES, now, false)
        : stoppedPlan('suspended', USUAL_PHASES.graceDays, now, false);
    const moving = { move: 'decommission', reason: record.reason, actor: by, plan } as const;
    const { stateSince: left } = await moveIdentity(deps, stores, tell, identity, moving);
    return { left };
  },

  async upgrade(deps, stores, tell, { record, identity }) {
    const weak = await stores.credentials.byId(record.subjectId);
    if (weak === undefined) throw new RegistryRefusal('illegal_transition', 'its credential is gone');
    const change = { state: 'suspended' } as const;
    const { version: left } = await changeCredential(deps, stores, tell, identity, weak, change);
    return { left };
  },
};

async function requireAccess(
  stores: Pick<Stores, 'access' | 'resourceServers'>,
  { subjectId }: ProposalRecord,
): Promise<{ readonly access: AccessRecord; readonly resourceServer: ResourceServerRecord }> {
  const access = await stores.access.byId(subjectId);
  const resourceServer = access && (await stores.resourceServers.byId(access.resourceServerId));
  if (access === undefined || resourceServer === undefined) {
    throw new RegistryRefusal('illegal_transition', 'its access is gone');
  }
  return { access, resourceServer };
}

/** Refusals that were counted before: those that come later are about what was taken. */
async function deniedOf(
  { usage }: Pick<Stores, 'usage'>,
  { id, scopes }: AccessRecord,
): Promise<Readonly<Record<string, number>>> {
  const rows = await usage.ofAccess([id]);
  return Object.fromEntries(
    ['', ...scopes].map((scope) => [
      scope,
      rows.filter((row) => row.scope === scope).reduce((sum, { denied }) => sum + denied, 0),
    ]),
  );
}

function knownAgain({ identity, credential, person, behind }: Actor): AppliedBy {
  return { identity, credential, person, behind };
}
