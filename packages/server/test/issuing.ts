import { generateKeyPairSync } from 'node:crypto';
import { createCertificationRequest, parseTrustDomain, type TrustDomain } from '@countersign/protocol';
import { type CertificateAuthority, createCertificateAuthority } from '../src/ca/certificate-authority.ts';
import type { MakeAuthorityDeps } from '../src/ca/make-authority.ts';
import { rotateAuthorities } from '../src/ca/rotation.ts';
import {
  issueCertificate,
  type IssueDeps,
  type IssuedCertificate,
} from '../src/registry/certificates/issue.ts';
import { certificationRequestOf } from '../src/registry/certificates/certificate-request.ts';
import type { HttpResponse } from '../src/http/response.ts';
import type { CertificateIssuedBy } from '../src/storage/certificates.ts';
import type { IdentityRecord } from '../src/storage/identities.ts';
import type { Storage } from '../src/storage/storage.ts';

export const TRUST_DOMAIN: TrustDomain = parseTrustDomain('authority.test') as TrustDomain;
const DAY = 86_400_000;

export type TestIssuing = Pick<
  IssueDeps,
  'trustDomain' | 'certificateLifetime' | 'revocationListUrl' | 'selfRotation'
> & { readonly ca: CertificateAuthority };

/** The authority of certificates of a test: made in its storage, opened, read anew after each change. */
export async function openIssuing(
  storage: Storage,
  made: Omit<MakeAuthorityDeps, 'trustDomain'>,
): Promise<TestIssuing> {
  const deps = { ...made, trustDomain: TRUST_DOMAIN };
  await storage.transaction((stores) => rotateAuthorities(deps, stores, () => undefined));
  const ca = await createCertificateAuthority({
    authorities: storage.certificateAuthorities,
    signer: made.signer,
  });
  storage.onChange(({ kind }) => {
    if (kind === 'certificate_authorities') void ca.reload();
  });
  return {
    ca,
    trustDomain: TRUST_DOMAIN,
    selfRotation: true,
    certificateLifetime: (kind) => (kind === 'device' ? 30 * DAY : DAY),
    revocationListUrl: (id) => `https://authority.test/ca/crl/${id}`,
  };
}

/** A request for a new key, PEM. */
export function newRequest(): string {
  return createCertificationRequest(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

export interface RenewalScene {
  readonly deps: IssueDeps & { readonly random: MakeAuthorityDeps['random'] };
  readonly storage: Storage;
  readonly identity: IdentityRecord;
  call(path: string, request: object): Promise<HttpResponse>;
}

/** A certificate of the built-in authority for the client of a scene. */
export function issueTo(
  { deps, storage, identity }: Omit<RenewalScene, 'call'>,
  by: CertificateIssuedBy = 'administration',
): Promise<IssuedCertificate> {
  return storage.transaction((stores) =>
    issueCertificate(deps, stores, () => undefined, identity, {
      request: certificationRequestOf(newRequest()),
      lifetime: undefined,
      by,
    }),
  );
}

/** The client asks for its next certificate, showing these. */
export function askRenewal(
  scene: RenewalScene,
  chain: readonly Uint8Array[],
  csr: string,
): Promise<HttpResponse> {
  const form = new URLSearchParams({ client_id: scene.identity.clientId, csr });
  return scene.call('/oauth/certificate', {
    body: Buffer.from(form.toString()),
    rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
    clientCertificate: { chain, source: 'tls' },
  });
}
