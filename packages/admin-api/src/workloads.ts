import { z } from 'zod';
import { operation } from './contract.ts';
import { identityRef, instant, page, pageQuery, recordId, text } from './fields.ts';

/** What an agent finds out about a process: its kind, and the value that must be the process's. */
export const WORKLOAD_SELECTORS = [
  'unix:uid',
  'unix:gid',
  'unix:supplementary_gid',
  'unix:path',
  'unix:sha256',
] as const;
export type WorkloadSelector = (typeof WORKLOAD_SELECTORS)[number];

const SELECTOR =
  /^unix:(?:(?:uid|gid|supplementary_gid):(?:0|[1-9][0-9]{0,9})|path:\/[^\p{Cc}\p{Cs}]{0,1023}|sha256:[0-9a-f]{64})$/u;

export const workloadSelector = z
  .string()
  .max(1040)
  .regex(
    SELECTOR,
    'must be unix:uid:N, unix:gid:N, unix:supplementary_gid:N, unix:path:/… or unix:sha256: and 64 hex digits',
  );

/** A program may be started by anybody: only with who started it does it say something. */
const saysWho = (list: readonly string[]): boolean =>
  list.some((each) => /^unix:(?:uid|gid|supplementary_gid):/.test(each));

const selectors = z
  .array(workloadSelector)
  .min(1)
  .max(20)
  .refine((list) => new Set(list).size === list.length, 'must not repeat one')
  .refine(saysWho, 'needs who runs it beside its program: unix:uid, unix:gid or unix:supplementary_gid')
  .describe('All of them must hold for a process');

const hint = text(200).describe('Tells the identities of one process apart, in the words of its operator');

/** Members that a person may write. */
export const workloadMembers = {
  agent: identityRef.describe('The identity of the agent that serves it'),
  identity: identityRef.describe('Who such a process is'),
  selectors,
  hint: hint.optional(),
};

export const workloadCreate = z
  .strictObject({
    ...workloadMembers,
    expires_at: instant.describe('Narrowed to the end of the identity'),
  })
  .meta({ id: 'WorkloadCreate' });

export const workloadPatch = z
  .strictObject({
    selectors: selectors.optional(),
    hint: hint.nullable().optional(),
    expires_at: instant.optional(),
  })
  .meta({ id: 'WorkloadPatch' });

export const workload = z
  .object({
    id: z.string(),
    agent: z.string().describe('client_id'),
    identity: z.string().describe('client_id'),
    spiffe_id: z.string(),
    selectors: z.array(z.string()),
    hint: z.string().nullable(),
    state: z.enum(['active', 'deleted']),
    expires_at: instant,
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'Workload' });
export type Workload = z.output<typeof workload>;

const params = z.strictObject({ id: recordId });

export const workloadOperations = {
  'workloads.create': operation({
    method: 'POST',
    path: '/v1/workloads',
    summary: 'Register which processes an agent gives the SVIDs of an identity to',
    scopes: ['workloads:write'],
    body: workloadCreate,
    response: workload,
    status: 201,
  }),
  'workloads.list': operation({
    method: 'GET',
    path: '/v1/workloads',
    summary: 'List registered workloads, oldest first',
    scopes: ['workloads:read'],
    query: z.strictObject({
      ...pageQuery,
      agent: identityRef.optional(),
      identity: identityRef.optional(),
    }),
    response: page(workload),
  }),
  'workloads.get': operation({
    method: 'GET',
    path: '/v1/workloads/{id}',
    summary: 'Show a registered workload',
    scopes: ['workloads:read'],
    params,
    response: workload,
  }),
  'workloads.patch': operation({
    method: 'PATCH',
    path: '/v1/workloads/{id}',
    summary: 'Change a registered workload',
    scopes: ['workloads:write'],
    params,
    body: workloadPatch,
    response: workload,
  }),
  'workloads.delete': operation({
    method: 'DELETE',
    path: '/v1/workloads/{id}',
    summary: 'Remove a registered workload: its agent serves it no more',
    scopes: ['workloads:write'],
    params,
    response: workload,
  }),
};
