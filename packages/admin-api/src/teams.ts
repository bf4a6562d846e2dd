import { z } from 'zod';
import { operation } from './contract.ts';
import { directoryName, instant, name, page, pageQuery, text } from './fields.ts';

/** People in one team. */
export const MOST_MEMBERS = 500;

const members = z
  .array(directoryName)
  .max(MOST_MEMBERS)
  .refine(
    (list) => new Set(list.map((handle) => handle.toLowerCase())).size === list.length,
    'must not name anybody twice',
  )
  .describe('Handles of people');
const lead = directoryName.describe('Handle of who leads it');
const channel = text(300).describe('Where it is reached, in its own words');

/** Members that a person may write; shared by creation and declared documents. */
export const teamMembers = {
  members: members.default([]),
  lead: lead.optional(),
  channel: channel.optional(),
};

export const teamCreate = z
  .strictObject({ name: directoryName.describe('What owners name; never changes'), ...teamMembers })
  .meta({ id: 'TeamCreate' });

/** Merge patch (RFC 7396): `members` is replaced as a whole; null removes. */
export const teamPatch = z
  .strictObject({
    members: members.optional(),
    lead: lead.nullable().optional(),
    channel: channel.nullable().optional(),
  })
  .meta({ id: 'TeamPatch' });

export const team = z
  .object({
    id: z.string(),
    name: z.string(),
    members: z.array(z.string()),
    lead: z.string().nullable(),
    channel: z.string().nullable(),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
    identities: z.int().optional().describe('That belong to it; in the answer to a GET of one'),
    bus_factor: z
      .int()
      .optional()
      .describe(
        'Of those, how many have exactly one owner or backup who is still there; in the answer to a GET of one',
      ),
    without_living_owner: z.int().optional().describe('Of those; in the answer to a GET of one'),
  })
  .meta({ id: 'Team' });
export type Team = z.output<typeof team>;

/** A team by id (`tem_…`) or name. */
const params = z.strictObject({ id: name });

export const teamOperations = {
  'teams.create': operation({
    method: 'POST',
    path: '/v1/teams',
    summary: 'Enter a team of people',
    scopes: ['people:write'],
    body: teamCreate,
    response: team,
    status: 201,
  }),
  'teams.list': operation({
    method: 'GET',
    path: '/v1/teams',
    summary: 'List teams, oldest entry first',
    scopes: ['people:read'],
    query: z.strictObject({
      ...pageQuery,
      person: directoryName.optional().describe('Handle of a member or the lead'),
      text: text(100).optional().describe('Part of the name'),
    }),
    response: page(team),
  }),
  'teams.get': operation({
    method: 'GET',
    path: '/v1/teams/{id}',
    summary: 'Show a team',
    scopes: ['people:read'],
    params,
    response: team,
  }),
  'teams.patch': operation({
    method: 'PATCH',
    path: '/v1/teams/{id}',
    summary: 'Change a team',
    scopes: ['people:write'],
    params,
    body: teamPatch,
    response: team,
  }),
  'teams.delete': operation({
    method: 'DELETE',
    path: '/v1/teams/{id}',
    summary: 'Remove a team that owns nothing',
    scopes: ['people:write'],
    params,
    response: team,
  }),
};
