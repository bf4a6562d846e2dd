import { z } from 'zod';
import { operation } from './contract.ts';
import {
  instant,
  name,
  page,
  pageQuery,
  positive,
  prose,
  resourceIdentifier,
  resourceServerRef,
  scopeName,
  sensitivity,
  text,
} from './fields.ts';
import { resourceServerUsage } from './usage.ts';

export const SIGNING_ALGORITHMS = ['ES256', 'ES384', 'RS256', 'RS384', 'PS256', 'EdDSA'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

const scopes = z
  .array(
    z.strictObject({
      name: scopeName,
      description: prose(500).optional(),
      sensitivity: sensitivity.default(1),
    }),
  )
  .min(1)
  .max(200)
  .refine((list) => new Set(list.map((scope) => scope.name)).size === list.length, 'must not repeat a scope');

const lifetime = positive(86_400).describe('Seconds; the default of the server when absent');
const format = z.enum(['jwt', 'opaque', 'cwt']);
const signingAlg = z.enum(SIGNING_ALGORITHMS);
const typ = z.enum(['at+jwt', 'JWT']);
const statusList = z
  .boolean()
  .describe(
    'Its tokens name their place in a token status list, for verifiers that do not follow the cut-off feed',
  );
const senderConstraint = z.enum(['none', 'dpop', 'mtls']);

/** Members that a person may write; shared by creation and declared documents. */
export const resourceServerMembers = {
  scopes,
  token: z
    .strictObject({
      format: format.default('jwt'),
      lifetime: lifetime.optional(),
      signing_alg: signingAlg.default('ES256'),
      typ: typ.default('at+jwt'),
      status_list: statusList.default(false),
    })
    .prefault({}),
  sender_constraint: senderConstraint.default('none'),
};

export const resourceServerCreate = z
  .strictObject({ identifier: resourceIdentifier, name, ...resourceServerMembers })
  .meta({ id: 'ResourceServerCreate' });

/** Merge patch (RFC 7396): `scopes` is replaced as a whole; null removes. */
export const resourceServerPatch = z
  .strictObject({
    name: name.optional(),
    scopes: scopes.optional(),
    token: z
      .strictObject({
        format: format.optional(),
        lifetime: lifetime.nullable().optional(),
        signing_alg: signingAlg.optional(),
        typ: typ.optional(),
        status_list: statusList.optional(),
      })
      .optional(),
    sender_constraint: senderConstraint.optional(),
  })
  .meta({ id: 'ResourceServerPatch' });

export const resourceServer = z
  .object({
    id: z.string(),
    identifier: z.string(),
    name: z.string(),
    scopes: z.array(z.object({ name: z.string(), description: z.string(), sensitivity: z.int() })),
    token: z.object({
      format,
      lifetime: z.int().nullable(),
      signing_alg: signingAlg,
      typ,
      status_list: statusList,
    }),
    sender_constraint: senderConstraint,
    state: z.enum(['active', 'deleted']),
    built_in: z.boolean(),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
    usage: resourceServerUsage.optional().describe('In the answer to a GET of one'),
  })
  .meta({ id: 'ResourceServer' });
export type ResourceServer = z.output<typeof resourceServer>;

const params = z.strictObject({ id: resourceServerRef });

export const resourceServerOperations = {
  'resource-servers.create': operation({
    method: 'POST',
    path: '/v1/resource-servers',
    summary: 'Register a resource server with its scopes',
    scopes: ['resource-servers:write'],
    body: resourceServerCreate,
    response: resourceServer,
    status: 201,
  }),
  'resource-servers.list': operation({
    method: 'GET',
    path: '/v1/resource-servers',
    summary: 'List resource servers, oldest first',
    scopes: ['resource-servers:read'],
    query: z.strictObject({
      ...pageQuery,
      text: text(100).optional().describe('Part of name or identifier'),
    }),
    response: page(resourceServer),
  }),
  'resource-servers.get': operation({
    method: 'GET',
    path: '/v1/resource-servers/{id}',
    summary: 'Show a resource server; an identifier is percent-encoded',
    scopes: ['resource-servers:read'],
    params,
    response: resourceServer,
  }),
  'resource-servers.patch': operation({
    method: 'PATCH',
    path: '/v1/resource-servers/{id}',
    summary: 'Change a resource server; a scope that live access holds cannot go',
    scopes: ['resource-servers:write'],
    params,
    body: resourceServerPatch,
    response: resourceServer,
  }),
  'resource-servers.delete': operation({
    method: 'DELETE',
    path: '/v1/resource-servers/{id}',
    summary: 'Delete a resource server to which nobody has access',
    scopes: ['resource-servers:write'],
    params,
    response: resourceServer,
  }),
};
