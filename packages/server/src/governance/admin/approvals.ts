import type { BodyOf, ResponseOf } from '@countersign/admin-api';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import { differingMembers } from '../../registry/approval/content.ts';
import { type Decision, mayApprove, readProgress } from '../../registry/approval/decide.ts';
import { decideRequest, factsOf, presentOf, subjectOf } from '../../registry/approval/subject.ts';
import { decisionView } from '../../registry/approval/view.ts';
import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { ApprovalRequestRecord } from '../../storage/approvals.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { pageOf, readPosition } from './cursor.ts';
import { deciderOf } from './decider.ts';
import type { NounHandlers } from './endpoint.ts';
import { findResourceServer, identityIdOf, required } from './find-record.ts';
import type { Admin } from './admin.ts';

type Reading = Pick<
  Stores,
  'access' | 'approvals' | 'approvalRules' | 'identities' | 'resourceServers' | 'credentialMakers'
>;
type ApprovalView = ResponseOf<'approvals.get'>;

export function approvalHandlers(
  deps: RuleDeps & AdministratorDeps & { readonly storage: Reading & Pick<Storage, 'settings'> },
): NounHandlers<'approvals'> {
  const { storage } = deps;
  return {
    'approvals.list': {
      kind: 'read',
      async run({ query, admin }) {
        const { identity: who, resource_server: what } = query;
        const mine = query.for === undefined ? undefined : deciderOf(admin);
        const filter = {
          // What waits for somebody is pending, whatever else is asked.
          state: mine === undefined ? query.state : (query.state ?? 'pending'),
          subjectId: query.subject,
          identityId: await identityIdOf(storage, who),
          resourceServerId:
            what === undefined
              ? undefined
              : required(await findResourceServer(storage, what), 'resource server').id,
        };
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.approvals.list(filter, page);
        const shown = await pageOf(found, (request) => viewOf(storage, request));
        if (mine === undefined) return { body: shown };
        const awaited = await Promise.all(found.items.map((each) => isFor(deps, storage, each, mine)));
        return { body: { ...shown, items: shown.items.filter((_, place) => awaited[place]) } };
      },
    },

    'approvals.get': {
      kind: 'read',
      async run({ params }) {
        const request = required(await storage.approvals.byId(params.id), 'approval');
        return { body: await viewOf(storage, request), version: request.version };
      },
    },

    'approvals.approve': {
      kind: 'write',
      async run({ params, body, admin }, stores, tell) {
        const request = required(await stores.approvals.byId(params.id), 'approval');
        await decideOn(deps, stores, tell, request, 'approve', decisionOf(admin, body));
        return await shownOf(stores, params.id);
      },
    },

    'approvals.reject': {
      kind: 'write',
      async run({ params, body, admin }, stores, tell) {
        const request = required(await stores.approvals.byId(params.id), 'approval');
        await decideOn(deps, stores, tell, request, 'reject', decisionOf(admin, body));
        return await shownOf(stores, params.id);
      },
    },
  };
}

/** In the caller's transaction. What is approved may also take something away: the authority stays administered. */
export async function decideOn(
  deps: RuleDeps & AdministratorDeps,
  stores: Stores,
  tell: Tell,
  request: ApprovalRequestRecord,
  verdict: 'approve' | 'reject',
  decision: Decision,
): Promise<void> {
  const work = (): Promise<void> => decideRequest(deps, stores, tell, request, verdict, decision);
  await keepAdministered(deps, stores, request.identityId, work);
}

/** The request that waits about this access or identity. */
export async function waitingAbout(
  stores: Pick<Stores, 'approvals'>,
  subjectId: string,
): Promise<ApprovalRequestRecord> {
  const [pending] = await stores.approvals.pendingOf([subjectId]);
  if (pending !== undefined) return pending;
  throw new RegistryRefusal('illegal_transition', 'nothing about it waits for approval');
}

export function decisionOf(
  admin: Admin,
  body: BodyOf<'approvals.approve'> | BodyOf<'approvals.reject'>,
): Decision {
  return {
    person: deciderOf(admin),
    actor: admin.actor,
    contentHash: body.content_hash,
    comment: body.comment,
  };
}

async function shownOf(stores: Reading, id: string): Promise<{ body: ApprovalView; version: number }> {
  const request = required(await stores.approvals.byId(id), 'approval');
  return { body: await viewOf(stores, request), version: request.version };
}

/** Whether this person could carry it further now. */
async function isFor(
  { clock }: RuleDeps,
  stores: Reading,
  request: ApprovalRequestRecord,
  person: Decision['person'],
): Promise<boolean> {
  const subject = await subjectOf(stores, request);
  if (subject === undefined) return false;
  return await mayApprove({ clock }, stores, request, factsOf(subject, request), person);
}

async function viewOf(stores: Reading, request: ApprovalRequestRecord): Promise<ApprovalView> {
  const subject = required(await subjectOf(stores, request), 'subject of the approval');
  const { decisions, progress } = await readProgress(stores, request, factsOf(subject, request));
  const present = presentOf(subject);
  const identity = subject.kind === 'identity' ? subject.record : subject.ends.identity;
  return {
    id: request.id,
    subject: { kind: request.subject, id: request.subjectId },
    op: request.op,
    client_id: identity.clientId,
    resource: subject.kind === 'identity' ? null : subject.ends.resourceServer.identifier,
    state: request.state,
    reason: request.reason ?? null,
    content: { ...request.content },
    content_hash: request.contentHash,
    present: present === undefined ? null : { ...present },
    changes: [...differingMembers(present ?? {}, request.content)],
    sensitivity: request.sensitivity,
    requested_by: request.requestedBy,
    steps: progress.map(({ rule, step, asks, given }) => ({
      rule,
      step,
      quorum: asks.quorum,
      given,
      roles: [...asks.roles],
      teams: [...asks.teams],
      people: [...asks.people],
    })),
    decisions: decisions.map(decisionView),
    expires_at: rfc3339(request.expiresAt),
    created_at: rfc3339(request.createdAt),
    updated_at: rfc3339(request.updatedAt),
    version: request.version,
  };
}
