import { z } from 'zod';
import { BINDINGS } from './conditions.ts';
import { CREDENTIAL_TYPES } from './credentials.ts';
import { name, resourceIdentifier, scopeName, sensitivity, span, text } from './fields.ts';
import { CADENCES, ENVIRONMENTS, IDENTITY_KINDS } from './identities.ts';

/** What a test expects of its policy. `refuse`: what it refuses once it is enforced, whatever its mode is now. */
export const POLICY_EXPECTATIONS = ['allow', 'warn', 'refuse'] as const;
export type PolicyExpectation = (typeof POLICY_EXPECTATIONS)[number];

const scopes = z
  .array(z.strictObject({ name: scopeName, sensitivity: sensitivity.default(1) }))
  .min(1)
  .max(50);

/** An identity made up for a test. Spans count from the instant that is judged: no test ages. */
export const policyGiven = z
  .strictObject({
    identity: z
      .strictObject({
        kind: z.enum(IDENTITY_KINDS).default('service'),
        environment: z.enum(ENVIRONMENTS).default('prod'),
        sensitivity: sensitivity.default(1),
        cadence: z.enum(CADENCES).default('continuous'),
        backup: name.optional(),
        team: name.optional(),
      })
      .prefault({}),
    credentials: z
      .array(
        z.strictObject({
          type: z.enum(CREDENTIAL_TYPES),
          age: span.optional().describe('Made so long ago; now when absent'),
          ends_in: span.default('90d'),
        }),
      )
      .max(50)
      .default([]),
    access: z
      .array(
        z.strictObject({
          resource_server: resourceIdentifier,
          scopes,
          ends_in: span.default('90d'),
          decided: span.optional().describe('Given, approved or renewed so long ago; now when absent'),
          networks: z.array(text(50)).max(20).optional(),
          binding: z.enum(BINDINGS).optional(),
        }),
      )
      .max(50)
      .default([]),
    elsewhere: z
      .array(
        z.strictObject({ resource_server: resourceIdentifier, scopes: z.array(scopeName).min(1).max(50) }),
      )
      .max(50)
      .optional()
      .describe('What other identities of its owner hold'),
    quiet_for: span.optional().describe('Known to be without use for so long'),
    bound: z.enum(['dpop', 'mtls']).optional().describe('What the token that is asked for is bound to'),
  })
  .meta({ id: 'PolicyGiven' });
export type PolicyGiven = z.output<typeof policyGiven>;

export const policyTest = z
  .strictObject({ name, given: policyGiven.prefault({}), expect: z.enum(POLICY_EXPECTATIONS) })
  .meta({ id: 'PolicyTest' });
export type PolicyTest = z.output<typeof policyTest>;

export const MOST_POLICY_TESTS = 100;
export const policyTests = z
  .array(policyTest)
  .max(MOST_POLICY_TESTS)
  .refine((tests) => new Set(tests.map((each) => each.name)).size === tests.length, 'must not repeat a name');

/** A test that did not come out as expected. */
export const policyTestFailure = z
  .object({
    name: z.string(),
    expected: z.enum(POLICY_EXPECTATIONS),
    came: z.enum(POLICY_EXPECTATIONS),
    why: z.array(z.string()).describe('What the policy found'),
  })
  .meta({ id: 'PolicyTestFailure' });
export type PolicyTestFailure = z.output<typeof policyTestFailure>;

export const policyTestReport = z
  .object({ passed: z.int(), failed: z.array(policyTestFailure) })
  .meta({ id: 'PolicyTestReport' });
export type PolicyTestReport = z.output<typeof policyTestReport>;
