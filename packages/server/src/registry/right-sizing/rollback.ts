import type { Actor } from '../../audit/change.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Applied, ProposalRecord } from '../../storage/proposals.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { Stores } from '../../storage/storage.ts';
import { changeAccess, createAccess } from '../access.ts';
import type { Tell } from '../change-rules.ts';
import { changeCredential } from '../credential.ts';
import { planOf, refusedNow } from '../decommissioning.ts';
import { moveIdentity } from '../lifecycle.ts';
import { RegistryRefusal } from '../refusal.ts';
import { type Asked, FIRST_LOOK_MS, type RightSizingDeps } from './apply.ts';
import { changeProposal } from './proposal.ts';

interface About {
  readonly record: ProposalRecord;
  readonly identity: IdentityRecord;
}

/** Gives the id of what it is given back to, where people may have to be asked first. */
type GiveBack = (
  deps: RightSizingDeps,
  stores: Stores,
  tell: Tell,
  about: About & { readonly applied: Applied },
  asked: Asked,
) => Promise<string | undefined>;

/**
 * Gives back what was taken, and no more: no scope that was not there, no later end, nothing after its window. It goes the ordinary
 * ways of the registry, so that people are asked where a rule asks for them; then it waits for them.
 */
export async function rollBack(
  deps: RightSizingDeps,
  stores: Stores,
  tell: Tell,
  { record, identity }: About,
  asked: Asked,
): Promise<ProposalRecord> {
  const now = deps.clock.now();
  const { applied } = record;
  if (record.state !== 'applied' || applied === undefined) {
    throw new RegistryRefusal('illegal_transition', `it is ${record.state}: there is nothing to give back`);
  }
  if (applied.until <= now) {
    throw new RegistryRefusal('illegal_transition', 'the time in which it could be rolled back is over');
  }
  const subjectId = await GIVE_BACK[record.kind](deps, stores, tell, { record, identity, applied }, asked);
  const [waiting] = subjectId === undefined ? [] : await stores.approvals.pendingOf([subjectId]);
  const next: ProposalRecord =
    waiting === undefined
      ? { ...record, state: 'rolled_back', nextAt: undefined }
      : {
          ...record,
          state: 'rollback_requested',
          applied: { ...applied, approvalId: waiting.id },
          nextAt: now + FIRST_LOOK_MS,
        };
  return await changeProposal(deps, stores, tell, record, next, identity.clientId, next.state, asked.reason);
}

/**
 * Whether nobody has had a hand in it since it was carried out: what people changed after that is their decision, and does not
 * come back by itself. What was removed is made anew, and that is refused where something else took its place.
 */
export async function isAsLeft(
  stores: Pick<Stores, 'access' | 'credentials'>,
  { record, identity }: About,
): Promise<boolean> {
  if (record.kind === 'remove') return true;
  const now =
    record.subject === 'identity'
      ? identity.stateSince
      : record.subject === 'access'
        ? (await stores.access.byId(record.subjectId))?.version
        : (await stores.credentials.byId(record.subjectId))?.version;
  return now !== undefined && now === record.applied?.undo.left;
}

/** As an actor once more: whoever carried it out asks for it back. */
export function actorOf({ by }: Applied): Actor {
  return { identity: by.identity, credential: by.credential, person: by.person, behind: by.behind };
}

const GIVE_BACK: { readonly [kind in ProposalRecord['kind']]: GiveBack } = {
  async remove(deps, stores, tell, { identity, applied }, { by }) {
    const {
      resourceServerId,
      scopes = [],
      justification,
      tokenLifetime,
      conditions,
      expiresAt,
    } = applied.undo;
    const resourceServer = await requireServer(stores, resourceServerId);
    if (expiresAt === undefined || expiresAt <= deps.clock.now()) {
      throw new RegistryRefusal('illegal_transition', 'what was taken would have ended by now');
    }
    const record = await createAccess(
      deps,
      stores,
      tell,
      { identity, resourceServer },
      {
        scopes: stillDefined(scopes, resourceServer),
        justification: justification ?? 'was taken and is missed',
        tokenLifetime,
        conditions,
        expiresAt,
        by,
      },
    );
    return record.id;
  },

  async narrow(deps, stores, tell, { record, identity, applied }, { by }) {
    const { access, resourceServer } = await requireLive(deps, stores, record);
    const taken = stillDefined(applied.undo.scopes ?? [], resourceServer);
    const scopes = [...access.scopes, ...taken.filter((scope) => !access.scopes.includes(scope))];
    await changeAccess(deps, stores, tell, { identity, resourceServer }, access, { scopes }, by);
    return access.id;
  },

  async shorten(deps, stores, tell, { record, identity, applied }, { by }) {
    const { access, resourceServer } = await requireLive(deps, stores, record);
    const change = { tokenLifetime: applied.undo.tokenLifetime ?? null };
    await changeAccess(deps, stores, tell, { identity, resourceServer }, access, change, by);
    return access.id;
  },

  async retire(deps, stores, tell, { identity }, { by, reason }) {
    const works = planOf(identity).from === 'active' && refusedNow(identity, deps.clock.now()) !== 'stopped';
    const move = works ? 'keep' : 'restore';
    await moveIdentity(deps, stores, tell, identity, { move, reason: reason ?? 'it is missed', actor: by });
    return undefined;
  },

  async upgrade(deps, stores, tell, { record, identity }) {
    const weak = await stores.credentials.byId(record.subjectId);
    if (weak?.state !== 'suspended') {
      throw new RegistryRefusal('illegal_transition', `its credential is ${weak?.state ?? 'gone'}`);
    }
    await changeCredential(deps, stores, tell, identity, weak, { state: 'active' });
    return undefined;
  },
};

async function requireLive(
  deps: RightSizingDeps,
  stores: Pick<Stores, 'access' | 'resourceServers'>,
  { subjectId }: ProposalRecord,
): Promise<{ readonly access: AccessRecord; readonly resourceServer: ResourceServerRecord }> {
  const access = await stores.access.byId(subjectId);
  if (access?.state !== 'active' || access.expiresAt <= deps.clock.now()) {
    throw new RegistryRefusal('illegal_transition', 'its access has ended: there is nothing to give back to');
  }
  return { access, resourceServer: await requireServer(stores, access.resourceServerId) };
}

async function requireServer(
  { resourceServers }: Pick<Stores, 'resourceServers'>,
  id: string | undefined,
): Promise<ResourceServerRecord> {
  const found = id === undefined ? undefined : await resourceServers.byId(id);
  if (found?.state === 'active') return found;
  throw new RegistryRefusal('illegal_transition', 'its resource server is gone');
}

function stillDefined(
  scopes: readonly string[],
  { scopes: defined }: ResourceServerRecord,
): readonly string[] {
  const left = scopes.filter((scope) => defined.some(({ name }) => name === scope));
  if (left.length > 0) return left;
  throw new RegistryRefusal('illegal_transition', 'its API defines none of these scopes any more');
}
