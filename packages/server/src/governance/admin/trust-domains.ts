import type { BodyOf } from '@countersign/admin-api';
import {
  changeTrustDomain,
  createTrustDomain,
  deleteTrustDomain,
  type NewTrustDomain,
  type TrustDomainDeps,
  trustDomainView,
  type TrustDomainView,
} from '../../registry/spiffe/trust-domain.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { TrustDomainRecord } from '../../storage/trust-domains.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { required } from './find-record.ts';

export function trustDomainHandlers(
  deps: TrustDomainDeps & { readonly storage: Pick<Storage, 'trustDomains'> },
): NounHandlers<'trust-domains'> {
  const { storage } = deps;
  return {
    'trust-domains.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const asked = newTrustDomainOf(body);
        const record = await createTrustDomain(deps, stores, tell, admin.unlimited, asked);
        return { ...resultOf(record), location: `/v1/trust-domains/${record.id}` };
      },
    },

    'trust-domains.list': {
      kind: 'read',
      async run({ query }) {
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return { body: await pageOf(await storage.trustDomains.list(page), trustDomainView) };
      },
    },

    'trust-domains.get': {
      kind: 'read',
      async run({ params }) {
        return resultOf(await liveOf(storage, params.id));
      },
    },

    'trust-domains.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = await liveOf(stores, params.id);
        requireVersion(record.version);
        const { name, bundle_endpoint: bundleEndpoint, endpoint_spiffe_id: endpointSpiffeId } = body;
        const change = { name, bundle: textOf(body.bundle), bundleEndpoint, endpointSpiffeId };
        return resultOf(await changeTrustDomain(deps, stores, tell, admin.unlimited, record, change));
      },
    },

    'trust-domains.delete': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const record = await liveOf(stores, params.id);
        requireVersion(record.version);
        return resultOf(await deleteTrustDomain(deps, stores, tell, record));
      },
    },
  };
}

/** As a request or a document has it. */
export function newTrustDomainOf(asked: BodyOf<'trust-domains.create'>): NewTrustDomain {
  return {
    trustDomain: asked.trust_domain,
    name: asked.name,
    bundle: textOf(asked.bundle),
    bundleEndpoint: asked.bundle_endpoint,
    endpointSpiffeId: asked.endpoint_spiffe_id,
  };
}

function textOf(bundle: object | undefined): string | undefined {
  return bundle === undefined ? undefined : JSON.stringify(bundle);
}

async function liveOf(stores: Pick<Stores, 'trustDomains'>, id: string): Promise<TrustDomainRecord> {
  const record = required(await stores.trustDomains.byId(id), 'trust domain');
  return required(record.state === 'deleted' ? undefined : record, 'trust domain');
}

function resultOf(record: TrustDomainRecord): { body: TrustDomainView; version: number } {
  return { body: trustDomainView(record), version: record.version };
}
