import type { StandingVerdict } from '../policy/declared/standing-verdict.ts';
import { isWithin } from '../policy/time-window.ts';
import type { AccessRecord } from '../storage/access.ts';
import type { ApprovalDecisionRecord } from '../storage/approvals.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Position } from '../storage/page.ts';
import type { Stores } from '../storage/storage.ts';
import { credentialFault, identityFault } from './effective-access.ts';
import { verdictAt } from './policy/verdict-at.ts';
import { rfc3339 } from './views.ts';

/** One link of the chain from a machine to a scope. */
export interface Link {
  readonly link: 'identity' | 'credential' | 'access' | 'scope' | 'approvals' | 'conditions' | 'policy';
  readonly ok: boolean;
  /** Of the record that decides it. */
  readonly id: string | undefined;
  readonly detail: string;
}

export interface Explained {
  /** Up to the first one that does not hold. */
  readonly links: readonly Link[];
  readonly approvals: readonly ApprovalDecisionRecord[];
}

/** What the rules of the deployment say of a token; settings as they are today, for they keep no history. */
export type AccessPolicy = (
  asked: {
    readonly identity: IdentityRecord;
    readonly credential: CredentialRecord;
    readonly access: AccessRecord;
    readonly resourceServer: ResourceServerRecord;
    readonly scope: string;
    /** What the policies that were enforced then say of its tokens. */
    readonly declared: StandingVerdict | undefined;
  },
  at: number,
) => PolicyVerdict;

export type PolicyVerdict =
  | { readonly ok: true; readonly lifetime: number }
  | {
      readonly ok: false;
      readonly rule: string;
      readonly reason: string;
      readonly evidence?: Readonly<Record<string, string>> | undefined;
    };

type Reading = Pick<
  Stores,
  'identities' | 'credentials' | 'access' | 'approvals' | 'resourceServers' | 'policies' | 'policyExceptions'
>;

/** Credentials that are looked at to say what was wrong with one: those that are live before those that are not, the newest first. */
const MOST_CREDENTIALS = 50;

/** Why the identity may use the scope at `at` (epoch ms), link by link as all of it was then; or what stops it first. */
export async function explainAccess(
  stores: Reading,
  policy: AccessPolicy,
  identityId: string,
  resourceServer: ResourceServerRecord,
  scope: string,
  at: number,
): Promise<Explained> {
  const links: Link[] = [];
  const add = (link: Link['link'], id: string | undefined, detail: string, ok = true): boolean => {
    links.push({ link, ok, id, detail });
    return ok;
  };
  let approvals: readonly ApprovalDecisionRecord[] = [];
  const explained = (): Explained => ({ links, approvals });

  const identity = await stores.identities.asOf(identityId, at);
  if (identity === undefined) {
    add('identity', identityId, 'it did not exist then', false);
    return explained();
  }
  const fault = identityFault(identity, at);
  const reason = identity.stateReason === undefined ? '' : `: ${identity.stateReason}`;
  const state = `${identity.state}${reason}, until ${rfc3339(identity.expiresAt)}`;
  if (!add('identity', identity.id, state, fault === undefined)) return explained();

  const credential = await liveCredential(stores, identityId, at);
  if (typeof credential === 'string') {
    add('credential', undefined, credential, false);
    return explained();
  }
  const { type } = credential.material;
  add('credential', credential.id, `${type} "${credential.label}", until ${rfc3339(credential.expiresAt)}`);

  const access = await accessAt(stores, identityId, resourceServer.id, at);
  if (access === undefined) {
    add('access', undefined, `it had no access to ${resourceServer.identifier}`, false);
    return explained();
  }
  const live = access.state === 'active' && access.expiresAt > at;
  const since = `version ${access.version} since ${rfc3339(access.updatedAt)}`;
  const what = `${access.state}, ${since}, until ${rfc3339(access.expiresAt)}: ${access.justification}`;
  if (!add('access', access.id, what, live)) return explained();

  const held = access.scopes.includes(scope);
  const scopes = held
    ? `held, of ${access.scopes.join(' ')}`
    : `not held; held are ${access.scopes.join(' ')}`;
  if (!add('scope', access.id, scopes, held)) return explained();

  const { approvalId } = access;
  approvals = approvalId === undefined ? [] : await stores.approvals.decisionsOf([approvalId]);
  add('approvals', approvalId, approvalText(access, approvals));

  const { ok, detail } = conditionsAt(access, at);
  if (!add('conditions', access.id, detail, ok)) return explained();

  const declared = await verdictAt(stores, identity, credential, at);
  const verdict = policy({ identity, credential, access, resourceServer, scope, declared }, at);
  add('policy', undefined, policyText(verdict), verdict.ok);
  return explained();
}

/** One that it could have proved itself by then, or why there was none. */
async function liveCredential(
  stores: Pick<Stores, 'credentials'>,
  identityId: string,
  at: number,
): Promise<CredentialRecord | string> {
  const usable = await stores.credentials.usableAsOf(identityId, at);
  if (usable !== undefined) return usable;
  let best = 'it had no credential';
  for (const { id } of (await stores.credentials.ofIdentity(identityId)).slice(0, MOST_CREDENTIALS)) {
    const then = await stores.credentials.asOf(id, at);
    if (then === undefined) continue;
    best = `none that was live; ${then.id}: ${credentialFault(then, at)}`;
  }
  return best;
}

/** The one that was live then, else the latest of those that were not. */
async function accessAt(
  stores: Pick<Stores, 'access'>,
  identityId: string,
  resourceServerId: string,
  at: number,
): Promise<AccessRecord | undefined> {
  // Not by state: of all active access there is, SQLite would walk through the whole index, for it has the order.
  let newest: AccessRecord | undefined;
  let after: Position | undefined;
  do {
    const page = await stores.access.listAsOf({ identityId, resourceServerId }, at, { limit: 200, after });
    const live = page.items.find(({ state }) => state === 'active');
    if (live !== undefined) return live;
    newest = page.items.at(-1) ?? newest;
    after = page.next;
  } while (after !== undefined);
  return newest;
}

function approvalText(access: AccessRecord, approvals: readonly ApprovalDecisionRecord[]): string {
  if (access.approvalId === undefined) return `no rule asked for any; given by ${access.approvedBy ?? '?'}`;
  return approvals
    .filter(({ decision }) => decision === 'approve')
    .map(({ handle, at }) => `${handle} at ${rfc3339(at)}`)
    .join(', ');
}

/** Declared policies are those of then; settings keep no history. */
function policyText(verdict: PolicyVerdict): string {
  if (verdict.ok) return `a token of at most ${verdict.lifetime} s, by the rules of today`;
  const { rule, reason, evidence } = verdict;
  if (evidence === undefined) return `${rule} refuses it by the rules of today: ${reason}`;
  return `the policy "${evidence['policy']}" (${evidence['rule']}) refuses it: ${evidence['why']}`;
}

/** Times are judged; from where and with which proof somebody asks is known only when they do. */
function conditionsAt({ conditions }: AccessRecord, at: number): { ok: boolean; detail: string } {
  if (conditions === undefined) return { ok: true, detail: 'none' };
  const { networks, times, binding } = conditions;
  if (times !== undefined && !times.some((window) => isWithin(window, at))) {
    return { ok: false, detail: 'outside of all its time windows' };
  }
  const rest = [
    ...(times === undefined ? [] : ['within its time windows']),
    ...(networks === undefined ? [] : [`only from ${networks.join(', ')}`]),
    ...(binding === undefined ? [] : [`only bound by ${binding}`]),
  ];
  return { ok: true, detail: rest.join('; ') };
}
