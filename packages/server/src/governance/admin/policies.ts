import { type BodyOf, policyParameters } from '@countersign/admin-api';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { changePolicy, createPolicy, deletePolicy, type NewPolicy } from '../../registry/policy/policy.ts';
import { failuresOf } from '../../registry/policy/run-tests.ts';
import { type PolicyView, policyView } from '../../registry/policy/view.ts';
import type { PolicyMatch, PolicyRecord } from '../../storage/policies.ts';
import type { Storage } from '../../storage/storage.ts';
import { pageOf, readPosition } from './cursor.ts';
import { requireAdminPerson } from './decider.ts';
import type { NounHandlers } from './endpoint.ts';
import { required } from './find-record.ts';
import { createTurns } from './in-turn.ts';
import { whatIf, type WhatIfDeps } from './policy-what-if.ts';
import { ProblemError } from './problem.ts';

/** That is looked at the estate for on a node, and waited for. */
const MOST_LOOKS = 4;

export function policyHandlers(
  deps: RuleDeps & WhatIfDeps & { readonly storage: Pick<Storage, 'policies'> },
): NounHandlers<'policies'> {
  const { storage } = deps;
  const inTurn = createTurns(MOST_LOOKS);
  return {
    'policies.create': {
      kind: 'write',
      async run({ body }, stores, tell) {
        const { name, ...policy } = body;
        const record = await createPolicy(deps, stores, tell, { name, ...policyOf(policy) });
        return { ...resultOf(record), location: `/v1/policies/${record.id}` };
      },
    },

    'policies.list': {
      kind: 'read',
      async run({ query }) {
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return { body: await pageOf(await storage.policies.list(page), policyView) };
      },
    },

    'policies.get': {
      kind: 'read',
      async run({ params, query }) {
        const { as_of: at } = query;
        const record =
          at === undefined
            ? await storage.policies.byId(params.id)
            : await storage.policies.asOf(params.id, Date.parse(at));
        return resultOf(required(record, 'policy'));
      },
    },

    'policies.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = required(await stores.policies.byId(params.id), 'policy');
        requireVersion(record.version);
        if (body.parameters !== undefined) requireParametersOf(record, body.parameters);
        const change = {
          parameters: body.parameters,
          mode: body.mode,
          match: body.match && matchOf(body.match),
          tests: body.tests,
        };
        const asAdmin = (): void => requireAdminPerson(admin);
        return resultOf(await changePolicy(deps, stores, tell, record, change, asAdmin));
      },
    },

    'policies.delete': {
      kind: 'write',
      async run({ params, admin, requireVersion }, stores, tell) {
        const record = required(await stores.policies.byId(params.id), 'policy');
        requireVersion(record.version);
        const asAdmin = (): void => requireAdminPerson(admin);
        return resultOf(await deletePolicy(deps, stores, tell, record, asAdmin));
      },
    },

    'policies.what-if': {
      kind: 'many',
      async run({ body }) {
        const { rule, parameters, match } = body.policy;
        const policy = { rule, parameters, match: matchOf(match) };
        return { body: await inTurn(() => whatIf(deps, policy, body)) };
      },
      // It changes nothing either way.
      preview: () => Promise.resolve([]),
    },

    'policies.test': {
      kind: 'many',
      async run({ body }) {
        const { rule, parameters, mode, match, tests } = body;
        const failed = failuresOf({ rule, parameters, mode, match: matchOf(match) }, tests);
        return { body: { passed: tests.length - failed.length, failed: [...failed] } };
      },
      preview: () => Promise.resolve([]),
    },
  };
}

type PolicyBody = Omit<BodyOf<'policies.create'>, 'name'>;

/** A policy as its body or document says it. */
export function policyOf({ rule, parameters, mode, match, tests }: PolicyBody): Omit<NewPolicy, 'name'> {
  return { rule, parameters, mode, match: matchOf(match), tests };
}

function matchOf({ environments, kinds, min_sensitivity, teams }: PolicyBody['match']): PolicyMatch {
  return { environments, kinds, minSensitivity: min_sensitivity, teams };
}

/** The rule of a policy does not change, and says what its parameters are. */
function requireParametersOf({ rule }: PolicyRecord, given: unknown): void {
  const [issue] = policyParameters[rule].safeParse(given).error?.issues ?? [];
  if (issue === undefined) return;
  const pointer = ['/parameters', ...issue.path.map(String)].join('/');
  throw new ProblemError('validation_failed', { errors: [{ pointer, detail: issue.message }] });
}

function resultOf(record: PolicyRecord): { body: PolicyView; version: number } {
  return { body: policyView(record), version: record.version };
}
