import { parseSpiffeId, type SpiffeId } from '@countersign/protocol';
import type { Certificate } from './certificate.ts';

/** X509-SVID.md §2 and §5.2: one URI, which is the SPIFFE ID of a workload. Undefined: it is no X.509-SVID. */
export function spiffeIdIn({ subjectAltNames, ca }: Certificate): SpiffeId | undefined {
  const [only, ...more] = subjectAltNames.flatMap((name) => (name.form === 'uri' ? [name.text] : []));
  if (ca || only === undefined || more.length > 0) return undefined;
  const id = parseSpiffeId(only);
  return id === undefined || id.path === '' ? undefined : id;
}
