import { KEY_PURPOSES, type SigningKey } from '@countersign/admin-api';
import { type RotationDeps, rotate } from '../../keys/rotation.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { SigningKeyRecord } from '../../storage/signing-keys.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { NounHandlers } from './endpoint.ts';

export function keyHandlers(deps: {
  readonly storage: Pick<Storage, 'signingKeys' | 'svidKeys'>;
  readonly rotation: RotationDeps;
}): NounHandlers<'keys'> {
  return {
    'keys.list': { kind: 'read', run: async () => ({ body: await listKeys(deps.storage) }) },

    'keys.rotate': {
      kind: 'write',
      async run({ body }, stores, tell) {
        // Keys come with the first resource server that asks for their algorithm.
        const signingKeys = stores[STORE_OF[body.purpose]];
        if (!(await signingKeys.live()).some((key) => key.alg === body.alg)) {
          throw new RegistryRefusal('unknown_reference', `there is no key for ${body.alg}`, {
            pointer: '/alg',
          });
        }
        await rotate(deps.rotation, { ...stores, signingKeys }, body.alg, 'now', tell);
        return { body: await listKeys(stores) };
      },
    },
  };
}

/** Keys of a kind have a store of their own: keys/keystore.ts finds none of the other. */
const STORE_OF = { tokens: 'signingKeys', jwt_svids: 'svidKeys' } as const satisfies Record<
  SigningKey['purpose'],
  keyof Stores
>;

async function listKeys(
  stores: Pick<Stores, 'signingKeys' | 'svidKeys'>,
): Promise<{ items: SigningKey[]; next_cursor: null }> {
  const items: SigningKey[] = [];
  for (const purpose of KEY_PURPOSES) {
    const live = await stores[STORE_OF[purpose]].live();
    items.push(...live.map((record) => keyView(purpose, record)));
  }
  return { items, next_cursor: null };
}

function keyView(purpose: SigningKey['purpose'], record: SigningKeyRecord): SigningKey {
  const { retiringAt, removeAt } = record;
  return {
    kid: record.kid,
    purpose,
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
