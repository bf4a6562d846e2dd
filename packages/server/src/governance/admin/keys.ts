import type { SigningKey } from '@countersign/admin-api';
import { type RotationDeps, rotate } from '../../keys/rotation.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { SigningKeyRecord } from '../../storage/signing-keys.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { NounHandlers } from './endpoint.ts';

export function keyHandlers(deps: {
  readonly storage: Pick<Storage, 'signingKeys'>;
  readonly rotation: RotationDeps;
}): NounHandlers<'keys'> {
  return {
    'keys.list': { kind: 'read', run: async () => ({ body: await listKeys(deps.storage) }) },

    'keys.rotate': {
      kind: 'write',
      async run({ body }, stores, tell) {
        // Keys come with the first resource server that asks for their algorithm.
        if (!(await stores.signingKeys.live()).some((key) => key.alg === body.alg)) {
          throw new RegistryRefusal('unknown_reference', `there is no key for ${body.alg}`, {
            pointer: '/alg',
          });
        }
        await rotate(deps.rotation, stores, body.alg, 'now', tell);
        return { body: await listKeys(stores) };
      },
    },
  };
}

async function listKeys(
  stores: Pick<Stores, 'signingKeys'>,
): Promise<{ items: SigningKey[]; next_cursor: null }> {
  return { items: (await stores.signingKeys.live()).map(keyView), next_cursor: null };
}

function keyView(record: SigningKeyRecord): SigningKey {
  const { retiringAt, removeAt } = record;
  return {
    kid: record.kid,
    alg: record.alg,
    state: record.state,
    public_jwk: { ...record.publicJwk },
    created_at: rfc3339(record.createdAt),
    active_at: rfc3339(record.activeAt),
    retiring_at: retiringAt === undefined ? null : rfc3339(retiringAt),
    remove_at: removeAt === undefined ? null : rfc3339(removeAt),
    version: record.version,
  };
}
