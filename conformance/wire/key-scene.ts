import { expect } from 'vitest';
import { accessBody, identityBody, openAdmin, resourceServerBody, type Admin } from './admin.ts';
import { freshName } from './scene.ts';
import { makeKey, type SigningKey } from './signing-key.ts';
import { currentTarget } from './target.ts';

/** A client that proves itself by a key, at an API that takes no tokens but those bound to another. */
export interface KeyScene {
  readonly admin: Admin;
  readonly clientId: string;
  readonly identityId: string;
  readonly credentialId: string;
  /** Signs assertions. */
  readonly key: SigningKey;
  readonly resource: string;
}

/** Makes one; `terms` are more members of the credential. */
export async function seedKeyScene(
  stem: string,
  alg: SigningKey['alg'] = 'ES256',
  constraint: 'none' | 'dpop' = 'dpop',
  terms: Record<string, unknown> = {},
): Promise<KeyScene> {
  const admin = openAdmin(currentTarget());
  const name = freshName(stem);
  const resource = `https://${name}.example/api`;
  const body = resourceServerBody(resource, ['read', 'write'], { sender_constraint: constraint });
  await admin.must('POST', '/resource-servers', body);
  const identity = await admin.must('POST', '/identities', identityBody(name));
  await admin.must('POST', '/access', accessBody(String(identity['id']), resource, ['read', 'write']));
  const key = makeKey(alg);
  const identityId = String(identity['id']);
  const credential = await registerKey(admin, identityId, key, terms);
  return {
    admin,
    clientId: String(identity['client_id']),
    identityId,
    credentialId: credential,
    key,
    resource,
  };
}

/** Registers the public part of a key for an identity; gives the credential's id. */
export async function registerKey(
  admin: Admin,
  identityId: string,
  { jwk }: SigningKey,
  terms: Record<string, unknown> = {},
): Promise<string> {
  const made = await admin.must('POST', `/identities/${identityId}/credentials`, {
    type: 'private_key_jwt',
    jwk,
    ...terms,
  });
  expect(JSON.stringify(made)).not.toContain('"d"');
  return String(made['id']);
}
