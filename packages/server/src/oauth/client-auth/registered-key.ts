// The key that a credential was registered with: RFC 7523 §3, 9 (the signature is the client's) and RFC 7517 §4.
import { type ClientAssertionKey, isJsonObject, parseClientJwk } from '@countersign/protocol';
import type { CredentialRecord } from '../../storage/credentials.ts';

export interface RegisteredKey extends ClientAssertionKey {
  readonly credential: CredentialRecord;
}

/** Imported once per credential version: the records are immutable and cached. */
const imported = new WeakMap<CredentialRecord, RegisteredKey | 'none'>();

/** Undefined for a credential that is none of `private_key_jwt` or has no key of its own. */
export function registeredKey(credential: CredentialRecord): RegisteredKey | undefined {
  if (credential.material.type !== 'private_key_jwt') return undefined;
  let key = imported.get(credential);
  if (key === undefined) {
    const { jwk, allowRs256 } = credential.material;
    const parsed = isJsonObject(jwk) ? parseClientJwk(jwk, allowRs256 === true) : undefined;
    key = parsed?.ok === true ? { ...parsed.key, credential } : 'none';
    imported.set(credential, key);
  }
  return key === 'none' ? undefined : key;
}
