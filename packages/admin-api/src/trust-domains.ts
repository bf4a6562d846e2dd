import { parseTrustBundle, parseTrustDomain } from '@countersign/protocol';
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
  .describe('Its trust bundle, where it is kept up to date by hand');
const endpoint = z
  .url({ protocol: /^https?$/, error: 'must be an https URL' })
  .max(2048)
  .describe('Where it publishes its trust bundle (https_web): asked again as that says');

interface Where {
  readonly bundle?: unknown;
  readonly bundle_endpoint?: unknown;
}
export const oneOfBoth = ({ bundle: given, bundle_endpoint: at }: Where): boolean =>
  (given === undefined) !== (at === undefined);

export const trustDomainMembers = {
  trust_domain: trustDomainName,
  name: name.optional(),
  bundle: bundle.optional(),
  bundle_endpoint: endpoint.optional(),
};
export const AT_BUNDLE = { error: 'needs either bundle or bundle_endpoint', path: ['bundle'] };

export const trustDomainCreate = z
  .strictObject(trustDomainMembers)
  .refine(oneOfBoth, AT_BUNDLE)
  .meta({ id: 'TrustDomainCreate' });

/** One takes the place of the other. */
export const trustDomainPatch = z
  .strictObject({
    name: name.nullable().optional(),
    bundle: bundle.optional(),
    bundle_endpoint: endpoint.optional(),
  })
  .refine(({ bundle: given, bundle_endpoint: at }) => given === undefined || at === undefined, {
    error: 'takes one of bundle and bundle_endpoint',
    path: ['bundle'],
  })
  .meta({ id: 'TrustDomainPatch' });

export const trustDomain = z
  .object({
    id: z.string(),
    trust_domain: z.string(),
    name: z.string().nullable(),
    bundle: z.record(z.string(), z.unknown()).nullable(),
    bundle_endpoint: z.string().nullable(),
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
