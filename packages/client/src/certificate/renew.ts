// A machine renews its certificate with the one that it has: RFC 8705 §2.1.
import { fetchShowing } from '@countersign/protocol/fetch-trusting';
import { mtlsEndpointOf } from '@countersign/protocol/discovery';
import {
  askCertificate,
  type HeldCertificate,
  metadataOf,
  newKey,
  requestFor,
} from './certificate-request.ts';

export interface RenewOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** PEM: the present certificate with those between it and the root, and its key. */
  readonly certificate: string;
  readonly key: string;
  /** PEM: whom to trust as the authority. Default: whom the platform trusts. */
  readonly ca?: string | undefined;
  /** PEM, of the next certificate. Default: a new one on P-256. */
  readonly newKey?: string | undefined;
}

/**
 * Gets the next certificate, for a new key. The present one goes on working until its end: replace it when the answer is stored.
 * Asked again with the same `newKey` after an answer that was lost, nothing is wrong: that key gets another certificate.
 * @throws ClientOptionError · TokenError · TypeError where certificate and key cannot be used together
 */
export async function renewCertificate(options: RenewOptions): Promise<HeldCertificate> {
  const { issuer, clientId, certificate, key, ca } = options;
  const fetch = fetchShowing({ cert: certificate, key, ca });
  const next = options.newKey ?? (await newKey());
  const csr = requestFor(next);
  const metadata = await metadataOf(issuer, fetch);
  const url = (): string => mtlsEndpointOf(metadata, 'certificate_renewal_endpoint');
  return await askCertificate(url, fetch, { client_id: clientId, csr }, next);
}

/**
 * When to renew (epoch ms): at `renewAfter`, and up to a tenth of the rest later, so that machines that were claimed together do not
 * come back together. `random`: from 0 to 1.
 */
export function renewalTime(
  { renewAfter, expiresAt }: Pick<HeldCertificate, 'renewAfter' | 'expiresAt'>,
  random: () => number = Math.random,
): number {
  const from = Date.parse(renewAfter);
  return from + Math.floor(random() * ((Date.parse(expiresAt) - from) / 10));
}
