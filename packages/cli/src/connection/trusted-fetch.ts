import { fetchTrusting } from '@countersign/protocol/fetch-trusting';
import { usageError } from '../failure.ts';
import { textAt } from '../named-file.ts';

/** A PEM file of certificate authorities, and the setting that names it. */
export interface CaFile {
  readonly caFile: string | undefined;
  readonly caFrom: string;
}

/** What the file holds; undefined where none is named. @throws CommandFailure `usage` */
export function trustedCertificates({ caFile, caFrom }: CaFile): string | undefined {
  if (caFile === undefined) return undefined;
  const pem = textAt(caFile, caFrom);
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw usageError(`${caFrom} names ${caFile}, which holds no PEM certificate.`);
  return pem;
}

/** A fetch that trusts the certificate authorities in the file, and no others; the platform's where none is named. */
export function trustedFetch(file: CaFile): typeof fetch {
  const pem = trustedCertificates(file);
  return pem === undefined ? fetch : fetchTrusting(pem);
}
