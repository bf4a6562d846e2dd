import type { RuleDeps } from '../../registry/change-rules.ts';
import { createException, type ExceptionEnds, revokeException } from '../../registry/policy/exception.ts';
import { type PolicyExceptionView, policyExceptionView } from '../../registry/policy/view.ts';
import type { PolicyExceptionRecord } from '../../storage/policy-exceptions.ts';
import type { PolicyRecord } from '../../storage/policies.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import {
  findIdentity,
  identitiesOf,
  identityIdOf,
  referenced,
  remembering,
  required,
} from './find-record.ts';

type Reading = Pick<Stores, 'policies' | 'policyExceptions' | 'identities'>;

export function policyExceptionHandlers(
  deps: RuleDeps & { readonly storage: Pick<Storage, 'policies' | 'policyExceptions' | 'identities'> },
): NounHandlers<'policy-exceptions'> {
  const { storage } = deps;
  return {
    'policy-exceptions.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const ends = {
          policy: referenced(await findPolicy(stores, body.policy), '/policy', 'policy', body.policy),
          identity: referenced(
            await findIdentity(stores, body.identity),
            '/identity',
            'identity',
            body.identity,
          ),
        };
        const record = await createException(deps, stores, tell, ends, {
          reason: body.reason,
          expiresAt: Date.parse(body.expires_at),
          by: admin.actor,
        });
        return { ...resultOf(record, ends), location: `/v1/policy-exceptions/${record.id}` };
      },
    },

    'policy-exceptions.list': {
      kind: 'read',
      async run({ query }) {
        const { policy: from, identity: who } = query;
        const filter = {
          policyId: from === undefined ? undefined : required(await findPolicy(storage, from), 'policy').id,
          identityId: await identityIdOf(storage, who),
        };
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.policyExceptions.list(filter, page);
        const policyOf = remembering((id) => storage.policies.byId(id));
        const identityOf = await identitiesOf(storage, found.items);
        return {
          body: await pageOf(found, async (record) =>
            policyExceptionView(record, {
              policyName: required(await policyOf(record.policyId), 'policy').name,
              clientId: identityOf(record.identityId).clientId,
            }),
          ),
        };
      },
    },

    'policy-exceptions.get': {
      kind: 'read',
      async run({ params }) {
        const { record, ends } = await requireException(storage, params.id);
        return resultOf(record, ends);
      },
    },

    'policy-exceptions.revoke': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const { record, ends } = await requireException(stores, params.id);
        requireVersion(record.version);
        return resultOf(await revokeException(deps, stores, tell, ends, record), ends);
      },
    },
  };
}

/** By its id or its name, if it is not deleted. */
export async function findPolicy(
  stores: Pick<Stores, 'policies'>,
  ref: string,
): Promise<PolicyRecord | undefined> {
  const record = (await stores.policies.byName(ref)) ?? (await stores.policies.byId(ref));
  return record?.state === 'active' ? record : undefined;
}

async function requireException(
  stores: Reading,
  id: string,
): Promise<{ readonly record: PolicyExceptionRecord; readonly ends: ExceptionEnds }> {
  const record = required(await stores.policyExceptions.byId(id), 'exception');
  return {
    record,
    ends: {
      policy: required(await stores.policies.byId(record.policyId), 'policy'),
      identity: required(await stores.identities.byId(record.identityId), 'identity'),
    },
  };
}

function resultOf(
  record: PolicyExceptionRecord,
  { policy, identity }: ExceptionEnds,
): { body: PolicyExceptionView; version: number } {
  const ends = { policyName: policy.name, clientId: identity.clientId };
  return { body: policyExceptionView(record, ends), version: record.version };
}
