import { z } from 'zod';
import { operation } from './contract.ts';
import { instant } from './fields.ts';
import { ROLES } from './roles.ts';

/** Who calls, and what it may do here now. */
export const me = z
  .object({
    kind: z.enum(['person', 'machine']),
    client_id: z.string().nullable().describe('Of a machine'),
    person: z
      .object({
        handle: z.string().describe('What owners are called by'),
        issuer: z.string().describe('The trusted issuer that vouched for the person'),
        subject: z.string().describe('The person at that issuer'),
        signed_in_at: instant,
        expires_at: instant.describe('When it has to sign in again'),
        roles: z.array(z.enum(ROLES)),
        teams: z.array(z.string()),
      })
      .nullable(),
    scopes: z.array(z.string()).describe('What it may do'),
    own_only: z.array(z.string()).describe('Of them what it may do only with what is its own'),
  })
  .meta({ id: 'Me' });
export type Me = z.output<typeof me>;

export const meOperations = {
  'me.get': operation({
    method: 'GET',
    path: '/v1/me',
    summary: 'Say who calls, and what it may do',
    scopes: [],
    response: me,
  }),
  'me.sign-out': operation({
    method: 'POST',
    path: '/v1/me/sign-out',
    summary: 'End the token of the person who calls',
    scopes: [],
    body: z.strictObject({}),
    response: z.object({ signed_out: z.literal(true), cutoff: z.string() }).meta({ id: 'SignedOut' }),
  }),
};
