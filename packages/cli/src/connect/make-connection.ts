import type {
  Access,
  AdminClient,
  ApplyResult,
  Credential,
  DocumentInput,
  Identity,
} from '@countersign/admin-api';
import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import type { SecretPlace } from '../secrets/secret-place.ts';
import type { ConnectPlan } from './connect-plan.ts';
import { findAccess } from './find-present.ts';

export interface Connection {
  readonly identity: Identity;
  readonly credential: Credential;
  readonly access: Access;
}

/**
 * Applies the documents, and keeps the secret that came of it. The authority refuses all of them or none; what stops it
 * half way leaves what the same command goes on from.
 */
export async function makeConnection(
  client: AdminClient,
  documents: DocumentInput[],
  place: SecretPlace | undefined,
): Promise<void> {
  let secrets: ApplyResult['secrets'];
  try {
    ({ secrets } = (await client.call('apply.run', { body: { documents } })).body);
  } catch (error) {
    const done = (error as ApplyErrorShape | undefined)?.problem;
    keep(done?.secrets ?? [], place);
    throw done?.applied === undefined ? error : halfDone(error);
  }
  keep(secrets, place);
}

interface ApplyErrorShape {
  readonly problem?: {
    readonly applied?: readonly unknown[];
    readonly secrets?: ApplyResult['secrets'];
  };
}

function keep(secrets: ApplyResult['secrets'], place: SecretPlace | undefined): void {
  const made = secrets[0];
  if (made === undefined) place?.abandon();
  else if (place !== undefined) place.put(made.secret);
  else throw new CommandFailure('failure', 'A secret came that nobody expected, and was not kept.');
}

function halfDone(error: unknown): CommandFailure {
  const failure = failureOf(error);
  return new CommandFailure(failure.kind, failure.message, {
    fix: 'It stopped half way. The same command goes on from there.',
    requestId: failure.requestId,
    cause: error,
  });
}

/** The three as they are now. */
export async function readConnection(client: AdminClient, plan: ConnectPlan): Promise<Connection> {
  const identity = (await client.call('identities.get', { params: { id: plan.name } })).body;
  const access = await findAccess(client, plan);
  const credential = await findCredential(client, plan);
  if (access === undefined || credential === undefined) {
    throw new CommandFailure('conflict', 'Somebody ended it at the same moment.');
  }
  return { identity, credential, access };
}

async function findCredential(
  client: AdminClient,
  { name, credential: { type } }: ConnectPlan,
): Promise<Credential | undefined> {
  const query = { identity: name, type, state: 'active' } as const;
  let found: Credential | undefined;
  for await (const credential of client.each('credentials.list', { query })) {
    if (credential.label === name) found = credential;
  }
  return found;
}
