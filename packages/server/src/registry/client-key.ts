import { type JsonObject, type JsonWebKey, jwkThumbprint, parseClientJwk } from '@countersign/protocol';
import type { CredentialMaterial, CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import { same, type Tell } from './change-rules.ts';
import { type FetchDeps, requireFetchable } from './fetched-url.ts';
import { keySubject } from './key-subject.ts';
import { type AgeDeps, addCredential, type NewCredential } from './new-credential.ts';
import type { PolicyStores } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';

/** A client's public key as somebody wants it registered. */
export interface AskedClientKey {
  /** A JSON Web Key, not checked yet; or where its client publishes a set of them. */
  readonly keys: { readonly jwk: JsonObject } | { readonly jwksUri: string };
  /** Assertions may name the token endpoint as audience instead of the issuer. */
  readonly allowTokenEndpointAudience: boolean;
  readonly allowRs256: boolean;
}

export interface NewClientKey extends AskedClientKey, NewCredential {}

type KeyMaterial = Extract<CredentialMaterial, { type: 'private_key_jwt' }>;

/** Registers a key that its client keeps the private part of: nothing here is secret. */
export async function createClientKey(
  deps: AgeDeps & FetchDeps,
  stores: PolicyStores,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewClientKey,
): Promise<CredentialRecord> {
  const material = clientKeyMaterial(asked);
  if (material.jwksUri !== undefined) requireFetchable(deps, material.jwksUri, '/jwks_uri');
  return await addCredential(deps, stores, tell, identity, asked, { material, name: shortNameOf(material) });
}

/** True when the record holds just this key, under the same terms. Throws for a key that could not be registered. */
export function holdsClientKey(record: CredentialRecord, asked: AskedClientKey): boolean {
  // Records of before it was kept have no subjectKey, and are the same.
  const left = { ...record.material, subjectKey: undefined };
  return same(left, { ...clientKeyMaterial(asked), subjectKey: undefined });
}

/** What of a key is kept, always in this order; RFC 7517 §4 lets anything else stand beside it. */
const KEPT = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'x5t#S256'];

function shortNameOf({ jwk, jwksUri }: KeyMaterial): string {
  if (jwksUri !== undefined) return new URL(jwksUri).host.slice(0, 100);
  return jwkThumbprint(jwk as JsonWebKey).slice(0, 8);
}

function clientKeyMaterial({ keys, allowTokenEndpointAudience, allowRs256 }: AskedClientKey): KeyMaterial {
  const jwk = 'jwk' in keys ? acceptableJwk(keys.jwk, allowRs256) : undefined;
  return {
    type: 'private_key_jwt',
    ...('jwksUri' in keys ? { jwksUri: acceptableUri(keys.jwksUri) } : { jwk: jwk as object }),
    allowTokenEndpointAudience,
    ...(allowRs256 ? { allowRs256 } : {}),
    ...(jwk === undefined ? {} : { subjectKey: keySubject(jwk as JsonWebKey) }),
  };
}

function acceptableJwk(jwk: JsonObject, allowRs256: boolean): object {
  const parsed = parseClientJwk(jwk, allowRs256);
  if (!parsed.ok) throw unacceptable(parsed.fault);
  const kept = KEPT.filter((name) => Object.hasOwn(jwk, name)).map((name) => [name, jwk[name]]);
  return { ...(Object.fromEntries(kept) as object), alg: parsed.key.key.alg };
}

/** What a name may reach is decided when it is fetched: it can come to mean something else. */
function acceptableUri(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.password === '' && !text.includes('#')) {
    return text;
  }
  throw new RegistryRefusal('unacceptable_key', 'must be an https URL without user or fragment', {
    pointer: '/jwks_uri',
  });
}

const FAULTS: Readonly<Record<string, string>> = {
  private_key_material: 'must be the public key alone; what holds the private one is not taken anywhere',
  unsupported_kty: 'must be an EC, RSA or OKP key',
  unsupported_crv: 'must be on P-256, P-384 or Ed25519',
  unsupported_alg: 'must be for ES256, ES384, PS256, RS384, EdDSA, Ed25519, or RS256 with allow_rs256',
  alg_mismatch: 'names an algorithm that is not one of its kind of key',
  rs256_not_allowed: 'is for RS256, which is taken only with allow_rs256; better is PS256 or ES256',
  wrong_use: 'must be for signatures (use: sig)',
  wrong_key_ops: 'must be for verifying (key_ops: verify)',
  bad_kid: 'has a kid that is not 1 to 256 characters',
  bad_coordinate: 'has a member that is missing, or not as long as its kind of key has it',
  not_on_curve: 'is not a point of its curve',
  weak_rsa_key: 'is a weak RSA key: 2,048 to 8,192 bits and an odd exponent from 65537 are needed',
  weak_ed25519_key: 'is a point of small order, for which anybody can sign',
  bad_certificate_thumbprint: 'has an x5t#S256 that is none',
};

function unacceptable(fault: string): RegistryRefusal {
  return new RegistryRefusal('unacceptable_key', `the key ${FAULTS[fault] ?? 'cannot be used'}`, {
    pointer: '/jwk',
  });
}
