import { generateSecret, parseSecret } from '@countersign/protocol';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
import { type AgeDeps, addCredential, type NewCredential } from './new-credential.ts';
import type { PolicyStores } from './policy/require-policies.ts';

/** For whatever makes a secret of which only the digest is kept. */
export interface SecretDeps extends AgeDeps {
  /** Keyed digest of a secret (secret-hash.ts). */
  readonly digest: (secret: string) => string;
}

export interface NewSecret extends NewCredential {
  /** One that exists already and that the caller has checked to be well-formed; made when undefined. */
  readonly secret?: string | undefined;
}

/** The secret is in the result and nowhere else: what is stored is its digest. */
export async function createClientSecret(
  deps: SecretDeps,
  stores: PolicyStores,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewSecret,
): Promise<{ readonly record: CredentialRecord; readonly secret: string }> {
  const { secret, publicId } = secretFrom(deps, 'csk', asked.secret);
  const record = await addCredential(deps, stores, tell, identity, asked, {
    material: { type: 'client_secret', publicId, digest: deps.digest(secret) },
    name: publicId,
  });
  return { record, secret };
}

/** The secret that was given, or a new one of this kind. */
export function secretFrom(
  deps: Pick<RuleDeps, 'random'>,
  kind: 'csk' | 'cak',
  given: string | undefined,
): { readonly secret: string; readonly publicId: string } {
  if (given === undefined) return generateSecret(kind, deps.random);
  const parsed = parseSecret(given);
  if (parsed?.kind !== kind) throw new TypeError('the caller has to check the secret');
  return { secret: given, publicId: parsed.publicId };
}
