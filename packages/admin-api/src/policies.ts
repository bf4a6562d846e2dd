import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, name, page, pageQuery, recordId, sensitivity, span, text } from './fields.ts';
import { ENVIRONMENTS, IDENTITY_KINDS } from './identities.ts';
import { POLICY_RULES, policyParameters } from './policy-parameters.ts';
import { policyTestReport, policyTests } from './policy-tests.ts';

/** What becomes of a breach: nothing · a finding · also a warning to who writes it · a refusal. */
export const POLICY_MODES = ['off', 'report', 'warn', 'enforce'] as const;
export type PolicyMode = (typeof POLICY_MODES)[number];

const unique = (list: readonly string[]): boolean => new Set(list).size === list.length;
const NOT_TWICE = 'must not repeat one';

/** A member that is left out matches all; one that is there must hold. */
export const policyMatch = z
  .strictObject({
    environments: z.array(z.enum(ENVIRONMENTS)).min(1).refine(unique, NOT_TWICE).optional(),
    kinds: z.array(z.enum(IDENTITY_KINDS)).min(1).refine(unique, NOT_TWICE).optional(),
    min_sensitivity: sensitivity.optional().describe('Of the identity'),
    teams: z.array(name).min(1).max(50).refine(unique, NOT_TWICE).optional().describe('Owner teams'),
  })
  .meta({ id: 'PolicyMatch' });

const rule = z.enum(POLICY_RULES);
const parameters = z.record(z.string(), z.unknown());

/** What a policy is, beside its name; shared by creation, what-if, tests and declared documents. */
export const policyMembers = {
  rule,
  parameters: parameters.prefault({}).describe('As its rule takes them: the page of the rule'),
  mode: z.enum(POLICY_MODES).default('report').describe('What becomes of what breaks it'),
  match: policyMatch.prefault({}).describe('Which identities it is about'),
  tests: policyTests.default([]).describe('Run before it is made or changed'),
};

interface RuleWithParameters {
  readonly rule: keyof typeof policyParameters;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Whether the parameters are those of the rule; adds what is wrong to the issues. */
export const requireParameters = (
  { rule: id, parameters: given }: RuleWithParameters,
  context: { readonly issues: unknown[] } & object,
): void => {
  const read = policyParameters[id].safeParse(given);
  for (const { path, message } of read.error?.issues ?? []) {
    context.issues.push({ code: 'custom', message, input: given, path: ['parameters', ...path] });
  }
};

export const policyCreate = z
  .strictObject({ name, ...policyMembers })
  .check(({ value, issues }) => requireParameters(value, { issues }))
  .meta({ id: 'PolicyCreate' });

/** Each member is replaced as a whole. */
export const policyPatch = z
  .strictObject({
    parameters: parameters.optional(),
    mode: z.enum(POLICY_MODES).optional(),
    match: policyMatch.optional(),
    tests: policyTests.optional(),
  })
  .meta({ id: 'PolicyPatch' });

export const policy = z
  .object({
    id: z.string(),
    name: z.string(),
    rule,
    parameters,
    mode: z.enum(POLICY_MODES),
    match: policyMatch,
    tests: policyTests,
    state: z.enum(['active', 'deleted']),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'Policy' });
export type Policy = z.output<typeof policy>;

/** A policy that need not exist. */
const proposed = {
  rule: policyMembers.rule,
  parameters: policyMembers.parameters,
  match: policyMembers.match,
};

export const policyWhatIf = z
  .strictObject({
    policy: z.strictObject(proposed).check(({ value, issues }) => requireParameters(value, { issues })),
    exceptions_of: text(200)
      .optional()
      .describe('A policy by id or name: who is excepted from it is left out'),
    within: span.default('30d').describe('How far back use is looked at'),
    limit: z.int().min(1).max(200).default(50).describe('Identities per page'),
    cursor: text(200).optional().describe('The next_cursor of the page before'),
  })
  .meta({ id: 'PolicyWhatIf' });

export const policyWhatIfResult = z
  .object({
    summary: z
      .object({
        text: z.string(),
        identities: z.int().describe('Active and suspended ones'),
        refused: z.int(),
        refused_in_use: z.int().describe('Of these, with a token or a call in the time looked at'),
        excepted: z
          .int()
          .describe('Would be refused, but are excepted from the policy of exceptions_of for now'),
        calls: z
          .int()
          .describe('Calls that resource servers let through, as far as their last use is in that time'),
        refused_calls: z.int().describe('Of these, under what would be refused'),
        since: instant.describe('From when on use was looked at'),
        watched_since: instant.nullable().describe('Since when use would have been seen; null: not known'),
      })
      .nullable()
      .describe('Of the whole; on the first page only'),
    items: z.array(
      z.object({
        identity: z.string(),
        client_id: z.string(),
        environment: z.string(),
        owner: z.string(),
        breaches: z.array(
          z.object({ subject: z.object({ kind: z.string(), id: z.string() }), why: z.string() }),
        ),
        last_used: instant.nullable(),
        in_use: z.enum(['yes', 'no', 'unknown']),
        calls: z.int(),
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'PolicyWhatIfResult' });
export type PolicyWhatIfResult = z.output<typeof policyWhatIfResult>;

export const policyTestRequest = z
  .strictObject({
    rule: policyMembers.rule,
    parameters: policyMembers.parameters,
    mode: policyMembers.mode,
    match: policyMembers.match,
    tests: policyTests,
  })
  .check(({ value, issues }) => requireParameters(value, { issues }))
  .meta({ id: 'PolicyTestRequest' });

const params = z.strictObject({ id: recordId });

export const policyOperations = {
  'policies.create': operation({
    method: 'POST',
    path: '/v1/policies',
    summary: 'Declare a policy',
    scopes: ['policies:write'],
    body: policyCreate,
    response: policy,
    status: 201,
  }),
  'policies.list': operation({
    method: 'GET',
    path: '/v1/policies',
    summary: 'List policies, oldest first',
    scopes: ['policies:read'],
    query: z.strictObject({ ...pageQuery }),
    response: page(policy),
  }),
  'policies.get': operation({
    method: 'GET',
    path: '/v1/policies/{id}',
    summary: 'Show a policy',
    scopes: ['policies:read'],
    params,
    query: z.strictObject({ as_of: instant.optional().describe('As it was at this instant') }),
    response: policy,
  }),
  'policies.patch': operation({
    method: 'PATCH',
    path: '/v1/policies/{id}',
    summary: 'Change a policy; people only',
    scopes: ['policies:write'],
    params,
    body: policyPatch,
    response: policy,
  }),
  'policies.delete': operation({
    method: 'DELETE',
    path: '/v1/policies/{id}',
    summary: 'Remove a policy; people only',
    scopes: ['policies:write'],
    params,
    response: policy,
  }),
  'policies.what-if': operation({
    method: 'POST',
    path: '/v1/policies/what-if',
    summary: 'Say whom a policy would refuse, by what is registered and was used; changes nothing',
    scopes: ['policies:read', 'identities:read', 'access:read'],
    body: policyWhatIf,
    response: policyWhatIfResult,
  }),
  'policies.test': operation({
    method: 'POST',
    path: '/v1/policies/test',
    summary: 'Run the tests of a policy; changes nothing',
    scopes: ['policies:read'],
    body: policyTestRequest,
    response: policyTestReport,
  }),
};
