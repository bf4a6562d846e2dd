import { betterMethod } from '../../registry/better-method.ts';
import { type CredentialView, credentialView } from '../../registry/credential-view.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { CreatedCredential } from './create-credential.ts';

/** The answer to whoever had a credential made: the only time that a secret is shown. */
export function createdWith(
  { record, secret }: CreatedCredential,
  identity: IdentityRecord,
): {
  body: CredentialView & { secret?: string; hint?: string };
  version: number;
  location: string;
} {
  const hint = betterMethod(record.material.type);
  return {
    body: {
      ...credentialView(record, identity.clientId),
      ...(secret === undefined ? {} : { secret }),
      ...(hint === undefined ? {} : { hint }),
    },
    version: record.version,
    location: `/v1/credentials/${record.id}`,
  };
}
