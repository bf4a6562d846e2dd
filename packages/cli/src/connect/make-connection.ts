import type { Access, AdminClient, CreatedCredential, Identity } from '@countersign/admin-api';
import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import type { ConnectPlan } from './connect-plan.ts';
import type { SecretPlace } from '../secrets/secret-place.ts';

export interface Connection {
  readonly identity: Identity;
  /** Without its secret. */
  readonly credential: Omit<CreatedCredential, 'secret'>;
  readonly access: Access;
}

/** Makes the three; where one fails, says what is there already and how to go on. */
export async function makeConnection(
  client: AdminClient,
  plan: ConnectPlan,
  place: SecretPlace,
): Promise<Connection> {
  let identity: Identity;
  try {
    identity = await createIdentity(client, plan);
  } catch (error) {
    place.abandon();
    throw error;
  }
  const access = await createAccess(client, plan, identity).catch((error: unknown) => {
    place.abandon();
    throw halfDone(error, identity, 'it has no access and no credential');
  });
  const credential = await createSecret(client, plan, identity, place).catch((error: unknown) => {
    throw halfDone(error, identity, `it has access ${access.id} and no credential`);
  });
  return { identity, credential, access };
}

async function createIdentity(client: AdminClient, plan: ConnectPlan): Promise<Identity> {
  const { name, kind, environment, purpose, owner, expiresAt } = plan;
  const { body } = await client.call('identities.create', {
    body: {
      name,
      client_id: name,
      kind,
      environment,
      purpose,
      owner: { person: owner },
      expires_at: expiresAt,
    },
  });
  return body;
}

async function createAccess(client: AdminClient, plan: ConnectPlan, identity: Identity): Promise<Access> {
  const { body } = await client.call('access.create', {
    body: {
      identity: identity.id,
      resource_server: plan.api,
      scopes: [...plan.scopes],
      justification: plan.justification,
      expires_at: plan.expiresAt,
    },
  });
  return body;
}

async function createSecret(
  client: AdminClient,
  plan: ConnectPlan,
  identity: Identity,
  place: SecretPlace,
): Promise<Omit<CreatedCredential, 'secret'>> {
  let created: CreatedCredential;
  try {
    ({ body: created } = await client.call('credentials.create', {
      params: { id: identity.id },
      body: { type: 'client_secret', label: plan.name },
    }));
  } catch (error) {
    place.abandon();
    throw error;
  }
  const { secret, ...credential } = created;
  place.put(secret as string);
  return credential;
}

function halfDone(error: unknown, identity: Identity, state: string): CommandFailure {
  const failure = failureOf(error);
  return new CommandFailure(
    failure.kind,
    `${failure.message}\n${identity.client_id} was created; ${state}.`,
    {
      fix: `Finish it with countersign access create and credentials create, or end it: countersign identities decommission ${identity.client_id} --reason "half made" --yes`,
      requestId: failure.requestId,
      cause: error,
    },
  );
}
