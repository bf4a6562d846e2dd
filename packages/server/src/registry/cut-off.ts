import type { Actor } from '../audit/change.ts';
import { type CutoffOrder, orderCutoff } from '../cutoff/order.ts';
import type { CutoffKind, CutoffRecord } from '../storage/cutoffs.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import { revokeDescendants } from './certificates/revoke-descendants.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
import { revokeCredential } from './credential.ts';
import { changeState } from './lifecycle.ts';
import { RegistryRefusal } from './refusal.ts';
import { cutoffView, identityView } from './views.ts';

export interface CutOffDeps extends RuleDeps {
  /** Ends the trust in a key that signs, whatever it signs (ca/compromise.ts). False: there is none of that name. */
  readonly compromiseKey: (stores: Stores, id: string, tell: Tell) => Promise<boolean>;
  /** Seconds that tokens live at most. */
  readonly lifetimes: { readonly maximum: number };
}

export interface CutOffAsked {
  readonly kind: CutoffKind;
  /** Identity: id or client_id · credential: id · token: jti · key: kid, or the id of an authority of certificates. */
  readonly id: string;
  readonly reason: string;
  readonly actor: Pick<Actor, 'identity'>;
  /**
   * Of a credential: what took its place goes with it. `itself`, which is the default: what was made by whoever held it, since a
   * thief could have been that; `all`; `none`. Unless it is `none`, certificates that were renewed from its own go too, whatever they serve.
   */
  readonly successors?: 'itself' | 'all' | 'none' | undefined;
}

/**
 * Stops trusting something from now on, in the caller's transaction: what has a state here is stopped, and the order
 * stands in the feed of resource servers. Tokens have no state here: for them there is the order alone.
 */
export async function cutOff(
  deps: CutOffDeps,
  stores: Stores,
  tell: Tell,
  asked: CutOffAsked,
): Promise<CutoffRecord> {
  const target = await STOP[asked.kind](deps, stores, tell, asked);
  const others = asked.kind === 'credential' ? await stopWhatCameOfIt(deps, stores, tell, asked) : [];
  const { kind, reason, actor } = asked;
  const record = await order(deps, stores, tell, { kind, target, reason, orderedBy: actor.identity });
  for (const each of others) {
    await order(deps, stores, tell, { kind, target: each, reason, orderedBy: actor.identity });
  }
  return record;
}

/** Its successors, and the certificates that were renewed from its own and serve a credential that goes on: ids of what verifiers compare. */
async function stopWhatCameOfIt(
  deps: CutOffDeps,
  stores: Stores,
  tell: Tell,
  asked: CutOffAsked,
): Promise<readonly string[]> {
  if (asked.successors === 'none') return [];
  const successors = await stopSuccessors(deps, stores, tell, asked);
  const found = new Set(successors);
  for (const credentialId of [asked.id, ...successors]) {
    const record = await stores.credentials.byId(credentialId);
    const identity = record && (await stores.identities.byId(record.identityId));
    if (identity === undefined) continue;
    const because = { code: 'unspecified', reason: asked.reason, actor: asked.actor } as const;
    for (const id of await revokeDescendants(deps, stores, tell, identity, { credentialId }, because))
      found.add(id);
  }
  return [...found];
}

/**
 * Stops what took the place of a credential, and of each other, and gives their ids. Whoever holds the last one may be making
 * the next at this moment: each is held before it is stopped, so that what it had made by then is found by looking once more.
 */
async function stopSuccessors(
  deps: CutOffDeps,
  stores: Stores,
  tell: Tell,
  asked: CutOffAsked,
): Promise<readonly string[]> {
  const { successors = 'itself' } = asked;
  // What ended before that has no token left.
  const since = deps.clock.now() - deps.lifetimes.maximum * 1000;
  const stopped = new Set<string>();
  for (let found = true; found; ) {
    found = false;
    const by = successors === 'itself' ? successors : undefined;
    for (const id of await stores.credentials.heirs(asked.id, since, by)) {
      if (stopped.has(id)) continue;
      await STOP.credential(deps, stores, tell, { ...asked, id });
      stopped.add(id);
      found = true;
    }
  }
  return [...stopped];
}

