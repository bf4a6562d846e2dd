import type { AdminClient, DocumentInput } from '@countersign/admin-api';
import { namingWhatIsMissing } from '../connection/missing-name.ts';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { PROOF_FLAGS, requireProof } from '../flags/proof.ts';
import { type ContractFlags, contractFlags, type FlagValues } from '../noun/contract-flags.ts';
import type { CallProof, SubjectTokenPlace } from '../snippets/call.ts';

/** Methods that `connect` makes a credential of. An API key is no choice here: it is second best everywhere. */
export const CONNECT_TYPES = [
  'client_secret',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'federated',
] as const;
export type ConnectType = (typeof CONNECT_TYPES)[number];

const skip = { skip: true } as const;
/** Of a credential's members those that are its proof. */
export const proofFlags: ContractFlags = contractFlags('credentials.create', 'body', {
  ...PROOF_FLAGS,
  type: skip,
  label: skip,
  expires_at: skip,
  resource_server: skip,
  scopes: skip,
  spiffe_id: skip,
});

export type CredentialSpec = Extract<DocumentInput, { kind: 'Credential' }>['spec'];

/** The credential that the method wants, as a document has it. */
export async function credentialSpec(
  host: Host,
  name: string,
  type: ConnectType,
  flags: FlagValues,
): Promise<CredentialSpec> {
  const members = await proofFlags.read(flags, host);
  const [needless] = Object.keys(members);
  if (type === 'client_secret' && needless !== undefined) {
    throw usageError(
      `A client secret is made here and takes no ${proofFlags.flagOf(`/${needless}`) ?? needless}.`,
      `Say which method is meant: --type ${CONNECT_TYPES.slice(1).join('|')}`,
    );
  }
  requireProof({ type, ...members }, proofFlags);
  return { identity: name, type, ...members } as CredentialSpec;
}

/** Where the printed calls find what proves the machine: files that it has, or what its platform gives it. */
export async function callProof(
  client: AdminClient,
  name: string,
  spec: CredentialSpec,
  flags: FlagValues,
): Promise<Exclude<CallProof, { by: 'secret' }> | undefined> {
  switch (spec.type) {
    case 'private_key_jwt':
      return { by: 'key', key: `${name}.key` };
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth': {
      const given = flags['certificate'];
      return {
        by: 'certificate',
        certificate: typeof given === 'string' ? given : `${name}.pem`,
        key: `${name}.key`,
      };
    }
    case 'federated': {
      const id = spec.trusted_issuer;
      const { body } = await namingWhatIsMissing(client, 'ISSUER', id, () =>
        client.call('trusted-issuers.get', { params: { id } }),
      );
      return { by: 'subject_token', place: PLACES[body.kind] ?? 'file', file: `${name}.token` };
    }
    case 'client_secret':
    case 'api_key':
      return undefined;
  }
}

const PLACES: Readonly<Record<string, SubjectTokenPlace>> = {
  github_actions: 'github_actions',
  gitlab: 'gitlab',
  kubernetes: 'kubernetes',
};
