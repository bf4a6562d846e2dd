import { z } from 'zod';
import { operation } from './contract.ts';
import { directoryName, email, instant, name, page, pageQuery, reason, text } from './fields.ts';

export const PERSON_STATUSES = ['active', 'leaving', 'left'] as const;
export type PersonStatus = (typeof PERSON_STATUSES)[number];

const status = z
  .enum(PERSON_STATUSES)
  .describe('Whoever has left owns nothing any more: what they owned needs another owner');
const externalId = text(200).describe('Its key in the directory that it comes from');
const manager = directoryName.describe('Handle of whom they report to');

/** Members that a person may write; shared by creation, import and declared documents. */
export const personMembers = {
  email: email.optional(),
  external_id: externalId.optional(),
  status: status.default('active'),
  manager: manager.optional(),
};

export const personCreate = z
  .strictObject({
    handle: directoryName.describe('What owners name: an e-mail address or a user name; never changes'),
    name,
    ...personMembers,
  })
  .meta({ id: 'PersonCreate' });

/** Merge patch (RFC 7396): null removes. */
export const personPatch = z
  .strictObject({
    name: name.optional(),
    email: email.nullable().optional(),
    external_id: externalId.nullable().optional(),
    status: status.optional(),
    manager: manager.nullable().optional(),
  })
  .meta({ id: 'PersonPatch' });

export const person = z
  .object({
    id: z.string(),
    handle: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    external_id: z.string().nullable(),
    status: z.enum(PERSON_STATUSES),
    left_at: instant.nullable().describe('When this authority learned of it'),
    manager: z.string().nullable(),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'Person' });
export type Person = z.output<typeof person>;

/** A person by id (`psn_…`) or handle. */
const params = z.strictObject({ id: name });

export const HAND_OVER_OUTCOMES = ['offered', 'taken_over', 'changed', 'unchanged'] as const;

const handedOver = z
  .object({
    from: z.string(),
    to: z.string(),
    items: z.array(
      z.object({
        kind: z
          .enum(['identity', 'backup', 'team', 'offer'])
          .describe('What they answered for: as owner, as backup, as lead, or about to'),
        id: z.string(),
        name: z.string(),
        outcome: z.enum(HAND_OVER_OUTCOMES),
      }),
    ),
  })
  .meta({ id: 'HandedOver' });
export type HandedOver = z.output<typeof handedOver>;

export const peopleOperations = {
  'people.create': operation({
    method: 'POST',
    path: '/v1/people',
    summary: 'Enter a person',
    scopes: ['people:write'],
    body: personCreate,
    response: person,
    status: 201,
  }),
  'people.list': operation({
    method: 'GET',
    path: '/v1/people',
    summary: 'List people, oldest entry first',
    scopes: ['people:read'],
    query: z.strictObject({
      ...pageQuery,
      status: z.enum(PERSON_STATUSES).optional(),
      manager: directoryName.optional().describe('Handle of whom they report to'),
      text: text(100).optional().describe('Part of handle, name or e-mail address'),
    }),
    response: page(person),
  }),
  'people.get': operation({
    method: 'GET',
    path: '/v1/people/{id}',
    summary: 'Show a person',
    scopes: ['people:read'],
    params,
    query: z.strictObject({ as_of: instant.optional().describe('As known at this instant') }),
    response: person,
  }),
  'people.patch': operation({
    method: 'PATCH',
    path: '/v1/people/{id}',
    summary: 'Change a person; `"status":"left"` is how one leaves',
    scopes: ['people:write'],
    params,
    body: personPatch,
    response: person,
  }),
  'people.hand-over': operation({
    method: 'POST',
    path: '/v1/people/{id}/hand-over',
    summary: 'Hand over all that a person answers for to another; a dry run shows what that is',
    scopes: ['people:write', 'identities:write'],
    params,
    body: z.strictObject({
      to: directoryName.describe('Handle of who is to answer for it'),
      reason: reason.optional(),
    }),
    response: handedOver,
    destructive: true,
  }),
  'people.delete': operation({
    method: 'DELETE',
    path: '/v1/people/{id}',
    summary: 'Remove a person who was entered by mistake and whom nothing names',
    scopes: ['people:write'],
    params,
    response: person,
  }),
};