/** The same for one token, by whoever may end it: its client. */
export function cutOffToken(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  asked: { readonly jti: string; readonly reason: string; readonly orderedBy: string },
): Promise<CutoffRecord> {
  const { jti, reason, orderedBy } = asked;
  return order(deps, stores, tell, { kind: 'token', target: jti, reason, orderedBy });
}

/** The same for the tokens of one credential, which itself stays as it is. */
export function cutOffTokensOf(
  deps: RuleDeps,
  stores: Pick<Stores, 'cutoffs' | 'statusIndexes' | 'staleness'>,
  tell: Tell,
  asked: { readonly credentialId: string; readonly reason: string; readonly orderedBy: string },
): Promise<CutoffRecord> {
  const { credentialId, reason, orderedBy } = asked;
  return order(deps, stores, tell, { kind: 'credential', target: credentialId, reason, orderedBy });
}

async function order(
  deps: RuleDeps,
  stores: Pick<Stores, 'cutoffs' | 'statusIndexes' | 'staleness'>,
  tell: Tell,
  asked: CutoffOrder,
): Promise<CutoffRecord> {
  const record = await orderCutoff(deps, stores, asked);
  tell({
    type: 'cutoff.ordered',
    resource: record.id,
    // So that whoever looks for the token finds its end, also when the order itself is gone.
    jti: asked.kind === 'token' ? asked.target : undefined,
    reason: asked.reason,
    after: cutoffView(record),
  });
  return record;
}

type Stop = (deps: CutOffDeps, stores: Stores, tell: Tell, asked: CutOffAsked) => Promise<string>;

/** Stops it, and says what verifiers compare. */
const STOP: { readonly [kind in CutoffKind]: Stop } = {
  async identity(deps, stores, tell, asked) {
    const record = (await stores.identities.byId(asked.id)) ?? (await stores.identities.byClientId(asked.id));
    if (record === undefined) throw unknown(asked);
    await stopForSecurity(deps, stores, tell, record, asked);
    return record.clientId;
  },

  async credential(deps, stores, tell, asked) {
    const record = await stores.credentials.hold(asked.id);
    const identity = record && (await stores.identities.byId(record.identityId));
    if (record === undefined || identity === undefined) throw unknown(asked);
    await revokeCredential(deps, stores, tell, identity, record);
    return record.id;
  },

  async token(_deps, _stores, _tell, asked) {
    return asked.id;
  },

  async key(deps, stores, tell, asked) {
    if (!(await deps.compromiseKey(stores, asked.id, tell))) throw unknown(asked);
    return asked.id;
  },
};

/** What was active once. Of what is being decommissioned the rest of its work ends. */
const CAN_BE_STOPPED: ReadonlySet<IdentityRecord['state']> = new Set([
  'active',
  'suspended',
  'decommissioning',
]);

async function stopForSecurity(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  asked: CutOffAsked,
): Promise<void> {
  if (CAN_BE_STOPPED.has(record.state)) {
    const stopped = await changeState(deps, stores, tell, record, {
      move: 'suspend',
      reason: asked.reason,
      actor: asked.actor,
      security: true,
    });
    // Stopped already it is still written: who puts it back to work at this moment has not seen this order, and must not win.
    if (stopped !== record) return;
  } else if (record.securityStop) return;
  const next = {
    ...record,
    securityStop: true,
    updatedAt: deps.clock.now(),
    version: record.version + 1,
  };
  await stores.identities.replace(next);
  tell({
    type: 'identity.security_stopped',
    resource: record.id,
    reason: asked.reason,
    before: identityView(record),
    after: identityView(next),
  });
}

function unknown(asked: CutOffAsked): RegistryRefusal {
  return new RegistryRefusal('unknown_reference', `there is no ${asked.kind} ${asked.id}`, {
    pointer: '/id',
  });
}
