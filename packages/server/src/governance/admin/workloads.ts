import type { TrustDomain } from '@countersign/protocol';
import type { IdentityRecord } from '../../storage/identities.ts';
import { workloadView, type WorkloadView } from '../../registry/workload/view.ts';
import {
  changeWorkload,
  createWorkload,
  deleteWorkload,
  type WorkloadDeps,
} from '../../registry/workload/workload.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { WorkloadRecord } from '../../storage/workloads.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { findIdentity, identityIdOf, referenced, remembering, required } from './find-record.ts';

export function workloadHandlers(
  deps: WorkloadDeps & { readonly storage: Pick<Storage, 'workloads' | 'identities'> },
): NounHandlers<'workloads'> {
  const { storage, trustDomain } = deps;
  return {
    'workloads.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const record = await createWorkload(deps, stores, tell, admin.unlimited, {
          agent: await named(stores, 'agent', body.agent),
          identity: await named(stores, 'identity', body.identity),
          selectors: body.selectors,
          hint: body.hint,
          expiresAt: Date.parse(body.expires_at),
        });
        return { ...(await resultOf(trustDomain, stores, record)), location: `/v1/workloads/${record.id}` };
      },
    },

    'workloads.list': {
      kind: 'read',
      async run({ query }) {
        const filter = {
          agentId: await identityIdOf(storage, query.agent),
          identityId: await identityIdOf(storage, query.identity),
        };
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const identity = remembering((id) => storage.identities.byId(id));
        const view = (record: WorkloadRecord) => viewOf(trustDomain, identity, record);
        return { body: await pageOf(await storage.workloads.list(filter, page), view) };
      },
    },

    'workloads.get': {
      kind: 'read',
      async run({ params }) {
        return await resultOf(trustDomain, storage, await liveOf(storage, params.id));
      },
    },

    'workloads.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = await liveOf(stores, params.id);
        requireVersion(record.version);
        const changed = await changeWorkload(deps, stores, tell, admin.unlimited, record, {
          selectors: body.selectors,
          hint: body.hint,
          expiresAt: body.expires_at === undefined ? undefined : Date.parse(body.expires_at),
        });
        return await resultOf(trustDomain, stores, changed);
      },
    },

    'workloads.delete': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const record = await liveOf(stores, params.id);
        requireVersion(record.version);
        return await resultOf(trustDomain, stores, await deleteWorkload(deps, stores, tell, record));
      },
    },
  };
}

async function named(
  stores: Pick<Stores, 'identities'>,
  member: 'agent' | 'identity',
  ref: string,
): Promise<IdentityRecord> {
  return referenced(await findIdentity(stores, ref), `/${member}`, 'identity', ref);
}

async function liveOf(stores: Pick<Stores, 'workloads'>, id: string): Promise<WorkloadRecord> {
  const record = required(await stores.workloads.byId(id), 'workload');
  return required(record.state === 'deleted' ? undefined : record, 'workload');
}

async function viewOf(
  trustDomain: TrustDomain,
  identity: (id: string) => Promise<IdentityRecord | undefined>,
  record: WorkloadRecord,
): Promise<WorkloadView> {
  const agent = required(await identity(record.agentId), 'identity');
  return workloadView(trustDomain, record, agent, required(await identity(record.identityId), 'identity'));
}

async function resultOf(
  trustDomain: TrustDomain,
  stores: Pick<Stores, 'identities'>,
  record: WorkloadRecord,
): Promise<{ body: WorkloadView; version: number }> {
  const body = await viewOf(trustDomain, (id) => stores.identities.byId(id), record);
  return { body, version: record.version };
}
