import { parseTrustDomain, type TrustDomain } from '@countersign/protocol';
import type { Changes } from './audit/change.ts';
import { type CertificateAuthority, createCertificateAuthority } from './ca/certificate-authority.ts';
import type { MakeAuthorityDeps } from './ca/make-authority.ts';
import { rotateAuthorities } from './ca/rotation.ts';
import type { Deployment } from './config/deployment.ts';
import { SettingError } from './config/load.ts';
import { untilAlone } from './first-start.ts';
import { AUTHORITY } from './governance/compose.ts';
import type { IssueDeps } from './registry/certificates/issue.ts';
import type { Storage } from './storage/storage.ts';
import type { Logger } from './telemetry/logger.ts';

/** The authority of certificates of a deployment: made at its first start, opened at each. */

export type Issuing = Pick<
  IssueDeps,
  'trustDomain' | 'certificateLifetime' | 'revocationListUrl' | 'selfRotation'
> & { readonly ca: CertificateAuthority };

export interface OpenedAuthority {
  readonly issuing: Issuing;
  readonly rotateIfDue: () => Promise<void>;
}

export async function openCertificateAuthority({
  deployment,
  issuer,
  storage,
  changes,
  logger,
  ...made
}: Omit<MakeAuthorityDeps, 'trustDomain'> & {
  readonly deployment: Deployment;
  readonly issuer: string;
  readonly storage: Storage;
  readonly changes: Changes;
  readonly logger: Logger;
}): Promise<OpenedAuthority> {
  const trustDomain = trustDomainOf(deployment, issuer);
  const deps = { ...made, trustDomain };
  const rotateIfDue = () => changes.run(AUTHORITY, (stores, tell) => rotateAuthorities(deps, stores, tell));
  await untilAlone(rotateIfDue);
  const ca = await createCertificateAuthority({
    authorities: storage.certificateAuthorities,
    signer: made.signer,
  });
  storage.onChange((change) => {
    if (change.kind !== 'certificate_authorities' && change.kind !== 'all') return;
    ca.reload().catch((error: unknown) =>
      logger.error({ err: error }, 'the authorities of certificates could not be read anew'),
    );
  });
  const { certificateLifetime, deviceCertificateLifetime, selfRotation } = deployment;
  return {
    rotateIfDue,
    issuing: {
      ca,
      trustDomain,
      selfRotation,
      certificateLifetime: (kind) =>
        (kind === 'device' ? deviceCertificateLifetime : certificateLifetime) * 1000,
      revocationListUrl: (authorityId) => `${issuer}/ca/crl/${authorityId}`,
    },
  };
}

/** SPIFFE-ID.md §2.1. What a host may be called that a trust domain may not (IPv6) is written with dashes. */
function trustDomainOf({ trustDomain }: Deployment, issuer: string): TrustDomain {
  const host = new URL(issuer).hostname.replace(/^\[|\]$/g, '').replaceAll(':', '-');
  const parsed = parseTrustDomain(trustDomain ?? host);
  if (parsed !== undefined) return parsed;
  throw new SettingError(
    'trust-domain',
    'is no trust domain',
    'Write a name like example.org: at most 255 of a-z, 0-9, dot, dash and underscore.',
  );
}
