import { z } from 'zod';
import { name, positive, text } from './fields.ts';
import { ROLES } from './roles.ts';

/** Compared with what the provider says, character by character. */
const group = text(256);
const groups = z.array(group).max(100);
const claim = text(200);
const clientId = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');
const scope = z
  .string()
  .max(500)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/, 'must be scopes')
  .refine((value) => value.split(' ').includes('openid'), 'must have openid');
const teams = <T extends z.ZodType>(names: T) =>
  z.record(name, names).refine(isSmall, 'must be at most 1,000 teams');

function isSmall(record: object): boolean {
  return Object.keys(record).length <= 1000;
}

/** Seconds that a person stays signed in. */
export const SESSION_SECONDS = { default: 3600, minimum: 300, maximum: 43_200 } as const;
const sessionLifetime = positive(SESSION_SECONDS.maximum)
  .min(SESSION_SECONDS.minimum)
  .describe('Seconds that a person stays signed in; never longer than the setting token-lifetime-max');

/** How people sign in through an issuer of kind `people`. */
export const peopleSettings = z.strictObject({
  client_id: clientId.describe('What Countersign is called at the provider: a public client with PKCE'),
  console_client_id: clientId.optional().describe('The same for the console; client_id when absent'),
  scope: scope.default('openid email profile').describe('What is asked for when somebody signs in'),
  handle_claim: claim
    .default('email')
    .describe('The claim that names a person as owners are named; email must be verified'),
  groups_claim: claim.default('groups').describe('The claim that lists groups: a name, or a JSON Pointer'),
  session_lifetime: sessionLifetime.default(SESSION_SECONDS.default),
  roles: z.partialRecord(z.enum(ROLES), groups).default({}).describe('Role → groups whose members have it'),
  teams: teams(groups).default({}).describe('Team → groups whose members are in it'),
});

/** Merge patch (RFC 7396): null takes a role, a team or the console’s own name away. */
export const peopleSettingsPatch = z.strictObject({
  client_id: clientId.optional(),
  console_client_id: clientId.nullable().optional(),
  scope: scope.optional(),
  handle_claim: claim.optional(),
  groups_claim: claim.optional(),
  session_lifetime: sessionLifetime.optional(),
  roles: z.partialRecord(z.enum(ROLES), groups.nullable()).optional(),
  teams: teams(groups.nullable()).optional(),
});
