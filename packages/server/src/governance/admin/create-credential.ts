import { type BodyOf, subjectOf } from '@countersign/admin-api';
import { createApiKey } from '../../registry/api-key.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { createClientKey } from '../../registry/client-key.ts';
import { createClientSecret, type SecretDeps } from '../../registry/client-secret.ts';
import type { FetchDeps } from '../../registry/fetched-url.ts';
import { createFederatedCredential } from '../../registry/federated-credential.ts';
import type { NewCredential } from '../../registry/new-credential.ts';
import { createRegisteredCertificate } from '../../registry/registered-certificate.ts';
import {
  createSpiffeCredential,
  type SpiffeCredentialDeps,
} from '../../registry/spiffe/spiffe-credential.ts';
import { createTlsClient } from '../../registry/tls-client.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import { clientKeyOf } from './client-key-members.ts';
import { findResourceServer, findTrustedIssuer, referenced } from './find-record.ts';

export interface CreatedCredential {
  readonly record: CredentialRecord;
  /** Of a type that has one, to be shown once. */
  readonly secret?: string;
}

/** The credential that a body of `credentials.create` asks for, whatever its type. `asked`: in place of what the body says of it. */
export async function createAsked(
  deps: SecretDeps & FetchDeps & SpiffeCredentialDeps,
  stores: Stores,
  tell: Tell,
  identity: IdentityRecord,
  body: BodyOf<'credentials.create'>,
  asked: NewCredential = {
    label: body.label,
    expiresAt: body.expires_at === undefined ? undefined : Date.parse(body.expires_at),
  },
): Promise<CreatedCredential> {
  const of = [deps, stores, tell, identity] as const;
  switch (body.type) {
    case 'client_secret':
      return await createClientSecret(...of, asked);
    case 'api_key': {
      const { resource_server: api, scopes } = body;
      const resourceServer =
        api === undefined
          ? undefined
          : referenced(await findResourceServer(stores, api), '/resource_server', 'resource server', api);
      return await createApiKey(...of, { ...asked, resourceServer, scopes });
    }
    case 'private_key_jwt':
      return { record: await createClientKey(...of, { ...asked, ...clientKeyOf(body) }) };
    case 'tls_client_auth': {
      const { ca, crl } = body;
      return { record: await createTlsClient(...of, { ...asked, ...subjectOf(body), ca, crl }) };
    }
    case 'self_signed_tls_client_auth': {
      const { certificate } = body;
      return { record: await createRegisteredCertificate(...of, { ...asked, certificate }) };
    }
    case 'federated': {
      const found = await findTrustedIssuer(stores, body.trusted_issuer);
      const trustedIssuer = referenced(found, '/trusted_issuer', 'trusted issuer', body.trusted_issuer);
      const { conditions } = body;
      return { record: await createFederatedCredential(...of, { ...asked, trustedIssuer, conditions }) };
    }
    case 'spiffe': {
      const { spiffe_id: spiffeId } = body;
      return { record: await createSpiffeCredential(...of, { ...asked, spiffeId }) };
    }
  }
}
