import { parseSpiffeId, parseTrustBundle, parseTrustDomain } from '@countersign/protocol';
import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, name, page, pageQuery, recordId } from './fields.ts';

const trustDomainName = z
  .string()
  .min(1)
  .max(255)
  .refine(
    (value) => parseTrustDomain(value) !== undefined,
    'must be the name of a trust domain, without scheme',
  );

const bundle = z
  .record(z.string(), z.unknown())
  .refine(
    (value) => parseTrustBundle(JSON.stringify(value)).ok,
    'must be a SPIFFE trust bundle: {"keys": […]}',
  )
  .describe('Its trust bundle: kept up to date by hand, or what its own endpoint is believed by at first');
const endpoint = z
  .url({ protocol: /^https?$/, error: 'must be an https URL' })
  .max(2048)
  .describe('Where it publishes its trust bundle: asked again as that says');
const endpointSpiffeId = z
  .string()
  .max(2048)
  .refine(
    (value) => (parseSpiffeId(value)?.path ?? '') !== '',
    'must be the SPIFFE ID of a workload: spiffe://trust-domain/path',
  )
  .describe(
    'Who answers there, with an X.509-SVID (https_spiffe); without it a server that the platform trusts (https_web)',
  );

interface Where {
  readonly bundle?: unknown;
  readonly bundle_endpoint?: unknown;
  readonly endpoint_spiffe_id?: unknown;
}
/** SPIFFE_Federation.md §5.2.2: an endpoint that answers as an X.509-SVID is believed by a bundle, at first by one that is given. */
export const hasItsBundle = ({
  bundle: given,
  bundle_endpoint: at,
  endpoint_spiffe_id: by,
}: Where): boolean => (by === undefined ? (given === undefined) !== (at === undefined) : at !== undefined);

export const trustDomainMembers = {
  trust_domain: trustDomainName,
  name: name.optional(),
  bundle: bundle.optional(),
  bundle_endpoint: endpoint.optional(),
  endpoint_spiffe_id: endpointSpiffeId.optional(),
};
export const AT_BUNDLE = {
  error: 'needs either bundle or bundle_endpoint; an endpoint_spiffe_id needs its bundle_endpoint',
  path: ['bundle'],
};

export const trustDomainCreate = z
  .strictObject(trustDomainMembers)
  .refine(hasItsBundle, AT_BUNDLE)
  .meta({ id: 'TrustDomainCreate' });

const saysNothing = ({ bundle: given, bundle_endpoint: at, endpoint_spiffe_id: by }: Where): boolean =>
  given === undefined && at === undefined && by === undefined;

/** What it is verified with changes as a whole. */
export const trustDomainPatch = z
  .strictObject({
    name: name.nullable().optional(),
    bundle: bundle.optional(),
    bundle_endpoint: endpoint.optional(),
    endpoint_spiffe_id: endpointSpiffeId.optional(),
  })
  .refine((body) => saysNothing(body) || hasItsBundle(body), AT_BUNDLE)
  .meta({ id: 'TrustDomainPatch' });

export const trustDomain = z
  .object({
    id: z.string(),
    trust_domain: z.string(),
    name: z.string().nullable(),
    bundle: z.record(z.string(), z.unknown()).nullable(),
    bundle_endpoint: z.string().nullable(),
    endpoint_spiffe_id: z.string().nullable(),
    state: z.enum(['active', 'deleted']),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'TrustDomain' });
export type TrustDomainAnswer = z.output<typeof trustDomain>;

const params = z.strictObject({ id: recordId });

export const trustDomainOperations = {
  'trust-domains.create': operation({
    method: 'POST',
    path: '/v1/trust-domains',
    summary: 'Declare another SPIFFE trust domain, whose workloads may prove themselves by their SVIDs',
    scopes: ['trust-domains:write'],
    body: trustDomainCreate,
    response: trustDomain,
    status: 201,
  }),
  'trust-domains.list': operation({
    method: 'GET',
    path: '/v1/trust-domains',
    summary: 'List declared trust domains, oldest first',
    scopes: ['trust-domains:read'],
    query: z.strictObject({ ...pageQuery }),
    response: page(trustDomain),
  }),
  'trust-domains.get': operation({
    method: 'GET',
    path: '/v1/trust-domains/{id}',
    summary: 'Show a declared trust domain',
    scopes: ['trust-domains:read'],
    params,
    response: trustDomain,
  }),
  'trust-domains.patch': operation({
    method: 'PATCH',
    path: '/v1/trust-domains/{id}',
    summary: 'Change what a trust domain is verified with',
    scopes: ['trust-domains:write'],
    params,
    body: trustDomainPatch,
    response: trustDomain,
  }),
  'trust-domains.delete': operation({
    method: 'DELETE',
    path: '/v1/trust-domains/{id}',
    summary: 'Stop trusting a trust domain: no SVID of it proves anybody any more',
    scopes: ['trust-domains:write'],
    params,
    response: trustDomain,
  }),
};
