import { z } from 'zod';
import { BINDINGS } from './conditions.ts';
import { CREDENTIAL_TYPES } from './credentials.ts';
import { resourceIdentifier, scopeName, sensitivity, span } from './fields.ts';
import { ENVIRONMENTS } from './identities.ts';

const unique = (list: readonly unknown[]): boolean => new Set(list).size === list.length;
const NOT_TWICE = 'must not repeat one';

const methods = z.array(z.enum(CREDENTIAL_TYPES)).min(1).refine(unique, NOT_TWICE);
/** An identifier, or what identifiers begin with and a `*`. */
const api = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[\x21-\x29\x2b-\x7e]+\*?$/, 'must be an identifier, or its beginning and a *');
const apis = z.array(api).min(1).max(500).refine(unique, NOT_TWICE);
const duty = z.strictObject({
  resource_server: resourceIdentifier.optional().describe('Identifier; at every API when absent'),
  scope: scopeName,
});

/** What each rule is told. To add one: also its file in the server's policy/declared, and its page in docs/parts. */
export const policyParameters = {
  owner_required: z.strictObject({
    backup: z.boolean().optional().describe('Default: true'),
    team: z.boolean().optional().describe('Default: false'),
  }),
  lifetime_ceiling: z
    .strictObject({
      token: span.optional(),
      credential: span.optional().describe('From its creation'),
      access: span.optional().describe('From now'),
    })
    .refine((each) => Object.keys(each).length > 0, 'needs a ceiling: token, credential or access'),
  methods_allowed: z.strictObject({ methods }),
  credential_age: z.strictObject({ max_age: span, methods: methods.optional().describe('Default: all') }),
  binding_for_sensitive_scopes: z.strictObject({
    min_sensitivity: sensitivity.optional().describe('Of a scope; default: 2'),
    binding: z.enum(BINDINGS).optional().describe('Default: any'),
  }),
  no_cross_environment: z.strictObject({
    environments: z
      .strictObject(Object.fromEntries(ENVIRONMENTS.map((each) => [each, apis.optional()])))
      .refine((each) => Object.keys(each).length > 0, 'needs the APIs of an environment'),
  }),
  separation_of_duties: z.strictObject({
    pairs: z
      .array(z.strictObject({ one: duty, other: duty }))
      .min(1)
      .max(100),
    across: z.enum(['identity', 'owner']).optional().describe('Who may not hold both; default: identity'),
  }),
  third_party_needs_network_and_end: z.strictObject({
    max_end: span.optional().describe('Of an access, from now; default: 366d'),
  }),
  inactivity: z.strictObject({ after: span.optional().describe('Default: 30d') }),
  review_cadence: z.strictObject({
    every: span,
    min_sensitivity: sensitivity.optional().describe('Of the most sensitive scope; default: 0'),
  }),
} as const;

export type PolicyRuleId = keyof typeof policyParameters;
export const POLICY_RULES: readonly PolicyRuleId[] = Object.keys(policyParameters) as PolicyRuleId[];
