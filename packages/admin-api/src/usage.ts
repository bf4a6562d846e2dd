import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, resourceServerRef, scopeName } from './fields.ts';

export const USE_ANSWERS = ['used', 'unused', 'unknown'] as const;

const answer = z
  .enum(USE_ANSWERS)
  .describe('unused: use would have been seen, and there was none; unknown: not enough was told to say so');

const lasting = {
  last_used: instant.nullable().describe('The end of the last report that told of use, also before `since`'),
  last_denied: instant.nullable().describe('Refusals are never use'),
};

/** What is known of the use of an access. */
export const accessUsage = z
  .object({
    state: answer,
    since: instant.describe('What `state` is about begins here; no earlier than the access itself'),
    coverage: z
      .number()
      .min(0)
      .max(1)
      .describe('The share of the time from then until five minutes ago in which use would have been seen'),
    ...lasting,
    scopes: z.array(
      z.object({
        scope: z.string(),
        state: answer,
        ...lasting,
        ok: z.int().describe('Calls let through since the first report'),
        denied: z.int().describe('Calls refused since the first report'),
        days: z.array(z.string()).describe('The days (UTC) of the last 400 on which it was used'),
      }),
    ),
  })
  .meta({ id: 'AccessUsage' });
export type AccessUsage = z.output<typeof accessUsage>;

/** What is known of the use of a credential. */
export const credentialUsage = z
  .object({
    state: answer,
    since: instant.describe('What `state` is about begins here; no earlier than the credential itself'),
    last_used: instant.nullable().describe('The later of the two that follow'),
    last_token: instant.nullable().describe('When a token was last issued on it; up to an hour old'),
    last_call: instant.nullable().describe('When an API last told that it let one of its tokens through'),
  })
  .meta({ id: 'CredentialUsage' });

/** Whether and what a resource server tells of itself. */
export const resourceServerUsage = z
  .object({
    told_until: instant.nullable().describe('The end of what it told last'),
    silent: z.array(z.string()).describe('Copies that should tell and do not, at most 20'),
    opens: z
      .array(
        z.object({
          scope: z.string(),
          method: z.string(),
          path: z.string(),
          first_seen: instant,
          last_seen: instant,
        }),
      )
      .describe('The routes behind each scope, as its guards tell'),
  })
  .meta({ id: 'ResourceServerUsage' });

/** A name that a token holds; of whom nothing is known it may be anything printable. */
const name = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');
const calls = z.int().min(0).max(1e12);
const copy = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -');

const counted = {
  scope: scopeName.nullable().describe('What the guard required, never what the token holds; null: nothing'),
  ok: calls.describe('Calls let through'),
  denied: calls.describe('Calls refused'),
};

export const MOST_USAGE_ROWS = 500;

export const usageReport = z
  .strictObject({
    resource_server: resourceServerRef,
    instance: copy.describe('A name of the running copy, for people'),
    boot: copy.describe('Names one start of it, random'),
    seq: z.int().min(1).max(1e12).describe('Counts the reports of that start'),
    from: instant.describe('What follows was seen from here on: the end of the report before'),
    to: instant.describe('Until here; at most 7 days ago'),
    rows: z
      .array(
        z.union([
          z.strictObject({
            credential: name,
            access: name,
            ...counted,
            age: z
              .int()
              .min(0)
              .max(31_536_000)
              .optional()
              .describe(
                'Seconds: how old the oldest token was that was let through, where that is known of all',
              ),
          }),
          z.strictObject({ issuer: name, client_id: name, ...counted }),
        ]),
      )
      .max(MOST_USAGE_ROWS)
      .describe(
        'By credential and access (`crd`, `acs` of the token), or by issuer and client_id where it has none',
      ),
    routes: z
      .array(
        z.strictObject({
          scope: scopeName,
          method: z.string().regex(/^[A-Z]{1,20}$/, 'must be a method in capitals'),
          path: z
            .string()
            .regex(/^[\x21-\x7e]{1,256}$/, 'must be 1 to 256 characters of printable ASCII')
            .describe('The template of a route, never what a caller wrote'),
        }),
      )
      .max(200)
      .optional()
      .describe('What scopes open, as far as this start has not told it'),
    more: z.boolean().optional().describe('More rows of the same span follow under the next number'),
    uncounted: z
      .strictObject({ ok: calls, denied: calls })
      .optional()
      .describe('Calls of which nothing else is known: the span then says nothing about who is unused'),
    final: z.boolean().optional().describe('This start of the copy ends, and nothing follows'),
  })
  .meta({ id: 'UsageReport' });
export type UsageReport = z.input<typeof usageReport>;

export const usageOperations = {
  'usage.report': operation({
    method: 'POST',
    path: '/v1/usage',
    summary: 'Tell what of a resource server was used; for those who hold usage:write of it too',
    scopes: ['usage:write'],
    body: usageReport,
    response: z
      .object({ counted: z.boolean().describe('false: it was counted before') })
      .meta({ id: 'UsageReceipt' }),
  }),
};
