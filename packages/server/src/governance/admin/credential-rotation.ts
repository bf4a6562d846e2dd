import type { RefusedMethods } from '../../policy/methods-allowed-per-environment.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import { requireAllowed } from '../../registry/allowed-method.ts';
import type { SecretDeps } from '../../registry/client-secret.ts';
import type { SpiffeCredentialDeps } from '../../registry/spiffe/spiffe-credential.ts';
import type { FetchDeps } from '../../registry/fetched-url.ts';
import { requireMayActAs } from '../../registry/own-access.ts';
import { type ProgressDeps, readProgress } from '../../registry/rotation/retire.ts';
import { type RotateDeps, rotateCredential } from '../../registry/rotation/rotate.ts';
import { rotationView } from '../../registry/rotation/view.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { createAsked } from './create-credential.ts';
import { createdWith } from './credential-answer.ts';
import type { NounHandlers } from './endpoint.ts';
import { requireCredential } from './find-record.ts';
import { ProblemError } from './problem.ts';
import { spanOf } from './span.ts';
import { successorBody } from './successor-material.ts';

type Handlers = Pick<NounHandlers<'credentials'>, 'credentials.rotate' | 'credentials.rotation'>;

export function rotationHandlers(
  deps: SecretDeps &
    SpiffeCredentialDeps &
    FetchDeps &
    AdministratorDeps &
    RotateDeps &
    ProgressDeps & {
      readonly storage: Pick<Storage, 'credentials' | 'identities' | 'credentialInstances' | 'settings'>;
      readonly refusedMethods: RefusedMethods;
    },
): Handlers {
  const { storage } = deps;
  return {
    'credentials.rotate': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const { record, identity } = await requireCredential(stores, params.id);
        requireVersion(record.version);
        await requireMayActAs(admin.unlimited, stores, identity.id);
        requireAllowed(deps.refusedMethods, identity, record.material.type);
        const wanted = successorBody(record.material, body);
        const asked = {
          by: 'administration' as const,
          overlap: body.overlap === undefined ? undefined : spanOf(body.overlap, 'overlap'),
          label: body.label,
          expiresAt: body.expires_at === undefined ? undefined : Date.parse(body.expires_at),
        };
        const { made } = await keepAdministered(deps, stores, identity.id, () =>
          rotateCredential(deps, stores, tell, { identity, record }, asked, (successor) =>
            createAsked(deps, stores, tell, identity, wanted, successor),
          ),
        );
        return createdWith(made, identity);
      },
    },

    'credentials.rotation': {
      kind: 'read',
      async run({ params }) {
        const { record, identity } = await requireCredential(storage, params.id);
        const { old, by } = await rotatedOf(storage, record);
        const progress = await readProgress(deps, storage, identity, old, deps.clock.now());
        if (progress === undefined) throw neverRotated();
        return { body: rotationView(old, by, identity.clientId, progress) };
      },
    },
  };
}

type Rotated = CredentialRecord & { readonly successor: NonNullable<CredentialRecord['successor']> };

/** The old one of a rotation, by its own id or that of its successor. */
async function rotatedOf(
  stores: Pick<Stores, 'credentials'>,
  record: CredentialRecord,
): Promise<{ readonly old: Rotated; readonly by: 'itself' | 'administration' }> {
  const old =
    record.successor === undefined && record.predecessor !== undefined
      ? await stores.credentials.byId(record.predecessor.id)
      : record;
  if (old === undefined || !isRotated(old)) throw neverRotated();
  const successor = await stores.credentials.byId(old.successor.id);
  return { old, by: successor?.predecessor?.by ?? 'administration' };
}

function isRotated(record: CredentialRecord): record is Rotated {
  return record.successor !== undefined;
}

function neverRotated(): ProblemError {
  return new ProblemError('not_found', { detail: 'this credential was never rotated' });
}
