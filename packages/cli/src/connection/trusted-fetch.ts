import { readFileSync } from 'node:fs';
import { fetchTrusting } from '@countersign/protocol/fetch-trusting';
import { usageError } from '../failure.ts';

/** A fetch that trusts the certificate authorities in a PEM file, and no others. */
export function trustedFetch(caFile: string): typeof fetch {
  let pem: string;
  try {
    pem = readFileSync(caFile, 'utf8');
  } catch {
    throw usageError(`The CA file ${caFile} cannot be read.`, 'Name the CA of the authority with --ca-file.');
  }
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw usageError(`The CA file ${caFile} holds no PEM certificate.`);
  return fetchTrusting(pem);
}
