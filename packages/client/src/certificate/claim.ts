// A device claims its identity: a one-off code, the device's own key, and its request for a certificate (RFC 2986).
import { endpointOf } from '@countersign/protocol/discovery';
import {
  askCertificate,
  type HeldCertificate,
  metadataOf,
  newKey,
  requestFor,
} from './certificate-request.ts';

export interface ClaimOptions {
  readonly issuer: string;
  /** `cdc_…`, as it was given out for this device. */
  readonly code: string;
  /** PEM. Default: a new one on P-256. Keep it and come again with it when the answer was lost: the code is for one key. */
  readonly key?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** The private key never leaves the device. @throws ClientOptionError · TokenError */
export async function claimDevice(options: ClaimOptions): Promise<HeldCertificate> {
  const { issuer, code, fetch = globalThis.fetch } = options;
  const key = options.key ?? (await newKey());
  const csr = requestFor(key);
  const metadata = await metadataOf(issuer, fetch);
  return await askCertificate(() => endpointOf(metadata, 'device_claim_endpoint'), fetch, { code, csr }, key);
}
