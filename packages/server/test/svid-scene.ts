import type { HttpResponse } from '../src/http/response.ts';
import { credentialRecord, freshId, T0 } from '../src/storage/contract/records.ts';
import type { CredentialRecord } from '../src/storage/credentials.ts';
import { signJws, SPIFFE_CLIENT_ASSERTION_TYPE } from '@countersign/protocol';
import {
  type ClientAuthority,
  clientAuthority,
  element,
  type Issued,
  type Wanted,
} from './client-authority.ts';
import { type ClientKey, clientKey } from './client-assertion.ts';
import { extendedKeyUsage, keyUsage, basicConstraints } from '../src/http/certificate.ts';
import { ISSUER, NOW, type TokenScene } from './token-scene.ts';

/** Another trust domain, with what its SVIDs are made with. */
export interface OtherDomain {
  readonly name: string;
  readonly key: ClientKey;
  readonly authority: ClientAuthority;
  readonly bundle: string;
}

const KID = 'other-1';

export function otherDomain(name: string): OtherDomain {
  const key = clientKey();
  const authority = clientAuthority(NOW, name);
  const x5c = [Buffer.from(authority.der).toString('base64')];
  const keys = [
    { ...key.jwk, use: 'jwt-svid', kid: KID },
    { kty: 'EC', use: 'x509-svid', x5c },
  ];
  return { name, key, authority, bundle: JSON.stringify({ keys, spiffe_sequence: 1 }) };
}

/** Declares the trust domain in a scene, with its bundle. */
export async function declareDomain(
  { storage }: Pick<TokenScene, 'storage'>,
  { name, bundle }: Pick<OtherDomain, 'name' | 'bundle'>,
  bundleEndpoint?: string,
): Promise<void> {
  await storage.trustDomains.insert({
    id: freshId('tdm'),
    trustDomain: name,
    name: undefined,
    bundle: bundleEndpoint === undefined ? bundle : undefined,
    bundleEndpoint,
    endpointSpiffeId: undefined,
    state: 'active',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
  });
}

/** Gives the client of a scene a credential for this SPIFFE ID. */
export async function addSpiffe(
  { storage, identity }: Pick<TokenScene, 'storage' | 'identity'>,
  spiffeId: string,
  change: Partial<CredentialRecord> = {},
): Promise<CredentialRecord> {
  const record = credentialRecord(identity.id, { material: { type: 'spiffe', spiffeId }, ...change });
  await storage.credentials.insert(record);
  return record;
}

/** A JWT-SVID by this key, for the authority of the scene. */
export function jwtSvidOf(
  { key: { privateKey, alg } }: Pick<OtherDomain, 'key'>,
  sub: string,
  claims: object = {},
  header: object = {},
): string {
  const iat = Math.floor(NOW / 1000);
  const payload = JSON.stringify({ sub, aud: [ISSUER], iat, exp: iat + 300, ...claims });
  return signJws({ typ: 'JWT', ...header }, payload, { kid: KID, alg, keyObject: privateKey });
}

/** Asks for a token with it, as the client `payments` unless said otherwise. */
export function askByJwtSvid(
  scene: Pick<TokenScene, 'ask'>,
  svid: string,
  form: Readonly<Record<string, string>> = { client_id: 'payments' },
): Promise<HttpResponse> {
  const parameters = { client_assertion_type: SPIFFE_CLIENT_ASSERTION_TYPE, client_assertion: svid, ...form };
  return scene.ask(new URLSearchParams(parameters).toString(), { authorization: null });
}

/** A certificate with these URIs, and nothing else that could name anybody. */
export function x509SvidOf(
  { authority }: Pick<OtherDomain, 'authority'>,
  uris: readonly string[],
  wanted: Wanted = {},
): Issued {
  const names = element(0x30, ...uris.map((uri) => element(0x86, Buffer.from(uri))));
  const san = element(0x30, element(0x06, Buffer.from('551d11', 'hex')), element(0x04, names));
  const usual = [basicConstraints(false), keyUsage(0), extendedKeyUsage('1.3.6.1.5.5.7.3.2'), san];
  return authority.issue({ subject: 'workload', extensions: usual, ...wanted });
}
