import type { BodyOf } from '@countersign/admin-api';
import {
  changeApprovalRule,
  createApprovalRule,
  deleteApprovalRule,
  type NewApprovalRule,
} from '../../registry/approval/approval-rule.ts';
import { type ApprovalRuleView, approvalRuleView } from '../../registry/approval/view.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import type { ApprovalMatch, ApprovalRuleRecord } from '../../storage/approval-rules.ts';
import type { Storage } from '../../storage/storage.ts';
import { pageOf, readPosition } from './cursor.ts';
import { requireAdminPerson } from './decider.ts';
import type { NounHandlers } from './endpoint.ts';
import { required } from './find-record.ts';

export function approvalRuleHandlers(
  deps: RuleDeps & { readonly storage: Pick<Storage, 'approvalRules'> },
): NounHandlers<'approval-rules'> {
  const { storage } = deps;
  return {
    'approval-rules.create': {
      kind: 'write',
      async run({ body }, stores, tell) {
        const { name, ...rule } = body;
        const record = await createApprovalRule(deps, stores, tell, { name, ...approvalRuleOf(rule) });
        return { ...resultOf(record), location: `/v1/approval-rules/${record.id}` };
      },
    },

    'approval-rules.list': {
      kind: 'read',
      async run({ query }) {
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return { body: await pageOf(await storage.approvalRules.list(page), approvalRuleView) };
      },
    },

    'approval-rules.get': {
      kind: 'read',
      async run({ params }) {
        return resultOf(required(await storage.approvalRules.byId(params.id), 'approval rule'));
      },
    },

    'approval-rules.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = required(await stores.approvalRules.byId(params.id), 'approval rule');
        requireVersion(record.version);
        const change = {
          match: body.match && matchOf(body.match),
          steps: body.steps,
          ownerMayApprove: body.owner_may_approve,
        };
        const asAdmin = (): void => requireAdminPerson(admin);
        return resultOf(await changeApprovalRule(deps, stores, tell, record, change, asAdmin));
      },
    },

    'approval-rules.delete': {
      kind: 'write',
      async run({ params, admin, requireVersion }, stores, tell) {
        const record = required(await stores.approvalRules.byId(params.id), 'approval rule');
        requireVersion(record.version);
        const asAdmin = (): void => requireAdminPerson(admin);
        return resultOf(await deleteApprovalRule(deps, stores, tell, record, asAdmin));
      },
    },
  };
}

type RuleBody = Omit<BodyOf<'approval-rules.create'>, 'name'>;

/** A rule as its body or document says it. */
export function approvalRuleOf(body: RuleBody): Omit<NewApprovalRule, 'name'> {
  return {
    subject: body.subject,
    match: matchOf(body.match),
    steps: body.steps,
    ownerMayApprove: body.owner_may_approve,
  };
}

function matchOf(match: RuleBody['match']): ApprovalMatch {
  return {
    environments: match.environments,
    kinds: match.kinds,
    minSensitivity: match.min_sensitivity,
    resourceServers: match.resource_servers,
    thirdParty: match.third_party,
  };
}

function resultOf(record: ApprovalRuleRecord): { body: ApprovalRuleView; version: number } {
  return { body: approvalRuleView(record), version: record.version };
}
